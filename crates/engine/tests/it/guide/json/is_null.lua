-- `json.is_null(value)`
-- Whether a value is `json.null`; `nil` is not.

-- given: POST {"note":null}
return { note = json.is_null(parameters.note), absent = json.is_null(parameters.absent) }
-- result: {"note":true,"absent":false}
