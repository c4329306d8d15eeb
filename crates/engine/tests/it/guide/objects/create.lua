-- `objects.create(type, attributes [, id])`
-- Makes an object and answers it, with its `id`; without one it gets a UUID. An id that is taken is an error.

local order = objects.create("Order", { qty = 2, tags = json.array {} }, "o-1")
local ok, message = pcall(objects.create, "Order", { qty = 3 }, "o-1")
return { order = order, ok = ok, message = message }
-- result: {"order":{"id":"o-1","qty":2,"tags":[]},"ok":false,"message":"object o-1 exists already"}
