-- `url.query(table)`
-- A query or form, sorted by key. An array gives its key once for each item, `json.null` an empty value, an object its JSON.

return { query = url.query({ state = "open now", tag = { "a", "b" }, page = 2, note = json.null }) }
-- result: {"query":"note=&page=2&state=open+now&tag=a&tag=b"}
