-- Calls of `objects`
-- `objects.find` with a limit reads many in one.

for i = 1, 1000 do
    objects.get("Order", "o-" .. i)
end
return {}
-- fails: shop-orders/core:2: object call limit reached (200 calls)
