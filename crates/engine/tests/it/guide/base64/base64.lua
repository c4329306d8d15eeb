-- `base64.encode(data)`, `base64.decode(text)`
-- Base64 as in RFC 4648, with padding. Decoding accepts it with or without; data may be any bytes.

local ok, message = pcall(base64.decode, "a*b=")
return { text = base64.encode("\xff\xfe"), data = base64.decode("aGVsbG8"), ok = ok, message = message }
-- result: {"text":"//4=","data":"hello","ok":false,"message":"invalid base64: Invalid symbol 42, offset 1."}
