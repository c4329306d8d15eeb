-- Texts are bytes
-- Any bytes fit into a text of Lua, JSON's are UTF-8. Take `base64` or `hex` for the others; `#text` counts bytes.

return { length = #"ü", characters = utf8.len("ü"), digest = crypto.sha256("ü", "raw") }
-- fails: shop-orders/core: the result cannot become JSON: at digest: a string that is not UTF-8 has no place in JSON
