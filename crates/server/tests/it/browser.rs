//! What a person sees who opens Tidegate in a browser: a real one, that can reach nothing but this machine.

use std::process::Command;

use crate::harness::{Mode, Tidegate};

#[tokio::test]
async fn graphiql_is_shown_and_asks_nobody_else() {
    let Ok(browser) = std::env::var("TIDEGATE_TEST_BROWSER") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_BROWSER is not set; start the tests with scripts/test");
        eprintln!("skipped: TIDEGATE_TEST_BROWSER is not set (where Chromium is)");
        return;
    };
    let running = Tidegate::start_with(Mode::Together, &[("HTTP__GRAPHIQL", "on")]).await.unwrap();
    let (url, folder) = (running.director("/graphql"), tempfile::tempdir().unwrap());
    let mut command = Command::new(browser);
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        // Its clock runs as fast as the page has nothing left to do.
        .arg("--virtual-time-budget=30000")
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg(url);
    let shown = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let page = String::from_utf8_lossy(&shown.stdout);
    for part in ["graphiql-container", "graphiql-query-editor", "Execute query", "client secret"] {
        assert!(page.contains(part), "{part} is missing: {page}\n{}", String::from_utf8_lossy(&shown.stderr));
    }
}
