//! What another tenant's id costs: what costs time is asked of the database, and it is asked the same of an id that never was.

use serde_json::Value;

use super::houses::{Houses, INTRUDER};
use super::rows::Answer::Own;
use super::rows::{Row, rows};
use crate::steps::{Step, Steps};

/// The statements of one call, in their order, and what each of them found or changed.
async fn asked(
    houses: &Houses,
    steps: &Steps,
    row: &Row,
    over_grpc: bool,
    named: Option<&str>,
    arguments: Value,
) -> Vec<Step> {
    let operation = row.0.split('.').next().unwrap();
    steps.seen().await;
    if over_grpc {
        let rpc = houses.protos.rpc_of(operation);
        let _ = houses.protos.call(&houses.desk, (INTRUDER, named), rpc, &arguments).await;
    } else {
        houses.desk.ask_as(INTRUDER, named, &houses.schema.request(operation, &arguments), arguments).await;
    }
    steps.seen().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_id_takes_the_statements_that_one_takes_which_never_was() {
    let Some((houses, steps)) = Houses::in_steps().await else { return };
    let mut taken = 0;
    for row in rows().iter().filter(|row| row.3 != Own) {
        let (theirs, never) = houses.ids(row);
        for over_grpc in [false, true] {
            let mut both = Vec::new();
            for id in [&theirs, &never] {
                both.push(asked(&houses, &steps, row, over_grpc, None, houses.arguments(row, id)).await);
            }
            assert_eq!(both[0], both[1], "{}, over gRPC: {over_grpc}", row.0);
            taken += both[0].len();
        }
    }
    // What is the caller's own is seen to take others.
    let row = rows().into_iter().find(|row| row.0 == "application.id").unwrap();
    let (theirs, own) = (houses.ids(&row).0, &houses.own.ids["application"]);
    let mut both = Vec::new();
    for id in [&theirs, own] {
        both.push(asked(&houses, &steps, &row, false, None, houses.arguments(&row, id)).await);
    }
    assert_ne!(both[0], both[1]);
    assert!(taken > 200, "{taken} statements: those who are refused before anything is asked show nothing here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_name_takes_the_statements_that_one_takes_which_never_was() {
    let Some((houses, steps)) = Houses::in_steps().await else { return };
    for row in &rows() {
        let (theirs, _) = houses.ids(row);
        for over_grpc in [false, true] {
            let mut both = Vec::new();
            for named in ["acme", "acmf"] {
                both.push(asked(&houses, &steps, row, over_grpc, Some(named), houses.arguments(row, &theirs)).await);
            }
            assert_eq!(both[0], both[1], "{}, over gRPC: {over_grpc}", row.0);
        }
    }
}
