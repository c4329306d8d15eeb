-- `time.parse(text)`
-- The seconds of an RFC 3339 time in any zone.

return { hours = (time.parse("2026-06-02T02:00:00+02:00") - time.parse(requestTime)) / 3600 }
-- result: {"hours":12}
