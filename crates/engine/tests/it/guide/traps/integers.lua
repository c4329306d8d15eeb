-- Numbers beyond 2^53
-- Lua's numbers are doubles. An integer or a decimal of JSON that a double cannot hold keeps its digits in a value of its own:
-- it can be passed on, compared with another such value, shown, and (integers) calculated with exactly. But it is no plain number:
-- `type` says `userdata`, `==` with a plain number is false and `<` an error, as a key of a table each one is another key (take
-- `tostring(id)`), and the functions of `math` refuse it. A literal in a script is a double. A number larger than every double
-- (about 1.8e308, such as `1e400`) counts as no JSON: a webhook that brings one under a JSON content type is answered 500, and
-- `json.decode` refuses it.

-- given: POST {"id":9007199254740993,"again":9007199254740993}
local id, again = parameters.id, parameters.again
local seen = { [tostring(id)] = true }
return {
    id = id,
    next = id + 1,
    text = "order-" .. id,
    same = id == again,
    type = typeof(id),
    plain = id == 9007199254740992,
    less = pcall(function() return id < 5 end),
    floor = pcall(math.floor, id),
    number = tonumber(id) == nil,
    seen = seen[tostring(again)],
    literal = 9007199254740993,
}
-- result: {"id":9007199254740993,"next":9007199254740994,"text":"order-9007199254740993","same":true,"type":"bignum",
--   "plain":false,"less":false,"floor":false,"number":true,"seen":true,"literal":9007199254740992}
