-- `uuid.v4()`, `uuid.v7()`
-- A random UUID, and one that sorts by the time it was made.

return { random = uuid.v4() ~= uuid.v4(), length = #uuid.v4(), version = string.sub(uuid.v7(), 15, 15) }
-- result: {"random":true,"length":36,"version":"7"}
