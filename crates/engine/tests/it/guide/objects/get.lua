-- `objects.get(type, id)`
-- An object with its `id` among its attributes; nil where there is none.

objects.create("Order", { qty = 2 }, "o-1")
return { qty = objects.get("Order", "o-1").qty, none = objects.get("Order", "o-2") == nil }
-- result: {"qty":2,"none":true}
