-- Log size
-- All lines of the run together, enable logic's and core logic's.

for i = 1, 1000 do
    log(string.rep("x", 1024))
end
return {}
-- fails: shop-orders/core:2: log size limit reached (256 KiB)
