-- `objects.find(type [, attributes [, options]])`
-- An array of the objects whose attributes equal all the given ones, the oldest first; at most `options.limit` (1 to 1000, else 100).

objects.create("Order", { state = "open", qty = 2 }, "o-1")
objects.create("Order", { state = "open", qty = 3 }, "o-2")
objects.create("Order", { state = "sent", qty = 4 }, "o-3")
local open = objects.find("Order", { state = "open" })
return { open = #open, first = open[1].id, one = #objects.find("Order", { state = "open" }, { limit = 1 }) }
-- result: {"open":2,"first":"o-1","one":1}
