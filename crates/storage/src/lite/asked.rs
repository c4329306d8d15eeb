//! What tests ask of this database alone.

use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Connection;
use super::portable::Database;

pub(crate) async fn test_database(_: &str) -> Option<Database> {
    Some(super::open_memory(std::sync::Arc::new(tidegate_model::SystemClock)).await.unwrap())
}

/// Plans here do not depend on what there is.
pub(crate) fn fill_executions(_: &mut Connection) -> std::future::Ready<()> {
    std::future::ready(())
}

/// Plans here do not depend on what there is.
pub(crate) fn fill_deliveries(_: &mut Connection) -> std::future::Ready<()> {
    std::future::ready(())
}

pub(crate) async fn plan_of(connection: &mut Connection, statement: &'static str, _: &[(usize, &str)]) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(connection).await.unwrap();
    steps.iter().map(|step| step.get::<String, _>("detail") + "\n").collect()
}

pub(crate) fn reads_everything(plan: &str, table: &str) -> bool {
    plan.lines().any(|step| step == format!("SCAN {table}"))
}

/// Whether a step reads all of a tenant's rows.
pub(crate) fn walks(plan: &str) -> bool {
    plan.lines().any(|step| step.ends_with("(tenant=?)"))
}

pub(crate) fn sorts(plan: &str) -> bool {
    plan.contains("TEMP B-TREE")
}

pub(crate) fn places(plan: &str, table: &str) -> usize {
    plan.lines().filter(|step| step.contains(&format!(" {table} "))).count()
}

pub(crate) fn is_index_only(plan: &str) -> bool {
    plan.contains("USING COVERING INDEX")
}
