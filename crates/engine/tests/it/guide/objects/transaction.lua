-- `objects.transaction(function)`
-- Makes what the function changes all together when it returns, and answers what it returned. Inside, the script sees its own changes; nobody else
-- sees them before. A transaction takes 100 changes of 8 MiB together. Another one inside, and `http`, are errors: call out before or after it.

objects.create("Stock", { left = 3 }, "pen")
local left = objects.transaction(function()
  local pen = objects.get("Stock", "pen")
  objects.create("Order", { pens = 2 }, "o-1")
  return objects.update("Stock", "pen", { left = pen.left - 2 }).left
end)
return { left = left, ordered = objects.get("Order", "o-1").pens }
-- result: {"left":1,"ordered":2}
