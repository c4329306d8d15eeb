//! What one tenant's runs, or callers, do to others: nothing that the others notice.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::json;
use tidegate_engine::{Limits, Options, Time};
use tidegate_model::FailureKind;

use crate::harness::{Definition, Memory, call, engine_with, failed, incoming, run, succeeded};

fn one_thread(cpu_ms: u64) -> Options {
    let time = |ms| Time { cpu: std::time::Duration::from_millis(ms), wall: std::time::Duration::from_mins(1) };
    let limits = Limits { enable: time(cpu_ms), incoming: time(cpu_ms), outgoing: time(cpu_ms), ..Limits::default() };
    Options { threads: 1, limits, ..Options::default() }
}

#[tokio::test]
async fn hogs_share_their_thread() {
    let engine = engine_with(one_thread(400), Arc::new(Memory::default()));
    let mut runs = FuturesUnordered::new();
    for hog in ["a", "b", "c", "d"] {
        runs.push(run(&engine, incoming("while true do end").of(hog), "{}"));
    }
    runs.push(run(&engine, incoming("return { quick = true }").of("e"), "{}"));
    let first = runs.next().await.unwrap();
    assert_eq!(succeeded(&first), json!({"quick": true}));
    while let Some(hog) = runs.next().await {
        assert!(failed(&hog).message.contains("CPU time limit"), "{}", failed(&hog).message);
    }
}

#[tokio::test]
async fn a_hog_keeps_no_answer_from_earlier_runs_of_its_own_integration() {
    let engine = engine_with(one_thread(2_000), Arc::new(Memory::default()));
    let mut runs = FuturesUnordered::new();
    let quick = std::iter::repeat_n("return { quick = true }", 3);
    for core in quick.chain(["while true do end"]) {
        runs.push(run(&engine, incoming(core), "{}"));
    }
    for _ in 0..3 {
        assert_eq!(succeeded(&runs.next().await.unwrap()), json!({"quick": true}));
    }
    // The hog is alone by now, and has two seconds of CPU.
    for _ in 0..100 {
        assert!(futures::poll!(runs.next()).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(failed(&runs.next().await.unwrap()).kind, FailureKind::Limit);
}

#[tokio::test]
async fn a_burst_of_one_integration_is_answered_whoever_of_its_callers_goes() {
    let engine = engine_with(one_thread(1_000), Arc::new(Memory::default()));
    let once = Arc::new(incoming("return { n = parameters.n }"));
    for round in 0..20 {
        let runs = (0..64).map(|n| {
            let (engine, once) = (&engine, Arc::clone(&once));
            async move {
                let call = call(&format!("{{\"n\":{n}}}"));
                let run = engine.run_incoming(&once, &call);
                if n % 3 == round % 3 {
                    // Goes again after some of them have been begun.
                    let _ = tokio::time::timeout(std::time::Duration::from_micros(n * 10), run).await;
                    return;
                }
                assert_eq!(succeeded(&run.await), json!({"n": n}));
            }
        });
        futures::future::join_all(runs).await;
    }
}

#[tokio::test]
async fn a_hog_within_a_coroutine_of_its_own_is_stopped_too() {
    let engine = engine_with(one_thread(50), Arc::new(Memory::default()));
    let hog = "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()";
    let runs = (0..4).map(|_| run(&engine, incoming(hog), "{}"));
    for done in futures::future::join_all(runs).await {
        let message = &failed(&done).message;
        assert!(message.starts_with("shop-orders/core:1: CPU time limit reached (50 ms)"), "{message}");
    }
}

/// Keys whose hashes agree in their low 16 bits: Luau's hash of short strings has no seed.
fn colliding_keys(count: usize) -> Vec<String> {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    let step = |hash: u32, byte: u8| hash ^ (hash << 5).wrapping_add(hash >> 2).wrapping_add(u32::from(byte));
    let mut keys = Vec::with_capacity(count);
    for last in ALPHABET {
        for fifth in ALPHABET {
            let begun = step(step(6, *last), *fifth);
            for a in ALPHABET {
                let a_hash = step(begun, *a);
                for b in ALPHABET {
                    let b_hash = step(a_hash, *b);
                    for c in ALPHABET {
                        let c_hash = step(b_hash, *c);
                        // The one last step that makes the low bits zero; seldom a character of ours.
                        let sought = c_hash.wrapping_sub(c_hash << 5).wrapping_sub(c_hash >> 2) & 0xffff;
                        let sought = u8::try_from(sought).ok().filter(u8::is_ascii_alphanumeric);
                        let Some(d) = sought else { continue };
                        keys.push([d, *c, *b, *a, *fifth, *last].map(char::from).iter().collect());
                        if keys.len() == count {
                            assert!(step(c_hash, d).trailing_zeros() >= 16);
                            return keys;
                        }
                    }
                }
            }
        }
    }
    keys
}

#[tokio::test]
async fn a_body_crafted_against_the_hash_table_ends_at_the_cpu_limit() {
    let pairs = |keys: &[String]| {
        let pairs: Vec<_> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let engine = engine_with(one_thread(300), Arc::new(Memory::default()));
    let honest: Vec<_> = (0..30_000).map(|i| format!("k{i:05}")).collect();
    let crafted = colliding_keys(30_000);
    for core in [
        "return { there = parameters ~= nil }",
        "return { there = json.decode(rawBody) ~= nil }",
        "return { there = url.parse_query(rawBody) ~= nil }",
    ] {
        let perform = async |keys: &[String]| {
            let mut call = crate::harness::call(&pairs(keys));
            if core.contains("parse_query") {
                call.raw_body = keys.join("&").as_bytes().into();
            }
            engine.run_incoming(&Arc::new(incoming(core)), &call).await
        };
        assert_eq!(succeeded(&perform(&honest).await), json!({"there": true}), "{core}");
        let done = perform(&crafted).await;
        assert_eq!(failed(&done).kind, FailureKind::Limit, "{core}: {}", failed(&done).message);
        assert!(failed(&done).message.starts_with("shop-orders/core:1: CPU time limit"), "{}", failed(&done).message);
        let next = run(&engine, incoming("return { fine = true }"), "{}").await;
        assert_eq!(succeeded(&next), json!({"fine": true}), "{core}");
    }
}

#[tokio::test]
async fn a_body_crafted_against_the_parser_is_refused_or_read_within_the_limits() {
    let engine = engine_with(one_thread(300), Arc::new(Memory::default()));
    let core = "return { ok = pcall(json.decode, rawBody) }";
    for (body, reads) in [
        ("[".repeat(1 << 20), false),
        ("{\"\":".repeat(1 << 18), false),
        (format!("{}{}", "[".repeat(65), "]".repeat(65)), false),
        (format!("{}{}", "[".repeat(64), "]".repeat(64)), true),
        (format!("[{}]", "\"\\ud800".repeat(100_000)), false),
        (format!("\"{}\"", "\\ud83d\\ude00".repeat(80_000)), true),
        (format!("[{}1]", "1e999,".repeat(100_000)), false),
        (format!("[{}1]", "0.30000000000000004,".repeat(20_000)), true),
        (format!("[0.{}1]", "0".repeat(1 << 20)), true),
        (format!("[{}]", "9".repeat(300)), true),
        (format!("[{}]", "9".repeat(1 << 20)), false),
        (format!("[1{}", " ".repeat(1 << 20)), false),
        (format!("{}1", " \n\t".repeat(1 << 18)), true),
        ("\u{feff}{}".to_owned(), false),
        ("{\"a\":1,}".to_owned(), false),
        ("nul".to_owned(), false),
    ] {
        // Handed over as it came: what the gateway itself would refuse reaches the script's own reader as a text.
        let mut call = crate::harness::call("{}");
        call.raw_body = body.as_bytes().into();
        let done = engine.run_incoming(&Arc::new(incoming(core)), &call).await;
        let start: String = body.chars().take(20).collect();
        assert_eq!(succeeded(&done), json!({ "ok": reads }), "{start}");
    }
}

/// Runs every attack, some at once, from many tenants.
async fn hostile_runs(engine: &tidegate_engine::Engine, rounds: usize) {
    let all = (0..rounds).flat_map(|_| crate::attacks::attacks());
    let runs = all.enumerate().map(|(i, (_, source))| {
        let definition = if i % 2 == 0 { incoming(source) } else { incoming("return {}").enabled_by(source) };
        run(engine, definition.of(&format!("t{}", i % 40)), "{}")
    });
    let mut ended = futures::stream::iter(runs).buffer_unordered(8);
    while ended.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_hostile_runs_in_a_row_do_not_make_the_process_large() {
    let engine = engine_with(Options { threads: 2, ..one_thread(50) }, Arc::new(Memory::default()));
    hostile_runs(&engine, 1).await;
    let first = resident_mib();
    hostile_runs(&engine, 2).await;
    if let (Some(first), Some(last)) = (first, resident_mib()) {
        // Other tests run in this process, too.
        assert!(last < first + 384, "{first} MiB, then {last} MiB");
    }
    assert_eq!(succeeded(&run(&engine, incoming("return { fine = true }"), "{}").await), json!({"fine": true}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_runs_overtake_the_hogs_of_other_tenants() {
    let engine = engine_with(one_thread(2_000), Arc::new(Memory::default()));
    // Each hog has two seconds of CPU; whoever waited for them all would come last.
    let hogs = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local s = 'a' while true do s = s:upper():lower() end",
        "local s = '[1,2,3]' while true do json.decode(s) end",
        "local function deep(n) if n == 0 then while true do end end coroutine.wrap(deep)(n - 1) end deep(20)",
    ];
    let mut under_way = FuturesUnordered::new();
    for (i, hog) in hogs.iter().enumerate() {
        under_way.push(run(&engine, incoming(hog).of(&format!("hog-{i}")), "{}"));
    }
    for i in 0..20 {
        let honest = run(&engine, incoming("return { n = parameters.n }").of("honest"), "{\"n\":1}");
        tokio::pin!(honest);
        loop {
            tokio::select! {
                biased;
                done = &mut honest => {
                    assert_eq!(succeeded(&done), json!({"n": 1}));
                    break;
                }
                Some(hog) = under_way.next() => assert_eq!(failed(&hog).kind, FailureKind::Limit),
            }
        }
        // Ten seconds of hogs on one thread, and every honest run so far went by all of them.
        assert!(i > 3 || under_way.len() == hogs.len(), "{} hogs left after {i} runs", under_way.len());
    }
    while let Some(hog) = under_way.next().await {
        assert_eq!(failed(&hog).kind, FailureKind::Limit);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_whose_scripts_do_not_give_way_runs_apart_from_then_on() {
    let engine = engine_with(one_thread(3_000), Arc::new(Memory::default()));
    // Within a comparator Lua cannot yield.
    let hog = || run(&engine, incoming("table.sort({ 2, 1 }, function() while true do end end)").of("hog"), "{}");
    let honest = || run(&engine, incoming("return { fine = true }").of("honest"), "{}");
    // The first time somebody has to wait for it.
    let (first, waited) = futures::join!(hog(), honest());
    assert_eq!((failed(&first).kind, succeeded(&waited)), (FailureKind::Limit, json!({"fine": true})));
    let (begun, mut again) = (engine.counts().scripts, Box::pin(hog()));
    while engine.counts().scripts == begun {
        assert!(futures::poll!(again.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        assert_eq!(succeeded(&honest().await), json!({"fine": true}));
    }
    // Twenty runs take nothing like the three seconds of CPU time that it has.
    assert!(futures::poll!(again.as_mut()).is_pending());
    assert_eq!(failed(&again.await).kind, FailureKind::Limit);
}

#[tokio::test]
async fn turns_that_are_over_do_not_disturb_a_scripts_own_coroutines() {
    let engine = engine_with(one_thread(5_000), Arc::new(Memory::default()));
    let busy = "
        local made, values = 0, {}
        local nothing = coroutine.wrap(function()
            while true do for i = 1, 3e5 do end made += 1 coroutine.yield() end
        end)
        local nested = coroutine.wrap(function()
            for n in coroutine.wrap(function() for n = 1, 50 do for i = 1, 3e5 do end coroutine.yield(n) end end) do
                coroutine.yield(n, nil)
            end
        end)
        for n = 1, 50 do
            assert(select('#', nothing()) == 0 and made == n, made)
            local sorted = { 3, 1, 2 }
            table.sort(sorted, function(a, b)
                for _ in coroutine.wrap(function() for i = 1, 1e4 do end end) do end
                return a < b
            end)
            values[n] = nested() + sorted[1] - 1
        end
        return { made = made, values = values }";
    let runs = (0..4).map(|i| run(&engine, incoming(busy).of(&format!("t{i}")), "{}"));
    for done in futures::future::join_all(runs).await {
        assert_eq!(succeeded(&done), json!({"made": 50, "values": (1..=50).collect::<Vec<_>>()}));
    }
}

#[tokio::test]
async fn a_body_that_no_script_looks_at_costs_nothing() {
    let engine = engine_with(one_thread(5), Arc::new(Memory::default()));
    let body = format!("[{}1]", "1,".repeat(500_000));
    assert_eq!(succeeded(&run(&engine, incoming("return {}"), &body).await), json!({}));
}

#[tokio::test]
async fn memory_hogs_leave_nothing_behind() {
    let engine = engine_with(one_thread(250), Arc::new(Memory::default()));
    let hog = "local keep = {} while true do keep[#keep + 1] = string.rep('x', 65536) .. #keep end";
    let mut stopped_by_memory = 0;
    for i in 0..60 {
        let done = run(&engine, incoming(hog).of(&format!("t{}", i % 7)), "{}").await;
        stopped_by_memory += usize::from(failed(&done).message.contains("memory limit reached (32 MiB)"));
    }
    assert!(stopped_by_memory > 40, "{stopped_by_memory}");
    if let Some(resident) = resident_mib() {
        assert!(resident < 512, "{resident} MiB");
    }
}

/// What the process holds in memory now; `None` where the system does not tell.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

#[tokio::test]
async fn more_tenants_than_kept_machines_are_served() {
    let options = Options { idle_machines: 2, ..one_thread(100) };
    let engine = engine_with(options, Arc::new(Memory::default()));
    for i in 0..30 {
        let done =
            run(&engine, incoming("seen = (seen or 0) + 1 return { seen = seen }").of(&format!("t{}", i % 5)), "{}")
                .await;
        assert_eq!(succeeded(&done), json!({"seen": 1}));
    }
}

#[tokio::test]
async fn a_tenant_whose_runs_all_wait_does_not_keep_others_waiting() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let waiting = format!("http.get('http://{}/') return {{}}", silent.local_addr().unwrap());
    let options = Options { runs_per_thread: 4, runs_per_tenant: 2, ..one_thread(100) };
    let engine = engine_with(options, Arc::new(Memory::default()));
    let mut waiters: FuturesUnordered<_> = (0..10).map(|_| run(&engine, incoming(&waiting).of("slow"), "{}")).collect();
    // Two of them are under way once both have connected.
    let mut connections = Vec::new();
    while connections.len() < 2 {
        tokio::select! {
            Ok(connection) = silent.accept() => connections.push(connection),
            Some(ended) = waiters.next() => panic!("{ended:?}"),
        }
    }
    let quick = run(&engine, incoming("return { quick = true }").of("quick"), "{}");
    tokio::select! {
        done = quick => assert_eq!(succeeded(&done), json!({"quick": true})),
        Some(ended) = waiters.next() => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn compiling_is_not_on_the_runs_account() {
    let engine = engine_with(one_thread(5), Arc::new(Memory::default()));
    let lines: Vec<_> = (0..4000).map(|i| format!("function f{i}(x) return x + {i} end")).collect();
    let long = format!("if parameters == nil then\n{}\nend\nreturn {{ ok = true }}", lines.join("\n"));
    assert_eq!(succeeded(&run(&engine, incoming(&long), "{}").await), json!({"ok": true}));
}
