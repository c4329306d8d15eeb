-- An object was updated
-- `newObject` is the whole new state. `oldObject` holds only what changed, with the former values; one that was null is there as
-- `json.null`.

-- given: UPDATE {"qty":2,"state":"open","note":null} -> {"qty":3,"state":"open","note":"fragile"}
return { body = { old = oldObject, new = newObject } }
-- result: {"body":{"old":{"qty":2,"note":null},"new":{"id":"o-1","qty":3,"state":"open","note":"fragile"}}}
