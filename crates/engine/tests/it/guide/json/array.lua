-- `json.array([table])`
-- Marks a table as an array, so that it is `[]` rather than `{}` while it is empty. Arrays that came as JSON are marked already.

-- given: POST {"lines":[1,2]}
local open = json.array {}
table.clear(parameters.lines)
return { open = open, closed = {}, lines = parameters.lines }
-- result: {"open":[],"closed":{},"lines":[]}
