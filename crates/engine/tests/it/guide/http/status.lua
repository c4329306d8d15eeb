-- A bad status is an answer
-- Look at it; `fail` ends the run with words of your own.

local answer = http.get("https://shop.example/busy")
if answer.status ~= 200 then
    fail(`the shop said {answer.status}: {answer.body}`)
end
return answer.json()
-- fails: shop-orders/core:3: the shop said 503: come back later
