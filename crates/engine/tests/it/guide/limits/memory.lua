-- Memory
-- Everything in the run's virtual machine, what was read and what is being built.

local kept = {}
while true do
    table.insert(kept, string.rep("x", 2 ^ 20) .. #kept)
end
-- fails: shop-orders/core:3: memory limit reached (32 MiB)
