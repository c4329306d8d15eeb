-- No waiting inside a comparator
-- `http` and `objects` cannot be called where Lua itself is in the middle of something: in the comparator of `table.sort`, the function of
-- `string.gsub`, a metamethod. Fetch first, then sort. Coroutines of your own are fine.

local ids = { "o-2", "o-1" }
table.sort(ids, function(a, b)
    return objects.get("Order", a).qty < objects.get("Order", b).qty
end)
return { ids = ids }
-- fails: shop-orders/core:3: objects cannot wait within a comparator, a callback or a metamethod: call it before
