-- The platform makes the call
-- `headers` and `body` go to the Integration's URL: as a JSON object with POST, in the query with GET. `requestNeeded` may be absent.

-- given: CREATE {"sku":"A-1","qty":2}
return {
    headers = { ["X-Order-Id"] = object.id },
    body = { sku = object.sku, quantity = object.qty },
}
-- result: {"headers":{"X-Order-Id":"o-1"},"body":{"sku":"A-1","quantity":2}}
