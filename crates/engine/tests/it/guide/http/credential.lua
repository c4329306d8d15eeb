-- `credential = "name"`
-- A secret that the script never sees: the platform attaches the tenant's [credential](credentials.md) of that name to the call, in the place of a header of
-- the script's own. A token of an `OAUTH2` credential is fetched, kept, and renewed once when the answer is 401. Where an answer repeats the
-- secret, `***` stands in its place, for the script as in the record.

local answer = http.get("https://shop.example/me", { credential = "shop" })
return { status = answer.status, body = answer.body }
-- result: {"status":200,"body":"you sent Bearer ***"}
