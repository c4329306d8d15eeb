-- `url.parse_query(text)`
-- A query or form as a table; values are texts, those of a key that comes several times are an array.

return url.parse_query("?state=open+now&tag=a&tag=b&page=2")
-- result: {"state":"open now","tag":["a","b"],"page":"2"}
