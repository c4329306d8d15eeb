-- `{}` is an object
-- An empty table cannot tell what it would be; `json.array {}` can. A table with places and names at once is neither.

return { list = json.array {}, map = {}, both = { 1, 2, total = 3 } }
-- fails: shop-orders/core: the result cannot become JSON: at both: a table with 2 items and the key "total" is neither array nor object
