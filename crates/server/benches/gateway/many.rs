//! Many Integrations that are alike, written into the file of a Tidegate that is stopped.

use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use tidegate_model::contract::WebhookKeyHash;
use tidegate_model::{IntegrationId, SystemClock, SystemRandomness};

use crate::shared::ground::{Ground, file};

/// The key of the Integration of this number.
pub(crate) fn key(number: u32) -> String {
    format!("{number:043}")
}

/// Makes as many as there are to be out of the one that is there.
pub(crate) async fn multiply(ground: &Ground, count: u32) {
    let Ground::Sqlite(folder) = ground else { panic!("many are made on SQLite alone") };
    let mut connection = SqliteConnection::connect(&file(folder)).await.unwrap();
    let user = copy_of(&mut connection, "execution_user", &["id", "username"], "$1, 'integration/map-' || $3").await;
    let integration =
        copy_of(&mut connection, "integration", &["id", "execution_user", "name"], "$2, $1, 'map-' || $3").await;
    let webhook_key = "INSERT INTO webhook_key (tenant, integration, hash, sealed) SELECT tenant, $1, $2, sealed FROM webhook_key LIMIT 1";
    let mut change = connection.begin().await.unwrap();
    for number in 0..count {
        let fresh = || IntegrationId::generate(&SystemClock, &SystemRandomness).0;
        let (user_id, id) = (fresh(), fresh());
        for copy in [&user, &integration] {
            let copy = sqlx::query(AssertSqlSafe(copy.clone())).bind(user_id).bind(id).bind(i64::from(number));
            copy.execute(&mut *change).await.unwrap();
        }
        let hash = WebhookKeyHash::of(&key(number)).0;
        sqlx::query(webhook_key).bind(id).bind(&hash[..]).execute(&mut *change).await.unwrap();
    }
    change.commit().await.unwrap();
    connection.close().await.unwrap();
}

/// A statement that inserts a row like the first one of its table, but for these columns.
async fn copy_of(connection: &mut SqliteConnection, table: &str, changed: &[&str], to: &str) -> String {
    let columns =
        sqlx::query("SELECT name FROM pragma_table_info($1)").bind(table).fetch_all(connection).await.unwrap();
    let same: Vec<String> =
        columns.iter().map(|row| row.get::<String, _>(0)).filter(|name| !changed.contains(&name.as_str())).collect();
    let (same, changed) = (same.join(", "), changed.join(", "));
    // Each statement takes the same three parameters.
    format!(
        "INSERT INTO {table} ({changed}, {same}) SELECT {to}, {same} FROM {table} WHERE COALESCE($1, $2, $3) IS NOT NULL ORDER BY rowid LIMIT 1"
    )
}
