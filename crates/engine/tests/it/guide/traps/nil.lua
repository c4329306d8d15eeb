-- `nil` leaves no trace
-- An attribute that is set to nil is gone from the table; `json.null` stays. A nil within an array ends it.

return { gone = nil, stays = json.null, pair = { 1, json.null, 3 } }
-- result: {"stays":null,"pair":[1,null,3]}
