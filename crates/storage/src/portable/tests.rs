//! Every statement is one that this database understands.

use sqlx::{Executor as _, SqlSafeStr as _};

use super::{
    applications, bookkeeping, claims, clients, credentials, data_keys, deliveries, executions, intake,
    integration_rows, integration_systems, integrations, logics, objects, outbox, runtimes, signing_keys, tenants,
};

#[tokio::test]
async fn every_statement_prepares() {
    let Some(database) = super::super::test_database().await else { return };
    let all = [
        applications::STATEMENTS,
        bookkeeping::STATEMENTS,
        claims::STATEMENTS,
        clients::STATEMENTS,
        credentials::STATEMENTS,
        data_keys::STATEMENTS,
        deliveries::STATEMENTS,
        executions::STATEMENTS,
        intake::STATEMENTS,
        integration_rows::STATEMENTS,
        integration_systems::STATEMENTS,
        integrations::STATEMENTS,
        logics::STATEMENTS,
        objects::STATEMENTS,
        outbox::STATEMENTS,
        runtimes::STATEMENTS,
        signing_keys::STATEMENTS,
        tenants::STATEMENTS,
        super::super::bulk::STATEMENTS,
    ];
    let mut connection = database.writes().acquire().await.unwrap();
    let dialect =
        super::dialect::FORGET_TENANT.into_iter().chain(super::dialect::PRUNE_LOG).map(|text| ("dialect", text));
    for (name, text) in all.into_iter().flatten().copied().chain(dialect) {
        if let Err(error) = connection.prepare(text.into_sql_str()).await {
            panic!("{name} does not prepare: {error}\n{text}");
        }
    }
}
