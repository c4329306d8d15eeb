-- CPU time
-- Time spent waiting, or while the machine was busy with something else, does not count. `pcall` cannot catch this, nor any other limit.

while true do
    pcall(function() while true do end end)
end
-- fails: shop-orders/core:2: CPU time limit reached (100 ms)
