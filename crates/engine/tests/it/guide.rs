//! `docs/scripting.md`: its examples run, and it is what they say.
//!
//! `guide/guide.md` is the text; a line `{json/encode}` in it stands for the example `guide/json/encode.lua`. Where an example calls
//! `https://shop.example`, it reaches a server of ours.

mod example;
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_engine::{Limits, Options, Run};

use crate::harness::{Definition, Memory, engine, engine_of, event, incoming, noon, outgoing, result, run};
use example::{Example, Given};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/guide")
}

/// All examples, by the name that the text calls them.
fn examples() -> BTreeMap<String, Example> {
    let mut all = BTreeMap::new();
    for topic in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(&topic).unwrap().map(|entry| entry.unwrap().path()) {
            let name = format!("{}/{}", last(&topic), last(&file.with_extension("")));
            all.insert(name, Example::read(&std::fs::read_to_string(&file).unwrap()));
        }
    }
    assert!(all.len() > 40, "the examples were not found");
    all
}

fn last(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The guide, from its text, its examples and the limits.
fn guide() -> String {
    let mut guide = String::new();
    for line in std::fs::read_to_string(folder().join("guide.md")).unwrap().lines() {
        match line.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some("limits") => guide.push_str(&limits(&Limits::default())),
            Some(name) => {
                let example = examples().remove(name).unwrap_or_else(|| panic!("there is no example {name}"));
                guide.push_str(&example.markdown());
            }
            None => guide.push_str(line),
        }
        guide.push('\n');
    }
    guide
}

fn limits(limits: &Limits) -> String {
    let time = |time: tidegate_engine::Time| format!("{:?} of CPU, {:?} by the clock", time.cpu, time.wall);
    let rows = [
        ("time of enable logic", time(limits.enable)),
        ("time of incoming core logic", time(limits.incoming)),
        ("time of outgoing core logic", time(limits.outgoing)),
        ("memory", format!("{} MiB", limits.memory >> 20)),
        ("result, as JSON", format!("{} MiB, {} levels", limits.result >> 20, tidegate_model::MAX_DEPTH)),
        ("log of a run", format!("{} KiB", limits.log >> 10)),
        ("HTTP calls of a run", limits.http_calls.to_string()),
        ("one HTTP call", format!("{:?}", limits.http_timeout)),
        ("body of an HTTP answer", format!("{} MiB, then cut", limits.http_response >> 20)),
        ("calls of `objects` of a run", limits.object_calls.to_string()),
    ];
    let rows: Vec<_> = rows.iter().map(|(what, bound)| format!("| {what} | {bound} |")).collect();
    format!("| limit | unless the operator set another |\n| --- | --- |\n{}", rows.join("\n"))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "scripts/generate says where it wants the guide")]
fn the_committed_guide_is_what_the_examples_say() {
    const PLACE: &str = "docs/scripting.md";
    if let Ok(folder) = std::env::var("TIDEGATE_GENERATE") {
        return std::fs::write(Path::new(&folder).join(PLACE), guide()).unwrap();
    }
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PLACE);
    let stale = std::fs::read_to_string(committed).unwrap_or_default() != guide();
    assert!(!stale, "{PLACE} is stale; run scripts/generate");
}

#[test]
fn the_guide_shows_every_example_once() {
    let text = std::fs::read_to_string(folder().join("guide.md")).unwrap();
    for name in examples().keys() {
        assert_eq!(text.lines().filter(|line| *line == format!("{{{name}}}")).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn every_example_of_the_guide_ends_as_it_says() {
    let shop = shop::open().await;
    let mut wrong = Vec::new();
    for (name, example) in examples() {
        let done = perform(&example, &shop.reached_from(&example.code)).await;
        wrong.extend(example.differs_from(&done).map(|how| format!("{name}: {how}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn perform(example: &Example, code: &str) -> Run {
    let mut limits = Limits::default();
    limits.incoming.wall = example.wall.unwrap_or(limits.incoming.wall);
    let options = Options { threads: 1, limits, ..Options::default() };
    let engine = engine_of(options, Arc::new(Memory::default()), Some(shop::vault()));
    match &example.given {
        Given::Call(body) if example.enables => run(&engine, incoming("return {}").enabled_by(code), body).await,
        Given::Call(body) => run(&engine, incoming(code), body).await,
        Given::Event(change) => engine.run_outgoing(&Arc::new(outgoing(code)), &event(change.clone()), noon()).await,
    }
}

/// The names of the libraries, from where they are made.
fn libraries() -> BTreeSet<String> {
    let prelude = include_str!("../../src/prelude.lua");
    let pure = include_str!("../../src/library/mod.rs");
    let faces =
        prelude.lines().filter_map(|line| line.strip_prefix("library.")?.split_once(" = ")).map(|(name, _)| name);
    let natives = pure.lines().filter_map(|line| line.trim().strip_prefix("pure.raw_set(\"")?.split_once('"'));
    faces.chain(natives.map(|(name, _)| name)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_function_of_the_libraries_has_an_example() {
    let engine = engine();
    let mut functions = BTreeSet::new();
    for library in libraries() {
        let core = format!(
            "local names = {{}}
            if type({library}) == 'table' then for name in pairs({library}) do table.insert(names, '{library}.' .. name) end
            else names = {{ '{library}' }} end
            return {{ names = names }}"
        );
        let Value::Array(names) = result(&engine, &core).await["names"].take() else { panic!("{library}") };
        functions.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
    }
    assert!(functions.contains("json.encode") && functions.contains("crypto.hmac") && functions.contains("fail"));
    let examples = examples();
    let shown = |name: &str| examples.values().any(|example| example.shows(name));
    let missing: Vec<_> = functions.iter().filter(|name| !shown(name)).collect();
    assert_eq!(json!(missing), json!([]), "write an example for each in tests/it/guide/");
}
