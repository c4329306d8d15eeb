-- Time by the clock
-- Counts all of it. (This run was given less than usual.)

-- wall: 1000 ms
http.get("https://slow.example/")
return {}
-- fails: shop-orders/core:2: wall time limit reached (1 s)
