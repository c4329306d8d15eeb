-- A GET has no body: the platform puts these into the query, nested values as JSON.
local reserved = json.array({})
for _, line in ipairs(object.lines) do
  table.insert(reserved, { sku = line.sku, qty = line.qty })
end

if #reserved == 0 then
  log("order", object.id, "had reserved nothing")
  return { requestNeeded = false }
end

return {
  headers = { ["X-Order-Id"] = object.id },
  body = {
    order = object.id,
    customer = object.customer,
    reserved = reserved,
    reason = "deleted",
  },
}
