-- `http.request(options)`
-- Calls a third party and waits for the answer; meanwhile other runs go on, and only the time by the clock counts. Options: `url`, `method`
-- (GET), `headers`, one of `body` (a text), `json` (any value) or `form` (a table), `timeout` in seconds. The answer has `status`,
-- `headers` (names in any case), `body`, `truncated`, and `json()`. Any status is an answer; redirects are not followed.

local answer = http.request {
    method = "POST",
    url = "https://shop.example/orders",
    headers = { ["X-Key"] = "k" },
    json = { qty = 2 },
}
return { status = answer.status, received = answer.json().received, type = answer.json().type }
-- result: {"status":201,"received":"{\"qty\":2}","type":"application/json"}
