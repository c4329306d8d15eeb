-- An object was created
-- `object` is there in every event, `newObject` is the same here, `oldObject` is nil. Attributes are fields, and so is the `id`.

-- given: CREATE {"qty":2}
return { body = { event = eventType, type = objectType.name, id = object.id, qty = newObject.qty, old = oldObject == nil } }
-- result: {"body":{"event":"CREATE","type":"Order","id":"o-1","qty":2,"old":true}}
