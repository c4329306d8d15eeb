-- A transaction that fails
-- When the function throws, nothing is changed and the error goes on; so it is when the run ends in any other way. The function is not run again by
-- itself: when somebody else changed an object after the function first read it, and the function changes it too or reads it again, the error is
-- `objects.transaction: Order o-1 was changed by somebody else meanwhile`. An object that it reads once and leaves alone is not guarded.

local ok, why = pcall(objects.transaction, function()
  objects.create("Order", { pens = 2 }, "o-1")
  error("no pens are left", 0)
end)
return { ok = ok, why = why, none = objects.get("Order", "o-1") == nil }
-- result: {"ok":false,"why":"no pens are left","none":true}
