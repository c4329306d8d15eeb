-- `http.get(url [, options])`
-- `http.request` with the method GET.

local answer = http.get("https://shop.example/orders/17", { timeout = 5 })
return { status = answer.status, request = answer.headers["X-Request-Id"], state = answer.json().state }
-- result: {"status":200,"request":"r-1","state":"open"}
