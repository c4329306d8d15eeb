-- `fail(message)`
-- Ends the run as failed, with this message in its record. Unlike `error`, no `pcall` stops it.

pcall(function() fail("the shop is closed") end)
return { never = "reached" }
-- fails: shop-orders/core:1: the shop is closed
