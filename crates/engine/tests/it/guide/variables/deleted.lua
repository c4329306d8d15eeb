-- An object was deleted
-- `object` and `oldObject` are the last state; `newObject` is nil. `oldObject` has no `id`: take that of `object`.

-- given: DELETE {"qty":3}
return { body = { id = object.id, last = oldObject, new = newObject == nil } }
-- result: {"body":{"id":"o-1","last":{"qty":3},"new":true}}
