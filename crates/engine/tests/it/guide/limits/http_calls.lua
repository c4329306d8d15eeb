-- HTTP calls
-- Each one counts, whatever became of it.

for i = 1, 100 do
    http.get("https://shop.example/orders/17")
end
return {}
-- fails: shop-orders/core:2: HTTP call limit reached (20 calls)
