//! Every statement is one that this database understands.

use sqlx::{Executor as _, SqlSafeStr as _};

use super::super::asked;
use super::{
    applications, aside, audit, bookkeeping, claims, client_secrets, clients, credentials, data_keys, deliveries,
    executions, intake, integration_rows, integration_systems, integrations, logics, objects, order, orphans, outbox,
    pauses, repeats, replays, revoked_tokens, runtimes, signing_keys, tenants,
};

/// All of them, by noun.
fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = [
        applications::STATEMENTS,
        aside::STATEMENTS,
        audit::STATEMENTS,
        bookkeeping::STATEMENTS,
        claims::STATEMENTS,
        client_secrets::STATEMENTS,
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
        order::STATEMENTS,
        orphans::STATEMENTS,
        outbox::STATEMENTS,
        pauses::STATEMENTS,
        repeats::STATEMENTS,
        replays::STATEMENTS,
        runtimes::STATEMENTS,
        revoked_tokens::STATEMENTS,
        signing_keys::STATEMENTS,
        tenants::STATEMENTS,
        super::super::bulk::STATEMENTS,
        super::super::days::STATEMENTS,
    ];
    all.into_iter().flatten().copied()
}

#[tokio::test]
async fn every_statement_prepares() {
    let Some(database) = asked::test_database("statements").await else { return };
    let mut connection = database.writes().await.unwrap();
    let dialect =
        super::dialect::FORGET_TENANT.into_iter().chain(super::dialect::PRUNE_LOG).map(|text| ("dialect", text));
    for (name, text) in statements().chain(dialect) {
        if let Err(error) = connection.prepare(text.into_sql_str()).await {
            panic!("{name} does not prepare: {error}\n{text}");
        }
    }
}

/// Nobody walks through all that a tenant has to find one thing of it, or a few.
#[tokio::test]
async fn what_is_about_one_thing_does_not_go_through_all_of_a_tenants_rows() {
    let Some(database) = asked::test_database("walks").await else { return };
    let mut connection = database.writes().await.unwrap();
    let mut walks = Vec::new();
    // What is about all of them: a count, an end, a list that has no pages.
    let is_of_all = |name: &str| {
        let ones = ["LIST_TYPES", "SETTINGS", "NEWEST"];
        name.starts_with("COUNT") || name.starts_with("DELETE") || ones.contains(&name)
    };
    for (name, text) in statements().filter(|(name, _)| !is_of_all(name)) {
        let plan = asked::plan_of(&mut connection, text, &[]).await;
        walks.extend(asked::walks(&plan).then(|| format!("{name}: {text}\n{plan}")));
    }
    assert!(walks.is_empty(), "{}", walks.join("\n"));
}

/// Lists that are read in the order of an index, and counts that read nothing else than one, name it.
#[tokio::test]
async fn lists_of_records_are_read_in_the_order_of_an_index() {
    let Some(database) = asked::test_database("plans").await else { return };
    let mut connection = database.writes().await.unwrap();
    asked::fill_executions(&mut connection).await;
    let statement = |name: &str| executions::STATEMENTS.iter().find(|(known, _)| *known == name).unwrap().1;
    let some = "md5('1')::uuid";
    let ids =
        [(10, "'00000000-0000-0000-0000-000000000000'"), (11, "'ffffffff-ffff-ffff-ffff-ffffffffffff'"), (12, "11")];
    let plans = [
        ("LIST_BY_EVENT", "execution_by_event", vec![(3, "''"), (8, "'e7'")]),
        ("LIST_BY_OBJECT", "execution_by_object", vec![(3, "''"), (7, "'o7'")]),
        ("LIST_BY_INTEGRATION", "execution_by_integration", vec![(2, some), (3, "' FAILED '")]),
        ("LIST_BY_STATUS", "execution_by_status", vec![(3, "' FAILED '")]),
        ("LIST_ALL", "execution", vec![(3, "''")]),
        ("UP_BY_EVENT", "execution_by_event", vec![(3, "''"), (8, "'e7'")]),
        ("UP_BY_OBJECT", "execution_by_object", vec![(3, "''"), (7, "'o7'")]),
        ("UP_BY_INTEGRATION", "execution_by_integration", vec![(2, some), (3, "' FAILED '")]),
        ("UP_BY_STATUS", "execution_by_status", vec![(3, "' FAILED '")]),
        ("UP_ALL", "execution", vec![(3, "''")]),
        ("COUNT_IN_INDEX_BY_INTEGRATION", "execution_by_integration", vec![(2, "'FAILED'"), (3, some)]),
        ("COUNT_IN_INDEX_BY_STATUS", "execution_by_status", vec![(2, "'FAILED'")]),
    ];
    for (name, index, narrowing) in plans {
        let parameters = [vec![(1, "'t1'")], narrowing, ids.to_vec()].concat();
        let plan = asked::plan_of(&mut connection, statement(name), &parameters).await;
        assert!(plan.contains(index), "{name} does not go by {index}:\n{plan}");
        assert!(!asked::reads_everything(&plan, "execution"), "{name} reads every row:\n{plan}");
        // The records of one event, and of one object among many, are few: a database that knows so may sort them.
        let few = name.ends_with("_BY_EVENT") || name.ends_with("_BY_OBJECT");
        assert!(few || !asked::sorts(&plan), "{name} sorts:\n{plan}");
        assert!(!name.starts_with("COUNT") || asked::is_index_only(&plan), "{name} reads rows:\n{plan}");
    }
    // Where days are kept apart, these are all of them.
    let (first, last) = ("'0324a9a7-0000-0000-0000-000000000000'", "'03254425-c800-0000-0000-000000000000'");
    let prune = [(1, "100"), (2, "500"), (3, first), (4, last)];
    let (_, prune_executions) = bookkeeping::STATEMENTS.iter().find(|(name, _)| *name == "PRUNE_EXECUTIONS").unwrap();
    let prune = asked::plan_of(&mut connection, prune_executions, &prune).await;
    assert!(prune.contains("execution_by_started_at") && !asked::reads_everything(&prune, "execution"), "{prune}");
    assert!(asked::places(&prune, "execution") <= 4, "{prune}");
}

/// Where each day's records are apart, nobody looks into days that cannot have what is asked for.
#[tokio::test]
async fn records_are_looked_for_on_their_days_alone() {
    let Some(database) = asked::test_database("days").await else { return };
    let mut connection = database.writes().await.unwrap();
    asked::fill_executions(&mut connection).await;
    let statement = |name: &str| executions::STATEMENTS.iter().find(|(known, _)| *known == name).unwrap().1;
    let (day, two_days_on) = ("'0324a9a7-0000-0000-0000-000000000000'", "'0324b3f3-b800-0000-0000-000000000000'");
    let found = asked::plan_of(&mut connection, statement("FIND"), &[(1, "'t1'"), (2, day)]).await;
    assert_eq!(asked::places(&found, "execution"), 1, "{found}");
    let listed = [(1, "'t1'"), (3, "''"), (10, day), (11, two_days_on), (12, "11")];
    let listed = asked::plan_of(&mut connection, statement("LIST_ALL"), &listed).await;
    assert!(asked::places(&listed, "execution") <= 2, "{listed}");
}

/// A backlog of deliveries that wait for others costs neither those who claim nor those who let the next one go.
#[tokio::test]
async fn claims_and_turns_do_not_walk_through_what_waits() {
    let Some(database) = asked::test_database("turns").await else { return };
    let mut connection = database.writes().await.unwrap();
    asked::fill_deliveries(&mut connection).await;
    let all = [claims::STATEMENTS, order::STATEMENTS, orphans::STATEMENTS, super::super::bulk::STATEMENTS];
    let statement = |name: &str| all.into_iter().flatten().find(|(known, _)| known.starts_with(name)).unwrap().1;
    let one = "md5('1')::uuid";
    let claim = |most, whose| vec![(1, one), (2, "1000"), (3, "2000"), (4, most), (5, whose)];
    let chains =
        vec![(1, "ARRAY['t']"), (2, "ARRAY[md5('1')::uuid]"), (3, "ARRAY['Order']"), (4, "ARRAY['o1']"), (5, "NULL")];
    let park = vec![(1, "'[\"c4ca4238-a0b9-2382-0dcc-509a6f75849b\"]'"), (2, "1000"), (3, "1000")];
    let plans = [
        ("CLAIM", "delivery_due", claim("16", "NULL")),
        ("PARK", "delivery_due", park),
        ("CLAIM_OF", "delivery_by_lane", claim("ARRAY[16]", "ARRAY[md5('1')::uuid]")),
        ("WAITING_LANES", "delivery_parked", vec![]),
        ("NEXT_DUE", "delivery_due", vec![(1, "9223372036854775807")]),
        ("IS_OPEN", "delivery_in_order", vec![(1, "'t'"), (2, one), (3, "'Order'"), (4, "'o1'")]),
        ("FREE_FIRST", "delivery_in_order", chains),
        ("OWED_BY_NOBODY", "delivery_by_lane", vec![]),
    ];
    for (name, index, parameters) in plans {
        let plan = asked::plan_of(&mut connection, statement(name), &parameters).await;
        assert!(plan.contains(index), "{name} does not go by {index}:\n{plan}");
        assert!(!asked::reads_everything(&plan, "delivery"), "{name} reads every row:\n{plan}");
    }
}
