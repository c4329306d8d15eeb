-- Stack depth
-- Calls within calls.

local function down(n) return 1 + down(n + 1) end
return { n = down(1) }
-- fails: shop-orders/core:1: stack depth limit reached
