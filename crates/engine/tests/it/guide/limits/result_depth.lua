-- Result depth
-- A table that contains itself has no end.

local order = { sku = "A-1" }
order.self = order
return order
-- fails: shop-orders/core: result depth limit reached (64 levels): the result is nested too deeply, or contains itself
