-- `base64.encode_url(data)`, `base64.decode_url(text)`
-- The alphabet for URLs (`-` and `_`), without padding.

return { text = base64.encode_url("\xff\xfe"), back = base64.decode_url(base64.encode_url("hello")) }
-- result: {"text":"__4","back":"hello"}
