-- A script returns a map
-- Nothing, a text or an array is a failed run.

return { 1, 2, 3 }
-- fails: shop-orders/core: must return a map, returned an array
