//! Many references to one text: little for the machine, much for whoever puts them together.

pub(super) const ALL: &[(&str, &str)] = &[
    ("log_references", "-- expect: stop\nlog(table.unpack(table.create(5000, string.rep('x', 2e5))))"),
    ("query_references", "-- expect: deny\nurl.query({ a = table.create(1e6, string.rep('x', 1e5)) })"),
    ("query_long_key", "-- expect: deny\nurl.query({ [string.rep('k', 1e6)] = table.create(1e6, 'x') })"),
    (
        "form_references",
        "-- expect: deny\nhttp.post('http://127.0.0.1:1/', { form = { a = table.create(1e6, string.rep('x', 1e5)) } })",
    ),
    (
        "header_references",
        "-- expect: deny\nlocal h, v = {}, string.rep('x', 1e6) for i = 1, 5e4 do h['h' .. i] = v end http.get('http://127.0.0.1:1/', { headers = h })",
    ),
    (
        "many_headers",
        "-- expect: deny\nlocal h = {} for i = 1, 4e4 do h['h' .. i] = 1 end http.get('http://127.0.0.1:1/', { headers = h })",
    ),
    ("encode_references", "-- expect: stop\njson.encode(table.create(1e6, string.rep('x', 1e6)))"),
    ("result_references", "-- expect: stop\nreturn { t = table.create(1e6, string.rep('x', 1e6)) }"),
    (
        "object_references",
        "-- expect: deny\nobjects.create('Order', { t = table.create(1e6, string.rep('x', 1e6)) }, 'o-1')",
    ),
    (
        "body_references",
        "-- expect: deny\nhttp.post('http://127.0.0.1:1/', { json = table.create(1e6, string.rep('x', 1e6)) })",
    ),
    (
        "transaction_hoard",
        "-- expect: deny\nobjects.transaction(function() for i = 1, 1000 do objects.create('Order', { x = string.rep('x', 9e5) }, 'o-' .. i) end end)",
    ),
    (
        "bodies_at_once",
        "-- expect: stop\nlocal s = string.rep('x', 1e7) while true do pcall(http.post, 'http://10.0.0.1/', { body = s }) end",
    ),
];
