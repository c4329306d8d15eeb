//! Pages of a list that is long.

use std::sync::Arc;
use std::time::Instant;

use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use tidegate_model::{IntegrationId, PageOf, SystemClock, TenantId};
use tidegate_storage::{Options, open};
use uuid::Uuid;

use crate::Asked;
use crate::shared::ground::{Ground, file};
use crate::shared::{at_most, middle};

const PAGE: u16 = 100;

/// By how much a page far behind may cost more than the first one.
const FURTHER: f64 = 1.2;

/// What changes in a copy, in both databases' words: `i` is its number, and its id too.
const COPIED: [(&str, &[(&str, &str)]); 2] = [
    ("execution_user", &[("id", ID), ("username", "'integration/n' || n.i")]),
    ("integration", &[("id", ID), ("execution_user", ID), ("name", "'n' || n.i")]),
];

/// Stands for the id, which each database has its own words for.
const ID: &str = "ID";

/// Copies the tenant's Integration until there are so many, and reads pages of them, in turns.
pub(crate) async fn measure(name: &str, asked: &Asked, ground: &Ground) {
    let begun = Instant::now();
    multiply(ground, asked.integrations).await;
    println!(
        "{} Integrations in {:.0} s; the database has {} MiB",
        asked.integrations,
        begun.elapsed().as_secs_f64(),
        ground.size().await >> 20
    );
    let opened = open(&Options { url: ground.url(), max_connections: 4, clock: Arc::new(SystemClock) }).await.unwrap();
    let tenant: TenantId = "acme".parse().unwrap();
    let last = u128::from(asked.integrations) / u128::from(PAGE);
    let places = [1, last.min(1_000), last];
    let mut took = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..asked.times {
        for (place, took) in places.iter().zip(&mut took) {
            let before = (place - 1) * u128::from(PAGE);
            let after = (before > 0).then(|| IntegrationId(Uuid::from_u128(before)));
            let begun = Instant::now();
            let page = opened.store.integrations(&tenant, PageOf { first: PAGE, after }).await.unwrap();
            took.push(begun.elapsed().as_secs_f64());
            assert_eq!((page.data.len(), page.data[0].id.0.as_u128()), (usize::from(PAGE), before + 1));
        }
    }
    opened.store.close().await;
    let took = took.map(middle);
    for (place, took) in places.iter().zip(took) {
        println!("{:<24} {:>12.2} ms", format!("page {place}"), took * 1e3);
    }
    println!("{:<24} {:>12.2} ms of each", "counting them all", counting(asked, ground).await * 1e3);
    at_most(&format!("{name}: page {}, in first pages", places[1]), took[1] / took[0], FURTHER);
    at_most(&format!("{name}: the last page, in first pages"), took[2] / took[0], FURTHER);
}

/// How long it takes to tell how many there are, which every page tells.
async fn counting(asked: &Asked, ground: &Ground) -> f64 {
    const COUNT: &str = "SELECT COUNT(*) FROM integration WHERE tenant = 'acme'";
    let mut took = Vec::new();
    for _ in 0..asked.times {
        let begun;
        match ground {
            Ground::Sqlite(folder) => {
                let local = sqlx::SqlitePool::connect(&file(folder)).await.unwrap();
                begun = Instant::now();
                local.execute(COUNT).await.unwrap();
            }
            Ground::Servers(servers) => {
                let server = sqlx::PgPool::connect(&servers.database).await.unwrap();
                begun = Instant::now();
                server.execute(COUNT).await.unwrap();
            }
        }
        took.push(begun.elapsed().as_secs_f64());
    }
    middle(took)
}

async fn multiply(ground: &Ground, count: u32) {
    match ground {
        Ground::Sqlite(folder) => {
            let local = sqlx::SqlitePool::connect(&file(folder)).await.unwrap();
            for (table, changes) in COPIED {
                let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns = sqlx::query(AssertSqlSafe(columns)).fetch_all(&local).await.unwrap();
                let columns = columns.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>();
                let (into, values) = copied(&columns, changes, "unhex(printf('%032x', n.i))");
                let copy = format!(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
                     INSERT INTO {table} ({into}) SELECT {values} FROM n, (SELECT * FROM {table} LIMIT 1) AS one"
                );
                local.execute(AssertSqlSafe(copy)).await.unwrap();
            }
            local.close().await;
        }
        Ground::Servers(servers) => {
            let server = sqlx::PgPool::connect(&servers.superuser).await.unwrap();
            for (table, changes) in COPIED {
                let columns = format!(
                    "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
                );
                let columns = sqlx::query(AssertSqlSafe(columns)).fetch_all(&server).await.unwrap();
                let columns = columns.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>();
                let (into, values) = copied(&columns, changes, "lpad(to_hex(n.i), 32, '0')::uuid");
                let copy = format!(
                    "INSERT INTO {table} ({into}) SELECT {values} \
                     FROM generate_series(1, {count}) AS n(i), (SELECT * FROM {table} LIMIT 1) AS one"
                );
                server.execute(AssertSqlSafe(copy)).await.unwrap();
                // What autovacuum does a minute later.
                server.execute(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).await.unwrap();
            }
        }
    }
}

/// The columns, and what a copy has in each of them.
fn copied(columns: &[String], changes: &[(&str, &str)], id: &str) -> (String, String) {
    let value = |column: &String| match changes.iter().find(|(name, _)| name == column) {
        Some((_, ID)) => id.to_owned(),
        Some((_, value)) => (*value).to_owned(),
        None => format!("one.{column}"),
    };
    (columns.join(", "), columns.iter().map(value).collect::<Vec<_>>().join(", "))
}
