-- Instructions
-- Functions of Lua itself that cannot be interrupted refuse to begin what would take too long.

return { text = string.rep("ab", 2 ^ 30) }
-- fails: shop-orders/core:1: instruction limit reached (string.rep)
