-- `time.now()`
-- The time in seconds since 1970, with a fraction.

return { now = time.now() }
-- result: {"now":1780315200}
