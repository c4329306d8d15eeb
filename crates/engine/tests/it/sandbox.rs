//! Hostile scripts: the shared corpus, and attacks of our own. The first line of each says what is expected:
//! `stop`: a limit ends it, and the error names the limit; `deny`: it fails; `contained`: it may succeed, and changes nothing for others.

use std::sync::Arc;
use std::time::Duration;

use tidegate_engine::{Engine, Limits, Options, Run};
use tidegate_model::{Change, FailureKind, Outcome, Runnable};

use crate::attacks::attacks;
use crate::harness::{Definition, Memory, call, engine_with, event, incoming, json, noon, outgoing, shared, succeeded};

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
    let mut all: Vec<(String, String)> = attacks().map(|(n, s)| (n.to_owned(), s.to_owned())).collect();
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
    let mut limits = Limits::default();
    // All of them wait for each other here, and for whatever else the machine does.
    (limits.enable.wall, limits.incoming.wall) = (Duration::from_mins(2), Duration::from_mins(2));
    let engine = engine_with(Options { threads: 2, limits, ..Options::default() }, Arc::new(Memory::default()));
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
