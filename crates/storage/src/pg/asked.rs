//! What tests ask of this database alone.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};

use super::dialect::{Connection, Row};
use super::portable::Database;

pub(crate) async fn test_database(name: &str) -> Option<Database> {
    let Some(url) = std::env::var_os("TIDEGATE_TEST_POSTGRES") else {
        assert!(std::env::var_os("CI").is_none(), "TIDEGATE_TEST_POSTGRES is not set");
        println!("skipped: TIDEGATE_TEST_POSTGRES is not set");
        return None;
    };
    let server: PgConnectOptions = url.to_str().unwrap().parse().unwrap();
    let name = format!("tidegate_{name}_{}", std::process::id());
    let admin = PgPoolOptions::new().max_connections(1).connect_with(server.clone()).await.unwrap();
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&admin).await.unwrap();
    }
    let server = server.database(&name);
    super::migrate(&server).await.unwrap();
    Some(super::open(&server, 1, std::sync::Arc::new(tidegate_model::SystemClock)).await.unwrap())
}

/// Enough for the planner to mind what a plan costs: from before there were days, over thirty of them, and from after the last.
pub(crate) async fn fill_executions(connection: &mut Connection) {
    let fill = "SET statement_timeout = 0; INSERT INTO tenant (id, name, created_at) SELECT 't' || n, 't', 0 FROM generate_series(0, 4) AS n; \
        SELECT make_execution_day(day) FROM generate_series(40000, 40029) AS day; \
        INSERT INTO execution (id, tenant, integration, status, trigger, started_at, event_id, object_type, object_id, search, body) \
        SELECT (left(first_id_of(CASE WHEN n <= 15000 THEN n ELSE 40000 * 86400000::bigint + (n - 15000) * 95040::bigint END)::text, 14) \
        || right(gen_random_uuid()::text, 22))::uuid, 't' || n % 5, md5((n % 3)::text)::uuid, \
        (ARRAY['SUCCESS', 'SUCCESS', 'FAILED', 'SKIPPED', 'DEAD'])[1 + n / 15 % 5], 'EVENT', n, 'e' || n / 3, 'Order', 'o' || n % 900, \
        repeat('x', 200), decode(repeat('00', 300), 'hex') FROM generate_series(1, 45000) AS n";
    sqlx::raw_sql(fill).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("ANALYZE execution").execute(connection).await.unwrap();
}

/// A few deliveries that are due, and many behind them that wait in lanes, or for their turn.
pub(crate) async fn fill_deliveries(connection: &mut Connection) {
    let fill = "SET statement_timeout = 0; SET session_replication_role = replica; \
        INSERT INTO delivery (id, tenant, integration, status, trigger, started_at, event_id, object_type, object_id, next_at, search, \
        body, place, parked) SELECT gen_random_uuid(), 't', md5((n % 50)::text)::uuid, 'PENDING', 'EVENT', n, 'e' || n, 'Order', 'o' || n % 900, \
        CASE WHEN n <= 9000 THEN n ELSE 9223372036854775807 END, '', decode(repeat('00', 300), 'hex'), n, n BETWEEN 901 AND 9000 \
        FROM generate_series(1, 20000) AS n; \
        SET session_replication_role = DEFAULT";
    sqlx::raw_sql(fill).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("ANALYZE delivery").execute(connection).await.unwrap();
}

/// Indexes of parts of a table, and of the whole.
const PARTS: &str = "SELECT part.relname::text, whole.relname::text FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid \
    JOIN pg_class whole ON whole.oid = inhparent WHERE part.relkind = 'i'";

/// The plan for these parameters, the others being null.
pub(crate) async fn plan_of(
    connection: &mut Connection,
    statement: &'static str,
    parameters: &[(usize, &str)],
) -> String {
    let count = (1..100).take_while(|n| statement.contains(&format!("${n}"))).count();
    let value = |n| parameters.iter().find(|(of, _)| *of == n).map_or("NULL", |(_, value)| value);
    let values = (1..=count).map(value).collect::<Vec<_>>().join(", ");
    let values = if count == 0 { values } else { format!("({values})") };
    let asked = format!("DEALLOCATE ALL; PREPARE asked AS {statement}; EXPLAIN EXECUTE asked{values}");
    let lines = (&mut *connection).fetch_all(sqlx::raw_sql(AssertSqlSafe(asked).into_sql_str())).await.unwrap();
    let plan: String = lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect();
    // A part's index is called what that of the whole is called.
    let parts = connection.fetch_all(sqlx::raw_sql(PARTS)).await.unwrap();
    let name = |part: &Row, of: usize| format!(" {} ", part.get::<String, _>(of));
    parts.iter().fold(plan, |plan, part| plan.replace(&name(part, 0), &name(part, 1)))
}

/// Also where a table is the part of one.
pub(crate) fn reads_everything(plan: &str, table: &str) -> bool {
    plan.contains(&format!("Seq Scan on {table}"))
}

/// Plans of tables that have no rows tell nothing of it here.
pub(crate) fn walks(_: &str) -> bool {
    false
}

/// Parts that are merged in their order are not sorted.
pub(crate) fn sorts(plan: &str) -> bool {
    plan.contains("Sort  (")
}

/// How many tables, or parts of one, are looked into.
pub(crate) fn places(plan: &str, table: &str) -> usize {
    plan.lines().filter(|line| line.contains(" Scan ") && line.contains(&format!(" on {table}"))).count()
}

/// Nothing but the index narrows. Whether a row is looked at besides, for who may see it, depends on when the table was last vacuumed.
pub(crate) fn is_index_only(plan: &str) -> bool {
    !plan.contains("Filter:") && plan.contains("Index Cond:")
}
