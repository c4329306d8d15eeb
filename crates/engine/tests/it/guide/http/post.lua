-- `http.post(url [, options])`
-- `http.request` with the method POST. A form is `application/x-www-form-urlencoded`.

local answer = http.post("https://shop.example/orders", { form = { sku = "A 1", qty = 2 } })
return answer.json()
-- result: {"received":"qty=2&sku=A+1","type":"application/x-www-form-urlencoded"}
