//! Metamethods, and limits that are caught.

pub(super) const ALL: &[(&str, &str)] = &[
    (
        "index_recursion",
        "-- expect: stop\nlocal t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k] end return { x = t.a }",
    ),
    (
        "index_loop",
        "-- expect: deny\nlocal a, b = {}, {} setmetatable(a, { __index = b }) setmetatable(b, { __index = a }) return { x = a.x }",
    ),
    (
        "index_chain_long",
        "-- expect: deny\nlocal t = {} for i = 1, 5000 do t = setmetatable({}, { __index = t }) end return { x = t.x }",
    ),
    (
        "newindex_recursion",
        "-- expect: stop\nlocal t = setmetatable({}, { __newindex = function(t, k, v) t[k] = v end }) t.x = 1",
    ),
    (
        "newindex_loop",
        "-- expect: deny\nlocal a, b = {}, {} setmetatable(a, { __newindex = b }) setmetatable(b, { __newindex = a }) a.x = 1",
    ),
    ("call_recursion", "-- expect: stop\nlocal t = setmetatable({}, { __call = function(t) return 1 + t() end }) t()"),
    ("call_chain", "-- expect: deny\nlocal t = {} for i = 1, 1000 do t = setmetatable({}, { __call = t }) end t()"),
    (
        "concat_recursion",
        "-- expect: stop\nlocal m = {} m.__concat = function(a, b) return a .. b end return { x = setmetatable({}, m) .. 'x' }",
    ),
    (
        "eq_recursion",
        "-- expect: stop\nlocal m = {} m.__eq = function(a, b) return a == b end return { x = setmetatable({}, m) == setmetatable({}, m) }",
    ),
    (
        "len_recursion",
        "-- expect: stop\nlocal m = {} m.__len = function(t) return #t end return { x = #setmetatable({}, m) }",
    ),
    (
        "iter_recursion",
        "-- expect: stop\nlocal m = {} m.__iter = function(t) for _ in t do end end for _ in setmetatable({}, m) do end",
    ),
    (
        "tostring_recursion",
        "-- expect: stop\nlocal m = {} m.__tostring = function(t) return tostring(t) end while true do pcall(tostring, setmetatable({}, m)) end",
    ),
    ("tostring_no_text", "-- expect: deny\nerror(setmetatable({}, { __tostring = function() return {} end }))"),
    ("tostring_error", "-- expect: deny\nerror(setmetatable({}, { __tostring = function() error('again') end }))"),
    ("error_cycle", "-- expect: deny\nlocal e = {} e.message = e error(e)"),
    ("error_message_loop", "-- expect: deny\nerror(setmetatable({}, { __index = function() while true do end end }))"),
    ("fail_tostring", "-- expect: stop\nfail(setmetatable({}, { __tostring = function() while true do end end }))"),
    ("fail_caught", "-- expect: deny\nwhile true do pcall(fail, 'x') end"),
    ("cpu_caught_once", "-- expect: stop\npcall(function() while true do end end) return { fine = true }"),
    (
        "memory_caught_once",
        "-- expect: stop\npcall(function() local t = {} while true do t[#t + 1] = string.rep('x', 1e5) .. #t end end) return { fine = true }",
    ),
    ("memory_caught_at_once", "-- expect: stop\npcall(table.create, 2^26, 1) return { fine = true }"),
    (
        "memory_caught_in_coroutine",
        "-- expect: stop\ncoroutine.resume(coroutine.create(function() table.create(2^26, 1) end)) return { fine = true }",
    ),
    (
        "memory_caught_by_handler",
        "-- expect: stop\nxpcall(function() table.create(2^26, 1) end, function() end) return { fine = true }",
    ),
    ("depth_caught_once", "-- expect: stop\nlocal function f() return 1 + f() end pcall(f) return { fine = true }"),
    ("log_caught_once", "-- expect: stop\npcall(log, string.rep('x', 1e6)) return { fine = true }"),
    (
        "calls_caught",
        "-- expect: stop\nfor i = 1, 300 do pcall(objects.get, 'Order', 'none') end return { fine = true }",
    ),
    (
        "encode_caught",
        "-- expect: stop\npcall(json.encode, table.create(1e6, string.rep('x', 1e6))) return { fine = true }",
    ),
    (
        "tower_that_catches",
        "-- expect: stop\nlocal function nest(n) if n == 0 then while true do end end while true do pcall(coroutine.resume, coroutine.create(nest), n - 1) end end nest(100)",
    ),
    (
        "pcalls_that_catch",
        "-- expect: stop\nlocal function nest(n) if n == 0 then while true do end end while true do pcall(nest, n - 1) end end nest(100)",
    ),
    ("yield_in_pcall", "-- expect: deny\nwhile true do pcall(coroutine.yield, 1) end"),
    (
        "yield_in_metamethod",
        "-- expect: deny\nlocal t = setmetatable({}, { __index = function() coroutine.yield() end }) return { x = t.x }",
    ),
    (
        "yield_in_iterator",
        "-- expect: stop\nfor _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end",
    ),
    ("close_self", "-- expect: deny\ncoroutine.close(coroutine.running())"),
    ("resume_self", "-- expect: stop\nwhile true do coroutine.resume(coroutine.running()) end"),
    ("wrap_dead", "-- expect: stop\nlocal f = coroutine.wrap(function() end) f() while true do pcall(f) end"),
    ("transaction_endless", "-- expect: stop\nobjects.transaction(function() while true do end end)"),
    ("transactions_that_fail", "-- expect: stop\nwhile true do pcall(objects.transaction, error) end"),
    (
        "transaction_left",
        "-- expect: deny\nlocal co = coroutine.create(function() objects.transaction(function() coroutine.yield() end) end) coroutine.resume(co) return {}",
    ),
];
