-- `crypto.equal(a, b)`
-- Whether two texts are the same, in a time that does not tell where they differ: compare signatures with it, never with `==`.
-- Sign what came: `rawBody`, not a body that was written anew.

-- given: POST {"qty":2}
local expected = crypto.hmac("sha256", "shared secret", rawBody)
return { genuine = crypto.equal(expected, headers["X-Signature"] or "") }
-- result: {"genuine":false}
