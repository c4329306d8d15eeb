-- A credential goes to its own hosts
-- To another host nothing is sent, nor with a name that the tenant has no credential of. Both are errors, as is a third party that gives no token.

local elsewhere, why = pcall(http.get, "http://localhost/", { credential = "shop" })
local unknown, what = pcall(http.get, "https://shop.example/me", { credential = "shup" })
return { elsewhere = elsewhere, why = why, unknown = unknown, what = what }
-- result: {"elsewhere":false,"why":"credential \"shop\" may not be sent to \"localhost\"; its allowedHosts do not cover it",
--   "unknown":false,"what":"there is no credential \"shup\""}
