-- `json.null`
-- JSON's null, which can stand in a table as `nil` cannot. It is truthy: compare it.

return { note = json.null, gone = nil, truthy = json.null and true, text = tostring(json.null) }
-- result: {"note":null,"truthy":true,"text":"null"}
