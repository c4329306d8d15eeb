//! Hostile scripts: the shared corpus, and attacks of our own of the same kinds. The first line of each says what is expected:
//! `stop`: a limit ends it, and the error names the limit; `deny`: it fails; `contained`: it may succeed, and changes nothing for others.

use std::sync::Arc;

use tidegate_engine::{Engine, Options, Run};
use tidegate_model::{Change, FailureKind, Outcome, Runnable};

use crate::harness::{Definition, Memory, call, engine_with, event, incoming, json, noon, outgoing, shared, succeeded};

const OURS: &[(&str, &str)] = &[
    ("goto_free_loop", "-- expect: stop\nrepeat local x = 1 until false"),
    ("for_loop", "-- expect: stop\nfor i = 1, 1e18 do end"),
    ("empty_function_calls", "-- expect: stop\nlocal function f() end while true do f() end"),
    ("xpcall_recursive", "-- expect: stop\nlocal function f() xpcall(f, f) return f() end f()"),
    ("pcall_of_pcall", "-- expect: stop\nwhile true do pcall(pcall, pcall, error) end"),
    (
        "error_in_tostring",
        "-- expect: stop\nerror(setmetatable({}, { __tostring = function() while true do end end }))\nwhile true do end",
    ),
    ("loop_in_index", "-- expect: stop\nreturn setmetatable({}, { __index = function() while true do end end }).x"),
    (
        "loop_in_eq",
        "-- expect: stop\nlocal m = { __eq = function() while true do end end } return { a = setmetatable({}, m) == setmetatable({}, m) }",
    ),
    (
        "loop_in_lt",
        "-- expect: stop\nlocal m = { __lt = function() while true do end end } return { a = setmetatable({}, m) < setmetatable({}, m) }",
    ),
    (
        "loop_in_concat",
        "-- expect: stop\nlocal m = { __concat = function() while true do end end } return { a = setmetatable({}, m) .. 'x' }",
    ),
    (
        "loop_in_iter",
        "-- expect: stop\nfor _ in setmetatable({}, { __iter = function() while true do end end }) do end",
    ),
    ("endless_iterator", "-- expect: stop\nfor _ in function() return 1 end do end"),
    ("loop_in_sort", "-- expect: stop\ntable.sort({ 3, 2, 1 }, function() while true do end end)"),
    ("loop_in_gsub", "-- expect: stop\nstring.gsub('aaa', 'a', function() while true do end end)"),
    ("loop_in_coroutine", "-- expect: stop\ncoroutine.wrap(function() while true do end end)()"),
    (
        "coroutines_that_catch",
        "-- expect: stop\nwhile true do coroutine.resume(coroutine.create(function() while true do end end)) end",
    ),
    (
        "coroutine_ping_pong",
        "-- expect: stop\nlocal co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
    ),
    (
        "coroutine_recursion",
        "-- expect: stop\nlocal function f() return coroutine.wrap(f)() end while true do pcall(f) end",
    ),
    (
        "string_sort",
        "-- expect: stop\nlocal s = string.rep('a', 2^20) local t = {} for i = 1, 2e5 do t[i] = s .. (i % 8) end while true do table.sort(t) end",
    ),
    (
        "pattern_set",
        "-- expect: stop\nlocal s = string.rep('a', 2e5) local p = '[' .. string.rep('b', 2e5) .. 'a]*c' return { r = s:find(p) }",
    ),
    (
        "pattern_backtracking",
        "-- expect: stop\nreturn { r = string.find(string.rep('a', 3e4), string.rep('a?', 30) .. string.rep('a', 30) .. 'b') }",
    ),
    ("pattern_gmatch", "-- expect: stop\nfor _ in string.gmatch(string.rep('a', 1e5), '.-.-.-b') do end"),
    ("pattern_match", "-- expect: stop\nreturn { r = string.match(string.rep('a', 1e5), '(.-)(.-)(.-)(.-)b') }"),
    ("pattern_balance", "-- expect: stop\nreturn { r = string.find(string.rep('(', 1e6), '%b()') }"),
    ("pattern_frontier", "-- expect: stop\nwhile true do string.find(string.rep('a', 1e5), '%f[b].-%f[c]') end"),
    (
        "plain_find_often",
        "-- expect: stop\nlocal h = string.rep('a', 1e6) while true do string.find(h, string.rep('a', 1000) .. 'b', 1, true) end",
    ),
    (
        "split_quadratic",
        "-- expect: stop\nlocal h = string.rep('a', 4e6) return { n = #string.split(h, string.rep('a', 2e6) .. 'b') }",
    ),
    ("rep_huge", "-- expect: stop\nreturn { n = #string.rep('abc', 2e9) }"),
    ("rep_pcall", "-- expect: stop\nwhile true do pcall(string.rep, 'x', 1e9) end"),
    ("format_memory", "-- expect: stop\nlocal s = 'x' while true do s = string.format('%s%s', s, s) end"),
    ("gsub_growth", "-- expect: stop\nlocal s = 'xxxxxxxx' while true do s = s:gsub('x', 'xxxxxxxx') end"),
    (
        "concat_growth",
        "-- expect: stop\nlocal t = { string.rep('x', 1e6) } while true do t[#t + 1] = t[1] local _ = table.concat(t) end",
    ),
    ("table_create_huge", "-- expect: stop\nlocal t = {} while true do t[#t + 1] = table.create(1e6, 1) end"),
    ("table_insert_front", "-- expect: stop\nlocal t = {} while true do table.insert(t, 1, 1) end"),
    ("table_move_self", "-- expect: stop\nlocal t = table.create(1e6, 1) while true do table.move(t, 1, #t, 2) end"),
    ("table_clone", "-- expect: stop\nlocal t = table.create(1e5, 1) while true do table.clone(t) end"),
    ("table_find", "-- expect: stop\nlocal t = table.create(1e6, 1) while true do table.find(t, 2) end"),
    ("unpack_call", "-- expect: stop\nlocal t = table.create(7000, 1) while true do math.max(table.unpack(t)) end"),
    ("hash_keys", "-- expect: stop\nlocal t = {} local i = 0 while true do i += 1 t[i * 0.5] = {} end"),
    ("closures", "-- expect: stop\nlocal t = {} while true do local x = {} t[#t + 1] = function() return x end end"),
    ("buffers_small", "-- expect: stop\nlocal t = {} while true do t[#t + 1] = buffer.create(1000) end"),
    ("utf8_work", "-- expect: stop\nlocal s = string.rep('ä', 1e6) while true do utf8.len(s) end"),
    ("json_encode_work", "-- expect: stop\nlocal t = table.create(1e5, 1) while true do json.encode(t) end"),
    ("json_encode_shared", "-- expect: stop\nlocal t = {} for i = 1, 40 do t = { t, t } end json.encode(t)"),
    (
        "json_decode_work",
        "-- expect: stop\nlocal s = '[' .. string.rep('1,', 1e5) .. '1]' while true do json.decode(s) end",
    ),
    (
        "json_decode_keep",
        "-- expect: stop\nlocal s, keep = '[' .. string.rep('{},', 1e5) .. '1]', {} while true do keep[#keep + 1] = json.decode(s) end",
    ),
    ("crypto_work", "-- expect: stop\nlocal s = string.rep('x', 1e6) while true do crypto.sha512(s) end"),
    (
        "base64_work",
        "-- expect: stop\nlocal s = string.rep('x', 1e6) while true do base64.decode(base64.encode(s)) end",
    ),
    ("url_work", "-- expect: stop\nlocal s = string.rep('%', 1e6) while true do url.encode(s) end"),
    ("log_many_empty", "-- expect: stop\nwhile true do log() end"),
    ("log_one_huge", "-- expect: stop\nlog(string.rep('x', 1e6))"),
    ("log_pcall", "-- expect: stop\nwhile true do pcall(log, string.rep('x', 1e4)) end"),
    ("log_big_table", "-- expect: stop\nlog(table.create(1e6, 'xxxxxxxx'))"),
    (
        "result_huge",
        "-- expect: stop\nlocal t = {} for i = 1, 30000 do t[i] = string.rep('x', 100) end return { t = t }",
    ),
    ("result_huge_string", "-- expect: stop\nreturn { s = string.rep('x', 2e6) }"),
    ("result_shared", "-- expect: stop\nlocal t = { 'x' } for i = 1, 40 do t = { t, t } end return { t = t }"),
    ("many_http_calls", "-- expect: stop\nwhile true do pcall(http.get, 'http://10.0.0.1/') end"),
    ("many_object_calls", "-- expect: stop\nwhile true do objects.get('Order', 'none') end"),
    ("many_bad_calls", "-- expect: stop\nwhile true do pcall(http.request) pcall(objects.get) end"),
    (
        "pattern_recursion",
        "-- expect: stop\nreturn { r = string.find(string.rep('a', 1000), string.rep('(a?)', 30) .. string.rep('a?', 300)) }",
    ),
    ("log_tostring", "-- expect: stop\nlog(setmetatable({}, { __tostring = function() while true do end end }))"),
    (
        "error_tostring_recursion",
        "-- expect: deny\nlocal m = {} m.__tostring = function(t) return tostring(t) end error(setmetatable({}, m))",
    ),
    ("unpack_too_much", "-- expect: stop\nreturn { n = select('#', table.unpack({}, 1, 1e8)) }"),
    ("byte_too_much", "-- expect: stop\nreturn { n = select('#', string.byte(string.rep('x', 2e7), 1, -1)) }"),
    (
        "invalid_order",
        "-- expect: stop\nlocal t = {} for i = 1, 1000 do t[i] = i end while true do pcall(table.sort, t, function() return true end) end",
    ),
    (
        "index_chain",
        "-- expect: stop\nlocal t = {} for i = 1, 99 do t = setmetatable({}, { __index = t }) end while true do local _ = t.x end",
    ),
    ("varargs", "-- expect: stop\nlocal function f(...) return f(1, ...) end f()"),
    (
        "iterator_factory",
        "-- expect: stop\nfor w in string.gmatch(string.rep('a ', 1e6), '%a') do string.rep(w, 1000) end while true do end",
    ),
    (
        "coroutine_close",
        "-- expect: stop\nwhile true do local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) coroutine.close(co) end",
    ),
    (
        "close_the_parent",
        "-- expect: stop\nlocal root = coroutine.running() coroutine.wrap(function() pcall(coroutine.close, root) pcall(coroutine.resume, root) while true do end end)()",
    ),
    (
        "string_pack",
        "-- expect: stop\nlocal t = {} while true do t[#t + 1] = string.pack('z', string.rep('x', 1e5) .. #t) end",
    ),
    (
        "number_text_bomb",
        "-- expect: stop\nlocal n = json.decode('1' .. string.rep('0', 300)) while true do n = n * n + n end",
    ),
    (
        "exact_concat",
        "-- expect: stop\nlocal n = json.decode('9007199254740993') local s = '' while true do s = s .. n end",
    ),
    ("error_in_error", "-- expect: deny\nxpcall(error, function() error('again') end) error(error)"),
    ("error_nil", "-- expect: deny\nerror(nil)"),
    ("error_host_value", "-- expect: deny\nerror(json.null)"),
    ("error_invalid_utf8", "-- expect: deny\nerror('\\255\\254')"),
    ("error_huge", "-- expect: deny\nerror(string.rep('x', 1e6))"),
    ("log_many_values", "-- expect: deny\nlog(table.unpack(table.create(9e5, {}), 1, 9e5))"),
    ("return_many_values", "-- expect: deny\nreturn 1, table.unpack(table.create(9e5, {}), 1, 9e5)"),
    ("yield_many_values", "-- expect: deny\ncoroutine.yield(table.unpack(table.create(9e5, {}), 1, 9e5))"),
    ("ask_with_many_values", "-- expect: deny\nobjects.get('Order', 'x', table.unpack(table.create(9e5, {}), 1, 9e5))"),
    ("fail_with_many_values", "-- expect: deny\nfail(table.unpack(table.create(9e5, {}), 1, 9e5))"),
    ("encode_many_values", "-- expect: deny\njson.encode(table.unpack(table.create(9e5, {}), 1, 9e5))"),
    (
        "many_coroutines_deep",
        "-- expect: stop\nlocal function deep(n) if n == 0 then while true do end end return coroutine.wrap(deep)(n - 1) end deep(150)",
    ),
    ("math_random_loop", "-- expect: stop\nwhile true do math.random() end"),
    ("bit_loop", "-- expect: stop\nwhile true do bit32.band(1, 2) end"),
    ("cycle_in_array", "-- expect: deny\nlocal t = {} t[1] = t return { t = t }"),
    ("result_with_host_values", "-- expect: deny\nreturn { f = log, g = json.encode }"),
    ("yield_at_the_top", "-- expect: deny\ncoroutine.yield(1)"),
    ("forged_request", "-- expect: deny\ncoroutine.yield({}, 'http', { url = 'http://127.0.0.1/' })"),
    ("yield_forever", "-- expect: deny\nwhile true do coroutine.yield() end"),
    ("read_only_json", "-- expect: deny\njson.null = 1"),
    ("read_only_string", "-- expect: deny\nstring.upper = 1"),
    ("read_only_array_mark", "-- expect: deny\ngetmetatable(json.array{}).__index = function() end"),
    ("read_only_globals", "-- expect: deny\ngetmetatable(_G).__index.x = 1"),
    ("string_escape", "-- expect: deny\ngetmetatable('').__index = nil"),
    ("null_escape", "-- expect: deny\ngetmetatable(json.null).__tostring = nil"),
    (
        "http_metatable",
        "-- expect: contained\nsetmetatable(headers or {}, nil) pcall(function() getmetatable(headers).__index = nil end) return {}",
    ),
    (
        "number_metatable",
        "-- expect: contained\nlocal n = json.decode('9007199254740993') pcall(function() getmetatable(n).__add = nil end) return { n = n + 1 }",
    ),
    (
        "global_writes",
        "-- expect: contained\nfor i = 1, 100 do _G['v' .. i] = i end string2 = string PWNED = true return {}",
    ),
    (
        "rawset_env",
        "-- expect: contained\nrawset(_G, 'ipairs', nil) rawset(_G, 'tostring', function() return 'PWNED' end) return {}",
    ),
    ("random_seed", "-- expect: contained\nmath.randomseed(42) return { n = math.random(1000) }"),
    (
        "unfinished_coroutine",
        "-- expect: contained\nco = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) return {}",
    ),
    (
        "frozen_things",
        "-- expect: contained\npcall(table.freeze, _G) pcall(table.freeze, string) pcall(table.clear, string) pcall(table.clear, _G) return {}",
    ),
];

/// Everything that a script before may have spoiled.
const CLEAN: &str = r#"
    assert(leak == nil and PWNED == nil and string2 == nil and v1 == nil and co == nil, "a global survived")
    assert(("abc"):upper() == "ABC" and ("a,b"):split(",")[2] == "b", "string")
    assert(math.floor(1.5) == 1 and type(ipairs) == "function" and tostring(1) == "1", "globals")
    local n = 0 for w in ("a b c"):gmatch("%a") do n += 1 end assert(n == 3, "gmatch")
    local t = {} table.insert(t, 1) table.sort(t) assert(#t == 1, "table")
    assert(json.encode(json.decode('{"a":[null]}')) == '{"a":[null]}' and tostring(json.null) == "null", "json")
    assert(rawget(_G, "anything") == nil and getmetatable("") == false, "metatables")
    log("fine")
    return { ok = true }
"#;

fn corpus() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = OURS.iter().map(|(n, s)| ((*n).to_owned(), (*s).to_owned())).collect();
    let Some(folder) = shared("corpora/sandbox") else { return all };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        all.push((name, std::fs::read_to_string(file).unwrap()));
    }
    all
}

const LIMITS: [&str; 10] = [
    "CPU time limit",
    "wall time limit",
    "memory limit",
    "instruction limit",
    "log size limit",
    "result size limit",
    "result depth limit",
    "HTTP call limit",
    "object call limit",
    "limit reached",
];

/// What is wrong with how it ended, if anything is.
fn fault(source: &str, run: &Run) -> Option<String> {
    let expected = source.lines().next().unwrap();
    let fits = match &run.outcome {
        Outcome::Failed(failure) if failure.message.contains("tidegate:") => false,
        Outcome::Failed(failure) if expected.contains("expect: stop") => {
            failure.kind == FailureKind::Limit && LIMITS.iter().any(|limit| failure.message.contains(limit))
        }
        Outcome::Failed(failure) if expected.contains("expect: deny") => failure.kind != FailureKind::Platform,
        Outcome::Failed(failure) => expected.contains("expect: contained") && failure.kind == FailureKind::Script,
        Outcome::Succeeded(_) | Outcome::Skipped(_) => expected.contains("expect: contained"),
    };
    (!fits).then(|| format!("{expected}: {:?}", run.outcome))
}

async fn perform(engine: &Engine, definition: Runnable) -> Run {
    let change = Change::Update { old: json(r#"{"a":1}"#), new: json(r#"{"a":2}"#) };
    let outgoing = matches!(definition.integration.direction, tidegate_model::Direction::Outgoing { .. });
    let definition = Arc::new(definition);
    if outgoing {
        engine.run_outgoing(&definition, &event(change), noon()).await
    } else {
        engine.run_incoming(&definition, &call(r#"{"a":[1,2,3]}"#)).await
    }
}

async fn attack(place: impl Fn(&str) -> Runnable) {
    let engine = engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()));
    let mut faults = Vec::new();
    for (name, source) in corpus() {
        let run = perform(&engine, place(&source)).await;
        faults.extend(fault(&source, &run).map(|what| format!("{name}: {what}")));
        let after = perform(&engine, incoming(CLEAN)).await;
        assert_eq!(succeeded(&after), serde_json::json!({"ok": true}), "after {name}");
        assert_eq!(after.log.len(), 1, "after {name}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_core_logic_of_incoming_integrations_harms_nobody() {
    attack(incoming).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_core_logic_of_outgoing_integrations_harms_nobody() {
    attack(outgoing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_enable_logic_of_incoming_integrations_harms_nobody() {
    attack(|source| incoming("return {}").enabled_by(source)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_enable_logic_of_outgoing_integrations_harms_nobody() {
    attack(|source| outgoing("return {}").enabled_by(source)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_scripts_side_by_side_leave_honest_runs_alone() {
    let engine = engine_with(Options { threads: 2, ..Options::default() }, Arc::new(Memory::default()));
    let corpus = corpus();
    let hostile = corpus.iter().enumerate().map(|(i, (name, source))| {
        let (engine, definition) = (engine.clone(), incoming(source).of(&format!("t{}", i % 5)));
        async move { fault(source, &perform(&engine, definition).await).map(|what| format!("{name}: {what}")) }
    });
    let honest = (0..100).map(|i| {
        let (engine, definition) = (engine.clone(), incoming(CLEAN).of(&format!("t{}", i % 7)));
        async move {
            let run = perform(&engine, definition).await;
            matches!(run.outcome, Outcome::Succeeded(_)).then_some(()).ok_or(run.outcome)
        }
    });
    let (hostile, honest) =
        futures::future::join(futures::future::join_all(hostile), futures::future::join_all(honest)).await;
    let faults: Vec<_> = hostile.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(honest, vec![Ok(()); 100]);
}
