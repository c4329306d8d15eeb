//! Texts and tables.

pub(super) const ALL: &[(&str, &str)] = &[
    ("concat_separator", "-- expect: stop\nreturn { n = #table.concat(table.create(1e6, ''), string.rep('x', 1e6)) }"),
    ("rep_of_rep", "-- expect: stop\nlocal s = 'x' for i = 1, 20 do s = string.rep(s, 10) end return { n = #s }"),
    ("format_width", "-- expect: deny\nstring.format('%999999999d', 1)"),
    ("format_precision", "-- expect: deny\nstring.format('%.999999999f', 1)"),
    ("format_loop", "-- expect: stop\nwhile true do string.format('%99.99f', 1e300) end"),
    (
        "format_tostring",
        "-- expect: stop\nlocal t = setmetatable({}, { __tostring = function() while true do end end }) string.format('%*', t)",
    ),
    ("pack_padding", "-- expect: stop\nstring.pack('c1000000000', 'x')"),
    ("pack_sizes", "-- expect: deny\nstring.packsize('c2147483647c2147483647')"),
    ("pack_integer", "-- expect: deny\nstring.pack('i1000', 1)"),
    ("unpack_far", "-- expect: deny\nstring.unpack('c2147483647', 'x')"),
    ("char_many", "-- expect: stop\nlocal t = table.create(7000, 65) while true do string.char(table.unpack(t)) end"),
    ("case_work", "-- expect: stop\nlocal s = string.rep('aB', 5e6) while true do s = s:lower():upper():reverse() end"),
    (
        "text_compare",
        "-- expect: stop\nlocal s = string.rep('a', 5e6) local a, b = s .. 'a', s .. 'b' while true do local _ = a < b end",
    ),
    ("number_text", "-- expect: stop\nlocal s = string.rep('9', 1e6) while true do tonumber(s) end"),
    ("number_text_base", "-- expect: stop\nlocal s = string.rep('z', 1e6) while true do tonumber(s, 36) end"),
    ("split_characters", "-- expect: stop\nlocal s = string.rep('x', 4e6) while true do s:split('') end"),
    ("gsub_empty", "-- expect: stop\nlocal s = string.rep('x', 4e6) while true do s:gsub('', 'y') end"),
    (
        "gsub_recursion",
        "-- expect: stop\nlocal function f(s) return (s:gsub('.', f)) end while true do pcall(f, 'aaaa') end",
    ),
    (
        "gsub_in_gsub",
        "-- expect: stop\nlocal s = string.rep('x', 1000) local function f() return (s:gsub('x', function() return (s:gsub('x', '%0')) end)) end while true do f() end",
    ),
    (
        "gsub_table",
        "-- expect: stop\nlocal t = setmetatable({}, { __index = function() while true do end end }) string.gsub('a', 'a', t)",
    ),
    (
        "pattern_captures",
        "-- expect: stop\nlocal s = string.rep('a', 1e5) while true do s:find(string.rep('(.-)', 31) .. 'b') end",
    ),
    ("pattern_back_reference", "-- expect: stop\nlocal s = string.rep('a', 1e5) return { r = s:find('(.-)%1%1%1b') }"),
    (
        "pattern_long",
        "-- expect: stop\nlocal s, p = string.rep('a', 1e5), string.rep('a?', 5e4) while true do s:find(p .. 'b') end",
    ),
    ("utf8_bomb", "-- expect: stop\nwhile true do for _ in utf8.codes(string.rep('ä', 1e5)) do end end"),
    ("utf8_codepoints", "-- expect: stop\nwhile true do pcall(utf8.codepoint, string.rep('a', 1e6), 1, -1) end"),
    (
        "utf8_char",
        "-- expect: stop\nlocal t = table.create(7000, 0x10ffff) while true do utf8.char(table.unpack(t)) end",
    ),
    ("table_create_most", "-- expect: stop\nreturn { n = #table.create(2^26, 1) }"),
    ("table_create_too_many", "-- expect: deny\ntable.create(2^40)"),
    (
        "table_remove_front",
        "-- expect: stop\nlocal t = table.create(1e6, 1) while true do table.remove(t, 1) t[#t + 1] = 1 end",
    ),
    ("table_insert_far", "-- expect: deny\ntable.insert({}, 2^53, 1)"),
    ("table_border", "-- expect: stop\nlocal t = {} for i = 1, 60 do t[2^i] = 1 end while true do local _ = #t end"),
    ("table_clear", "-- expect: stop\nlocal t = table.create(1e6, 1) while true do table.clear(t) end"),
    (
        "table_pack",
        "-- expect: stop\nlocal t = table.create(7000, 1) local k = {} while true do k[#k + 1] = table.pack(table.unpack(t)) end",
    ),
    (
        "rehash",
        "-- expect: stop\nlocal t = {} while true do for i = 1, 1e5 do t[i + 0.5] = i end for i = 1, 1e5 do t[i + 0.5] = nil end end",
    ),
    ("weak_tables", "-- expect: stop\nlocal t = setmetatable({}, { __mode = 'kv' }) while true do t[{}] = {} end"),
    (
        "sort_that_clears",
        "-- expect: stop\nlocal t = {} while true do for i = 1, 100 do t[i] = i end pcall(table.sort, t, function() table.clear(t) return true end) end",
    ),
    (
        "sort_that_grows",
        "-- expect: stop\nlocal t = { 1, 2, 3 } while true do pcall(table.sort, t, function(a, b) t[#t + 1] = 1 return a < b end) end",
    ),
    (
        "sort_errors",
        "-- expect: stop\nlocal t = { 3, 2, 1 } while true do pcall(table.sort, t, function() error(t) end) end",
    ),
    ("sort_recursion", "-- expect: stop\nlocal function s() table.sort({ 3, 2, 1 }, s) end while true do pcall(s) end"),
    (
        "sort_mixed",
        "-- expect: stop\nlocal t = table.create(1e5, 1) t[5e4] = 'x' while true do pcall(table.sort, t) end",
    ),
    ("buffer_huge", "-- expect: stop\nbuffer.create(2^30)"),
    ("buffer_fill", "-- expect: stop\nlocal b = buffer.create(3e7) while true do buffer.fill(b, 0, 1) end"),
    ("buffer_copy", "-- expect: stop\nlocal b = buffer.create(3e7) while true do buffer.copy(b, 1, b, 0, 3e7 - 1) end"),
    (
        "buffer_texts",
        "-- expect: stop\nlocal b, t = buffer.create(1e6), {} while true do t[#t + 1] = buffer.tostring(b) .. #t end",
    ),
    ("buffer_bounds", "-- expect: deny\nbuffer.readf64(buffer.create(8), 2^31)"),
    ("buffer_text_bounds", "-- expect: deny\nbuffer.readstring(buffer.create(8), 0, 2^31)"),
    ("next_of_nothing", "-- expect: deny\nnext({}, 'x')"),
    ("select_far", "-- expect: deny\nselect(-1e9, 1)"),
];
