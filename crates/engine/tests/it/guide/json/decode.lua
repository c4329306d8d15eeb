-- `json.decode(text)`
-- The value of a JSON text. Null becomes `json.null`; of several equal keys the last one counts; more than 64 levels are refused.

local order = json.decode('{"sku":"A-1","tags":[],"note":null}')
local ok, message = pcall(json.decode, '{"sku":')
return { sku = order.sku, tags = #order.tags, null = order.note == json.null, ok = ok, message = message }
-- result: {"sku":"A-1","tags":0,"null":true,"ok":false,"message":"invalid JSON at byte 7: a value was expected"}
