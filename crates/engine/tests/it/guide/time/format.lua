-- `time.format([seconds])`
-- RFC 3339 in UTC; without seconds, of now.

return { tomorrow = time.format(time.now() + 86400), now = time.format() }
-- result: {"tomorrow":"2026-06-02T12:00:00Z","now":"2026-06-01T12:00:00Z"}
