//! What all runs of a machine share.

pub(super) const ALL: &[(&str, &str)] = &[
    ("library_metatable", "-- expect: deny\nsetmetatable(json, { __index = print })"),
    ("library_of_lua_metatable", "-- expect: deny\nsetmetatable(table, { __index = print })"),
    ("library_clear", "-- expect: deny\ntable.clear(json)"),
    ("library_rawset", "-- expect: deny\nrawset(http, 'get', print)"),
    ("log_rawset", "-- expect: deny\nrawset(log, 'info', print)"),
    ("log_metatable", "-- expect: deny\nsetmetatable(log, {})"),
    ("headers_metatable", "-- expect: deny\ngetmetatable(headers).__index = print"),
    ("environment_metatable", "-- expect: deny\nsetmetatable(_G, { __index = function() while true do end end })"),
    ("environment_hoard", "-- expect: stop\nlocal i = 0 while true do i += 1 _G['k' .. i] = {} end"),
    ("own_math", "-- expect: stop\nmath = { floor = function() while true do end end } math.floor(1.5)"),
    (
        "own_everything",
        "-- expect: contained\nfor _, name in { 'pcall', 'error', 'type', 'string', 'table', 'json', 'log', 'tostring', 'coroutine' } do _G[name] = false end return {}",
    ),
    (
        "remnants",
        "-- expect: contained\nfor _, name in { 'os', 'io', 'debug', 'package', 'require', 'load', 'loadstring', 'loadfile', 'dofile', 'getfenv', 'setfenv', 'collectgarbage', 'gcinfo', 'newproxy', 'module', 'vector', 'ffi', 'jit' } do if _G[name] ~= nil then while true do end end end return {}",
    ),
];
