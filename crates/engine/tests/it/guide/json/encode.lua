-- `json.encode(value)`
-- The value as JSON text. What JSON has no place for (functions, NaN, a text that is not UTF-8, a table with both places and names)
-- is an error that says where it is.

local text = json.encode({ "a", 1.5, true, json.null })
local ok, message = pcall(json.encode, { items = { { price = 0 / 0 } } })
return { text = text, ok = ok, message = message }
-- result: {"text":"[\"a\",1.5,true,null]","ok":false,"message":"at items[1].price: the number NaN has no place in JSON"}
