//! Databases on the tests' PostgreSQL.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tidegate_storage::DatabaseUrl;

/// A database of its own; `None`, visibly, where there is no server to test with.
pub(super) async fn fresh() -> Option<DatabaseUrl> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = std::env::var_os("TIDEGATE_TEST_POSTGRES") else {
        assert!(std::env::var_os("CI").is_none(), "TIDEGATE_TEST_POSTGRES is not set");
        println!("skipped: TIDEGATE_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("dispatcher_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server: PgConnectOptions = server.to_str().unwrap().parse().unwrap();
    let mut connection = server.connect().await.unwrap();
    let (role, drop) = (PLAIN_ROLE.to_owned(), format!("DROP DATABASE IF EXISTS {name}"));
    for statement in [role, drop, format!("CREATE DATABASE {name} OWNER tidegate_plain")] {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let server = server.username("tidegate_plain").password("plain");
    Some(server.database(&name).to_url_lossy().as_str().parse().unwrap())
}

/// What Tidegate is to be on a server: no wall holds a superuser. Several tests make it at once.
const PLAIN_ROLE: &str = "DO $$ BEGIN CREATE ROLE tidegate_plain LOGIN PASSWORD 'plain'; \
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
