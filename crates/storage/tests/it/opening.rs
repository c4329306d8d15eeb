use std::sync::Arc;

use tidegate_model::SystemClock;
use tidegate_storage::{DatabaseUrl, OpenError, Options, migrate, open};

use crate::harness::{Kept, fresh_postgres};

fn options(url: DatabaseUrl) -> Options {
    Options { url, max_connections: 2, clock: Arc::new(SystemClock) }
}

#[test]
fn a_url_names_a_place_and_hides_the_password() {
    let shown = |text: &str| format!("{:?}", text.parse::<DatabaseUrl>().unwrap());
    assert_eq!(shown("sqlite://data/tidegate.db"), "DatabaseUrl(sqlite://data/tidegate.db)");
    assert_eq!(shown("sqlite:///var/lib/a b.db"), "DatabaseUrl(sqlite:///var/lib/a b.db)");
    assert_eq!(shown("sqlite::memory:"), "DatabaseUrl(sqlite::memory:)");
    assert_eq!(shown("sqlite://:memory:"), "DatabaseUrl(sqlite::memory:)");
    let server = shown("postgres://user:hunter2@db.example:5433/tide?sslmode=require");
    assert_eq!(server, "DatabaseUrl(postgres://user@db.example:5433/tide)");
    for wrong in ["", "tidegate.db", "sqlite:", "sqlite://", "mysql://x", "postgres://u:hunter2@h:port/d"] {
        let error = wrong.parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(error.starts_with("expected sqlite://PATH or postgres://"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_schema_that_is_behind_is_refused_and_says_what_to_do() {
    let directory = tempfile::TempDir::new().unwrap();
    let url = DatabaseUrl::file(directory.path().join("store.db"));
    let missing = open(&options(url.clone())).await.err().unwrap();
    assert!(matches!(missing, OpenError::Connect(_)), "{missing}");
    sqlx::SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new().filename(directory.path().join("store.db")).create_if_missing(true),
    )
    .await
    .unwrap()
    .close()
    .await;
    let behind = open(&options(url.clone())).await.err().unwrap();
    assert!(matches!(behind, OpenError::Behind { applied: 0, .. }), "{behind}");
    assert!(behind.to_string().contains("tidegate migrate"), "{behind}");
    migrate(&url).await.unwrap();
    migrate(&url).await.unwrap();
    open(&options(url)).await.unwrap().store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_migrate_one_server_in_turn() {
    let Some(url) = fresh_postgres().await else { return };
    let behind = open(&options(url.clone())).await.err().unwrap();
    assert!(matches!(behind, OpenError::Behind { applied: 0, .. }), "{behind}");
    let (a, b, c) = tokio::join!(migrate(&url), migrate(&url), migrate(&url));
    a.unwrap();
    b.unwrap();
    c.unwrap();
    open(&options(url)).await.unwrap().store.ping().await.unwrap();
}

#[tokio::test]
async fn two_stores_in_memory_are_two() {
    let (one, two) = (Kept::memory().await.unwrap(), Kept::memory().await.unwrap());
    crate::samples::with_tenants(&one, &["a"]).await;
    assert_eq!(two.store.tenant(&crate::samples::tenant_id("a")).await.unwrap(), None);
}
