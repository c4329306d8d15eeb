//! Clients in another language: what Tidegate says of itself is enough to write one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Mode, Tidegate, in_every_mode};

in_every_mode!(
    the_story_of_an_integration_system_is_told_over_grpc,
    the_story_of_an_integration_system_is_told_over_graphql,
    a_standard_oauth2_library_gets_along_with_the_token_service
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

async fn a_standard_oauth2_library_gets_along_with_the_token_service(mode: Mode) {
    run(mode, "oauth2.py", |tidegate| vec![tidegate.credentials(""), tidegate.admin().client_id.clone()]).await;
}

/// Runs `tests/clients/seed_000.py` against a Tidegate of its own.
async fn tell(mode: Mode, face: impl Fn(&Tidegate) -> [String; 3]) {
    run(mode, "seed_000.py", |tidegate| {
        let rest = [tidegate.credentials("/oauth2/token"), tidegate.admin().client_id.clone()];
        face(tidegate).into_iter().chain(rest).collect()
    })
    .await;
}

/// Runs a client of `tests/clients`, which is told the administrator's secret, against a Tidegate of its own.
async fn run(mode: Mode, client: &str, arguments: impl Fn(&Tidegate) -> Vec<String>) {
    let Ok(python) = std::env::var("TIDEGATE_TEST_PYTHON") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("skipped: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
        return;
    };
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(client))
        .args(arguments(&tidegate))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let secret = tidegate.admin().client_secret.clone();
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
