//! A database of the version before becomes one of this version, with what is in it.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection, PgPool};
use tidegate_model::{ExecutionFilter, ExecutionId, PageOf, Timestamp};
use tidegate_storage::{DatabaseUrl, Options, migrate, open};
use uuid::Uuid;

use crate::days::{days, noon};
use crate::harness::{fresh_postgres, start, superuser};
use crate::samples::tenant_id;

/// Statements of the version before.
const INSERT: &str = "INSERT INTO execution (tenant, id, integration, status, trigger, started_at, event_id, object_type, \
    object_id, search, body) SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], \
    $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[]) ON CONFLICT (tenant, id) DO NOTHING";
const FIND: &str = "SELECT COUNT(*) FROM execution WHERE tenant = $1 AND id = $2";
const PRUNE: &str = "DELETE FROM execution WHERE (tenant, id) IN \
    (SELECT tenant, id FROM execution WHERE started_at < $1 ORDER BY started_at LIMIT $2)";

/// The database as it was before this step.
async fn before(step: i64, url: &DatabaseUrl) {
    let steps = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres"));
    let mut connection = PgConnection::connect(&url.to_string()).await.unwrap();
    Migrator::new(steps).await.unwrap().run_to(step - 1, &mut connection).await.unwrap();
}

async fn insert(connection: &mut PgConnection, id: Uuid, began: Timestamp) -> u64 {
    let insert = sqlx::query(INSERT)
        .bind(vec!["a"])
        .bind(vec![id])
        .bind(vec![Uuid::nil()])
        .bind(vec!["SUCCESS"])
        .bind(vec!["WEBHOOK"])
        .bind(vec![began.timestamp_micros()])
        .bind(vec![None::<String>])
        .bind(vec![None::<String>])
        .bind(vec![None::<String>])
        .bind(vec![""])
        .bind(vec![Vec::<u8>::new()]);
    insert.execute(connection).await.unwrap().rows_affected()
}

async fn is_there(connection: &mut PgConnection, id: Uuid) -> bool {
    sqlx::query_scalar::<_, i64>(FIND).bind("a").bind(id).fetch_one(connection).await.unwrap() == 1
}

fn id(began: Timestamp) -> Uuid {
    let clock = tidegate_model::ManualClock::new(began);
    ExecutionId::generate(&clock, &tidegate_model::SystemRandomness).0
}

#[tokio::test]
async fn records_from_before_there_were_days_stay_and_the_version_before_works_on() {
    let Some(url) = fresh_postgres().await else { return };
    before(18, &url).await;
    // Connected, and with prepared statements, since before.
    let mut old = PgConnection::connect(&url.to_string()).await.unwrap();
    sqlx::raw_sql("INSERT INTO tenant (id, name, created_at) VALUES ('a', 'a', 0)").execute(&mut old).await.unwrap();
    // One is of a clock that is far ahead.
    let (usual, ahead) = (id(start()), id(noon(0)));
    assert_eq!((insert(&mut old, usual, start()).await, insert(&mut old, ahead, noon(0)).await), (1, 1));
    assert!(is_there(&mut old, usual).await);

    migrate(&url).await.unwrap();

    let pool = PgPool::connect(&url.to_string()).await.unwrap();
    let places = "SELECT tableoid::regclass::text FROM execution ORDER BY id";
    let places: Vec<String> = sqlx::query_scalar(places).fetch_all(&pool).await.unwrap();
    assert_eq!(places, ["execution_before", "execution_other"]);
    assert!(is_there(&mut old, usual).await && is_there(&mut old, ahead).await);
    assert_eq!(insert(&mut old, usual, start()).await, 0, "it knows what is there");
    assert_eq!(insert(&mut old, id(start()), start()).await, 1);
    let prune = sqlx::query(PRUNE).bind(start().timestamp_micros() + 1).bind(1_i64);
    assert_eq!(prune.execute(&mut old).await.unwrap().rows_affected(), 1);

    let store = open(&options(&url)).await.unwrap().store;
    let (a, all) = (tenant_id("a"), ExecutionFilter::default());
    assert_eq!(store.count_executions(&a, &all).await.unwrap(), 2);
    let indexes =
        "SELECT COUNT(*) FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid WHERE t.relname = 'execution_before'";
    assert_eq!(sqlx::query_scalar::<_, i64>(indexes).fetch_one(&pool).await.unwrap(), 6, "none was made again");
    store.delete_tenant(&a).await.unwrap().unwrap();
    assert_eq!(store.count_executions(&a, &all).await.unwrap(), 0);
}

#[tokio::test]
async fn a_role_that_has_rows_and_no_tables_keeps_house_and_reads_no_day_by_its_name() {
    let Some(url) = fresh_postgres().await else { return };
    before(18, &url).await;
    let admin = PgPool::connect_with(superuser(&url)).await.unwrap();
    let role = "DO $$ BEGIN CREATE ROLE tidegate_rows LOGIN PASSWORD 'rows'; \
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tidegate_rows";
    for statement in [role, grant] {
        sqlx::raw_sql(statement).execute(&admin).await.unwrap();
    }
    migrate(&url).await.unwrap();
    let rows: DatabaseUrl = with_role(&url, "tidegate_rows:rows").parse().unwrap();
    let store = open(&options(&rows)).await.unwrap().store;
    let pool = PgPool::connect(&rows.to_string()).await.unwrap();
    let made = async {
        while days(&pool).await.len() < 4 {
            store.make_days(noon(0)).await.unwrap();
        }
        while store.drop_days(noon(1)).await.unwrap() == 0 {}
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), made).await.unwrap();
    let page = PageOf { first: 10, after: None };
    assert!(store.executions(&tenant_id("a"), &ExecutionFilter::default(), page).await.unwrap().data.is_empty());
    assert_eq!(store.prune_executions(noon(1), 10).await.unwrap(), 0);
    for part in ["execution_before", "execution_other", "execution_21000102"] {
        let read = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {part}"));
        let refused = sqlx::query(read).execute(&pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{part}: {refused}");
    }
    // Who may not delete rows drops no days of them.
    sqlx::raw_sql("REVOKE DELETE ON execution FROM tidegate_rows").execute(&admin).await.unwrap();
    assert!(store.drop_days(noon(2)).await.is_err());
}

/// There the table of deliveries was made anew.
#[tokio::test]
async fn open_deliveries_from_before_they_outlived_their_integrations_stay_as_they_were() {
    const ROWS: &str = "INSERT INTO tenant (id, name, created_at) VALUES ('a', 'a', 0); \
        INSERT INTO event (id, tenant, taken_at, body) VALUES ('e', 'a', 1, x'01'); \
        INSERT INTO delivery (id, tenant, integration, status, trigger, started_at, event_id, object_type, object_id, next_at, holder, \
        leased_until, search, body, place, parked) VALUES \
        (x'0102', 'a', x'0a', 'PENDING', 'EVENT', 2, 'e', 'Order', 'o', 3, x'0b', 4, 'text', x'010203', 5, 0), \
        (x'0103', 'a', x'0a', 'RETRYING', 'REPLAY', 6, 'e', 'Order', 'p', 7, NULL, NULL, '', x'01', NULL, 1); \
        INSERT INTO local_log (tenant, event_id, published_at, body) VALUES ('a', 'used', 1, NULL)";
    const READ: &str = "SELECT concat_ws('|', hex(id), tenant, hex(integration), status, trigger, started_at, event_id, object_type, \
        object_id, next_at, hex(holder), leased_until, search, hex(body), place, parked) FROM delivery ORDER BY id";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("before.db");
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    // What they refer to matters to nobody here.
    let mut old = sqlx::SqliteConnection::connect_with(&file.foreign_keys(false)).await.unwrap();
    let steps = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite"));
    Migrator::new(steps).await.unwrap().run_to(18, &mut old).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut old).await.unwrap();
    let before: Vec<String> = sqlx::query_scalar(READ).fetch_all(&mut old).await.unwrap();
    old.close().await.unwrap();

    let url = DatabaseUrl::file(path);
    migrate(&url).await.unwrap();
    let mut new = sqlx::SqliteConnection::connect(&url.to_string()).await.unwrap();
    let after: Vec<String> = sqlx::query_scalar(READ).fetch_all(&mut new).await.unwrap();
    assert_eq!((after.len(), after), (2, before));
    let used = "SELECT COUNT(*) FROM local_log WHERE event_id = 'used'";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(used).fetch_one(&mut new).await.unwrap(),
        0,
        "a tenant before this one had it"
    );
}

fn options(url: &DatabaseUrl) -> Options {
    Options { url: url.clone(), max_connections: 2, clock: std::sync::Arc::new(tidegate_model::SystemClock) }
}

/// The same place for somebody else.
fn with_role(url: &DatabaseUrl, role: &str) -> String {
    let url = url.to_string();
    let (scheme, place) = url.split_once("://").unwrap();
    format!("{scheme}://{role}@{}", place.rsplit('@').next().unwrap())
}
