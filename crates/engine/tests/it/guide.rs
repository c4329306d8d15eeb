//! The examples of `docs/scripting.md` do what the guide says.

use std::path::PathBuf;
use std::sync::Arc;

use tidegate_engine::{Compiles, Options};
use tidegate_model::Json;
use tidegate_model::contract::ScriptCheck;

use crate::harness::{Memory, call, engine_with, incoming, succeeded};

/// The fenced blocks of a text: what stands behind the fence, and what is inside.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind, inside.join("\n")));
        }
    }
    blocks
}

#[tokio::test]
async fn every_example_of_the_guide_gives_what_stands_under_it() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/scripting.md");
    let guide = std::fs::read_to_string(file).unwrap();
    let blocks = blocks(&guide);
    let body = &blocks.iter().find(|(kind, _)| *kind == "json call").unwrap().1;
    let mut call = call(body);
    call.headers = vec![("x-shop".to_owned(), "north".to_owned())];
    let mut run = 0;
    for (i, (kind, source)) in blocks.iter().enumerate() {
        match *kind {
            "lua" => {
                let engine = engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()));
                let done = engine.run_incoming(&Arc::new(incoming(source)), &call).await;
                let (kind, expected) = &blocks[i + 1];
                assert_eq!(*kind, "json", "{source}");
                assert_eq!(succeeded(&done), Json::parse(expected.as_str()).unwrap().to_value(), "{source}");
                run += 1;
            }
            "lua no-run" => assert_eq!(Compiles.check(source), Ok(()), "{source}"),
            _ => {}
        }
    }
    assert!(run >= 5, "{run}");
}
