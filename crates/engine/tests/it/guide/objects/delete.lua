-- `objects.delete(type, id)`
-- Deletes an object and answers nothing. One that is not there is an error.

objects.create("Order", { qty = 2 }, "o-1")
objects.delete("Order", "o-1")
return { gone = objects.get("Order", "o-1") == nil }
-- result: {"gone":true}
