-- `objects.update(type, id, attributes)`
-- Assigns these top-level attributes, leaves the others, and answers the object. One that is not there is an error.

objects.create("Order", { qty = 2, note = "fragile" }, "o-1")
objects.update("Order", "o-1", { qty = 3, note = json.null })
objects.update("Order", "o-2", { qty = 3 })
return {}
-- fails: shop-orders/core:3: object o-2 not found
