-- `hex.encode(data)`, `hex.decode(text)`
-- Lower-case hexadecimal digits; decoding takes either case.

return { text = hex.encode("\xffa"), data = hex.decode("48656C6C6f") }
-- result: {"text":"ff61","data":"Hello"}
