//! JSON, numbers and the libraries.

pub(super) const ALL: &[(&str, &str)] = &[
    ("decode_nested_arrays", "-- expect: deny\njson.decode(string.rep('[', 1e6))"),
    ("decode_nested_objects", "-- expect: deny\njson.decode(string.rep('{\"a\":', 1e6))"),
    ("decode_spaces", "-- expect: stop\nlocal s = string.rep(' ', 1e7) while true do pcall(json.decode, s) end"),
    (
        "decode_escapes",
        "-- expect: stop\nlocal s = '\"' .. string.rep('\\\\u00e4', 1e6) .. '\"' while true do json.decode(s) end",
    ),
    ("decode_number", "-- expect: deny\njson.decode('1' .. string.rep('0', 1e6))"),
    ("decode_exponent", "-- expect: deny\njson.decode('1e' .. string.rep('9', 1e6))"),
    (
        "decimal_compare",
        "-- expect: stop\nlocal n = json.decode('0.' .. string.rep('1', 1e6)) while true do local _ = n < n end",
    ),
    (
        "decimal_text",
        "-- expect: stop\nlocal n, t = json.decode('0.' .. string.rep('1', 1e6)), {} while true do t[#t + 1] = tostring(n) .. #t end",
    ),
    (
        "integer_division",
        "-- expect: stop\nlocal n = json.decode('-170141183460469231731687303715884105728') while true do pcall(function() return n // -1, n % 0, n // 0, -n, n % -1 end) end",
    ),
    ("encode_nested", "-- expect: deny\nlocal t = {} for i = 1, 1e5 do t = { t } end json.encode(t)"),
    ("encode_nan", "-- expect: deny\nreturn { n = 0 / 0 }"),
    ("result_infinite", "-- expect: deny\nreturn { n = math.huge }"),
    ("result_key_table", "-- expect: deny\nreturn { [{}] = 1 }"),
    ("result_sparse", "-- expect: deny\nreturn { t = { [2^53] = 1, [1] = 1 } }"),
    (
        "url_parse_long",
        "-- expect: stop\nlocal s = 'http://' .. string.rep('ä', 1e6) while true do pcall(url.parse, s) end",
    ),
    (
        "url_parse_names",
        "-- expect: stop\nlocal s = 'http://' .. string.rep('ä.', 2e4) while true do pcall(url.parse, s) end",
    ),
    (
        "url_parse_path",
        "-- expect: stop\nlocal s = 'http://x/' .. string.rep('../a/', 1e4) while true do pcall(url.parse, s) end",
    ),
    ("url_decode", "-- expect: stop\nlocal s = string.rep('%41', 3e6) while true do url.decode(s) end"),
    ("query_parse", "-- expect: stop\nlocal s = string.rep('a&', 4e6) while true do url.parse_query(s) end"),
    (
        "query_deep",
        "-- expect: deny\nlocal t = {} for i = 1, 1e5 do t = { t } end url.query({ a = t, b = t }) error('at last')",
    ),
    ("hex_work", "-- expect: stop\nlocal s = string.rep('x', 5e6) while true do hex.decode(hex.encode(s)) end"),
    ("hmac_key", "-- expect: stop\nlocal s = string.rep('x', 5e6) while true do crypto.hmac('sha512', s, s) end"),
    ("equal_work", "-- expect: stop\nlocal s = string.rep('x', 1e7) while true do crypto.equal(s, s) end"),
    ("time_text", "-- expect: stop\nlocal s = string.rep('9', 1e6) while true do pcall(time.parse, s) end"),
    ("time_far", "-- expect: deny\ntime.format(1e300)"),
    ("uuid_loop", "-- expect: stop\nwhile true do uuid.v7() end"),
    ("object_id_long", "-- expect: deny\nobjects.get('Order', string.rep('x', 1e7))"),
    ("object_type_long", "-- expect: deny\nobjects.get(string.rep('x', 1e7), 'x')"),
    (
        "request_is_odd",
        "-- expect: deny\nhttp.request(setmetatable({}, { __index = function() while true do end end }))",
    ),
    ("url_long", "-- expect: deny\nhttp.get('http://127.0.0.1:1/' .. string.rep('x', 1e7))"),
    ("method_long", "-- expect: deny\nhttp.request{ url = 'http://127.0.0.1:1/', method = string.rep('x', 1e7) }"),
    ("timeout_odd", "-- expect: deny\nhttp.get('http://10.0.0.1/', { timeout = 1e308 })"),
];
