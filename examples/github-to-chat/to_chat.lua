local function text(value)
  if json.is_null(value) then
    return "nothing"
  end
  return type(value) == "table" and json.encode(value) or tostring(value)
end

if eventType == "CREATE" then
  return {
    body = { text = `New issue {object.id}: {object.title} ({object.url})` },
  }
end

-- Only what changed is in oldObject.
local names = {}
for name in pairs(oldObject) do
  table.insert(names, name)
end
table.sort(names)

local changes = {}
for _, name in ipairs(names) do
  table.insert(changes, `{name}: {text(oldObject[name])} -> {text(newObject[name])}`)
end
log(#names, "attributes changed")

return {
  body = { text = `Issue {object.id} changed: ` .. table.concat(changes, "; ") },
}
