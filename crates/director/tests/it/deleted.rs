//! What an Integration had still to deliver when it was deleted.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::Clock as _;
use tidegate_storage::contract::Whose;
use uuid::Uuid;

use crate::desk::{Desk, eventually};
use crate::replays::deliveries;
use crate::working::Working;

const DELETE: &str = "mutation($id: ID!) { deleteIntegration(id: $id) { id } }";
const LIST: &str = "query($f: ExecutionFilter) { executions(filter: $f) { totalCount data { id status error finishedAt nextAttemptAt eventId integration { id } } } }";

async fn list(desk: &Desk, filter: Value) -> Value {
    desk.ok(Some("acme"), LIST, json!({ "f": filter })).await["executions"].take()
}

#[tokio::test]
async fn a_deleted_integration_leaves_a_record_of_each_of_its_deliveries() {
    let desk = Desk::with_tenants().await;
    let gone = desk.create_outgoing("acme", "gone", "Order").await;
    let here = desk.create_outgoing("acme", "here", "Order").await;
    let owed = deliveries(&desk, &gone, 3).await;
    deliveries(&desk, &here, 1).await;
    desk.store.release_all().await.unwrap();
    let leased_until = desk.clock.now() + TimeDelta::minutes(1);
    let held = desk.store.claim(Uuid::from_u128(1), desk.clock.now(), leased_until, 1, Whose::Anybodys).await.unwrap();
    assert_eq!(held[0].execution.id, owed[0].id);
    desk.ok(Some("acme"), DELETE, json!({ "id": gone })).await;

    let failed = list(&desk, json!({ "integrationID": gone, "statuses": ["FAILED"] })).await;
    let expected: Vec<_> = [&owed[2], &owed[1]]
        .map(|one| {
            json!({ "id": one.id, "status": "FAILED", "error": "the Integration was deleted", "finishedAt": "2026-03-01T12:00:00.004Z",
                "nextAttemptAt": null, "eventId": one.event.as_ref().unwrap().id, "integration": null })
        })
        .into();
    assert_eq!(failed, json!({ "totalCount": 2, "data": expected }));
    let open = list(&desk, json!({ "integrationID": gone, "statuses": ["PENDING"] })).await;
    assert_eq!(open["data"][0]["id"], json!(owed[0].id), "somebody has it in hand");
    let counted = "mutation($f: ExecutionFilter!) { replayExecutions(filter: $f, dryRun: true) { count } }";
    let counted = desk.ok(Some("acme"), counted, json!({ "f": { "integrationID": gone } })).await;
    assert_eq!(counted["replayExecutions"]["count"], 0, "nothing is there to run them with");

    // Who had it in hand never comes back.
    desk.clock.advance(TimeDelta::minutes(2));
    let working = Working::start(&desk);
    eventually(|| async {
        list(&desk, json!({ "integrationID": gone, "statuses": ["FAILED"] })).await["totalCount"] == 3
    })
    .await;
    working.stop().await;
    assert_eq!(list(&desk, json!({ "integrationID": here })).await["data"][0]["status"], "PENDING");
}
