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
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    Some(server.database(&name).to_url_lossy().as_str().parse().unwrap())
}
