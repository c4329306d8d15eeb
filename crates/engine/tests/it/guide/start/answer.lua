-- A first script
-- Core logic of an incoming Integration: what it returns is the answer to the caller.

-- given: POST {"items":[{"sku":"A-1","qty":2},{"sku":"B-2","qty":1}]}
local count = 0
for _, item in parameters.items do
    count += item.qty
end
return { ok = true, count = count }
-- result: {"ok":true,"count":3}
