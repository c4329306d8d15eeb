-- Keys have no order
-- A table forgets the order of its keys, and `json.encode` writes them in any. What must be compared or signed byte by byte is
-- `rawBody`, or put together in an order of yours.

-- given: POST {"b":1,"a":2}
local keys = {}
for key in parameters do
    table.insert(keys, key)
end
table.sort(keys)
return { keys = keys, exact = rawBody }
-- result: {"keys":["a","b"],"exact":"{\"b\":1,\"a\":2}"}
