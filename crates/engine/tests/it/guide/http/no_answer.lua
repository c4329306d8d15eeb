-- No answer is an error
-- So is a call that the platform does not let through: to a private, loopback or link-local address that the operator did not allow.

local slow, silence = pcall(http.get, "https://slow.example/", { timeout = 0.05 })
local inside, refusal = pcall(http.get, "http://169.254.169.254/latest/meta-data")
return { slow = slow, silence = silence, inside = inside, refusal = refusal }
-- result: {"slow":false,"silence":"no answer within 50 ms",
--   "inside":false,"refusal":"call refused: not a public address: 169.254.169.254"}
