-- `url.encode(text)`, `url.decode(text)`
-- Percent-encoding of all but letters, digits and `-._~`, and back.

return { path = "/orders/" .. url.encode("a b/ü"), back = url.decode("a%20b%2F%C3%BC") }
-- result: {"path":"/orders/a%20b%2F%C3%BC","back":"a b/ü"}
