//! Clients in another language: what Tidegate says of itself is enough to write one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Mode, Tidegate, in_every_mode};

in_every_mode!(
    the_story_of_an_integration_system_is_told_over_grpc,
    the_story_of_an_integration_system_is_told_over_graphql
);

async fn the_story_of_an_integration_system_is_told_over_grpc(mode: Mode) {
    tell(mode, |tidegate| {
        let address = tidegate.director("").trim_start_matches("http://").to_owned();
        ["grpc".to_owned(), address, workspace().join("proto").display().to_string()]
    })
    .await;
}

async fn the_story_of_an_integration_system_is_told_over_graphql(mode: Mode) {
    tell(mode, |tidegate| {
        let schema = workspace().join("crates/director/schema.graphql");
        ["graphql".to_owned(), tidegate.director("/graphql"), schema.display().to_string()]
    })
    .await;
}

/// Runs `tests/clients/seed_000.py` against a Tidegate of its own.
async fn tell(mode: Mode, face: impl Fn(&Tidegate) -> [String; 3]) {
    let Ok(python) = std::env::var("TIDEGATE_TEST_PYTHON") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("skipped: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
        return;
    };
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let admin = tidegate.admin();
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/seed_000.py"))
        .args(face(&tidegate))
        .args([tidegate.credentials("/oauth2/token"), admin.client_id.clone()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let secret = admin.client_secret.clone();
    let told = tokio::task::spawn_blocking(move || {
        use std::io::Write as _;
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{secret}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let told = told.await.unwrap();
    let said = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "{}\n{:#?}", String::from_utf8_lossy(&said), tidegate.said());
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
