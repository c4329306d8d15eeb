-- Result size
-- Counted as JSON. A table that stands in several places counts in each of them.

return { text = string.rep("x", 2 ^ 20) }
-- fails: shop-orders/core: result size limit reached (1 MiB)
