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
    for (text, place) in [
        ("postgres://u:hunter2@[::1]:5433/d", "u@[::1]:5433/d"),
        ("postgres://u:hunter2@h/d?hostaddr=::1", "u@[::1]:5432/d"),
        ("postgres://u:hunter2@%2Frun%2Fpg:5433/d", "u@:5433/d?host=/run/pg"),
        ("postgres://u:hunter2@/d?host=/run/pg", "u@:5432/d?host=/run/pg"),
        ("postgresql://u%40x:hunter2@:5433/d?host=/run/pg", "u@x@:5433/d?host=/run/pg"),
        ("postgres:///d?host=h&user=u&password=hunter2", "u@h:5432/d"),
        ("postgres://h/d?user=u&password=hunter2&options[geqo]=off&options=-c%20geqo%3Doff", "u@h:5432/d"),
    ] {
        assert_eq!(shown(text), format!("DatabaseUrl(postgres://{place})"), "{text}");
    }
    for wrong in ["", "tidegate.db", "sqlite:", "sqlite://", "mysql://x", "postgres://u:hunter2@h:port/d"] {
        let error = wrong.parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(error.starts_with("expected sqlite://PATH or postgres://"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_a_url_says_and_nobody_heeds_is_refused_without_its_value() {
    for (wrong, told) in [
        ("h/d?sslpassword=hunter2", "\"sslpassword\" is not known; known are sslmode, "),
        ("h/d?connect_timeout=hunter2", "\"connect_timeout\" is not known"),
        ("h/d?target_session_attrs=hunter2", "\"target_session_attrs\" is not known"),
        ("h/d?options[geqo=hunter2", "is not known"),
        ("h/d?sslmode=hunter2", "sslmode cannot be understood"),
        ("h/d?hostaddr=hunter2", "hostaddr cannot be understood"),
        ("h/d?port=hunter2", "port cannot be understood"),
        ("h:5432,hunter2:5432/d", "several hosts"),
        ("h,hunter2/d", "several hosts"),
        ("u:p@/d?host=h,hunter2", "several hosts"),
        ("u:p@/hunter2", "the host is missing"),
        ("/hunter2", "the host is missing"),
        ("u:12/hunter2@h/d", "%2F"),
        ("u:12?hunter2@h/d", "%3F"),
        ("u:12#hunter2@h/d", "%23"),
        ("u:hunter2@h:99999/d", "cannot be read"),
        ("u:hunter2@[::1/d", "cannot be read"),
    ] {
        let error = format!("postgres://{wrong}").parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(error.contains(told), "{wrong}: {error}");
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
