-- `objects.upsert(type, id, attributes)`
-- Updates the object, or makes it where there is none: a webhook that comes twice does no harm.

-- given: POST {"id":"o-1","qty":2}
objects.upsert("Order", parameters.id, { qty = parameters.qty, state = "open" })
return { saved = objects.upsert("Order", parameters.id, { qty = 5 }) }
-- result: {"saved":{"id":"o-1","qty":5,"state":"open"}}
