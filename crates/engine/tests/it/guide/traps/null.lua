-- `json.null` is truthy
-- A null of JSON is there: `parameters.note or "none"` is null. Ask `json.is_null`, or compare with `json.null`.

-- given: POST {"note":null}
local careless = parameters.note or "none"
local careful = if json.is_null(parameters.note) then "none" else parameters.note
return { careless = careless, careful = careful, absent = parameters.absent or "none" }
-- result: {"careless":null,"careful":"none","absent":"none"}
