-- Enable logic
-- Returns `{ result = true }` where core logic is to run. Anything but exactly `true` skips the run; core logic then is not called,
-- and the caller gets a small answer with status 200.

-- enable logic
-- given: POST {"state":"open"}
return { result = parameters.state == "open" and headers["X-Shop"] ~= nil }
-- result: {"result":true}
