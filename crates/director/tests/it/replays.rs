//! Many runs replayed or cancelled at once.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::{Clock as _, Execution, ExecutionId, Status};
use tidegate_storage::contract::{Intake, Whose};
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::execution_service_client::ExecutionServiceClient;
use uuid::Uuid;

use crate::desk::{ADMIN, Desk, eventually};
use crate::executions::{created, delivery, record};
use crate::grpc::admin;
use crate::working::Working;

const REPLAY: &str = "mutation($f: ExecutionFilter!, $d: Boolean! = false, $r: Int) { replayExecutions(filter: $f, dryRun: $d, ratePerSecond: $r) {
    count replay { id state count replayed refused ratePerSecond createdBy endedAt } } }";
const FIND: &str = "query($id: ID!) { replay(id: $id) { id state replayed refused endedAt } }";
const STOP: &str = "mutation($id: ID!) { stopReplay(id: $id) { state replayed endedAt } }";
const CANCEL: &str = "mutation($id: ID!) { cancelExecution(id: $id) { id status error finishedAt nextAttemptAt } }";
const CANCEL_ALL: &str = "mutation($f: ExecutionFilter!, $d: Boolean! = false) { cancelExecutions(filter: $f, dryRun: $d) { count cancelled inHand } }";
const HOLDER: Uuid = Uuid::from_u128(9);

/// Takes in events of acme's for an Integration; answers the deliveries, which are leased.
pub(crate) async fn deliveries(desk: &Desk, integration: &str, count: usize) -> Vec<Execution> {
    let mut events = Vec::new();
    let from = desk.store.intake_position().await.unwrap();
    for n in 0..count {
        desk.clock.advance(TimeDelta::milliseconds(1));
        let event = created(&format!("e-{from}-{n}"), &n.to_string(), desk.clock.now());
        let delivery = delivery(desk, integration, &event).await;
        events.push((event, vec![delivery]));
    }
    let all = events.iter().flat_map(|(_, due)| due).map(|delivery| delivery.execution.clone()).collect();
    let intake = Intake { events, ..Intake::default() };
    let now = desk.clock.now();
    let taken = desk.store.take_in(from, from + 1, &intake, HOLDER, now + TimeDelta::minutes(1), now).await.unwrap();
    assert_eq!(taken.unwrap().len(), count);
    all
}

/// The same, ended so.
async fn ended(desk: &Desk, integration: &str, count: usize, status: Status) -> Vec<Execution> {
    let mut all = deliveries(desk, integration, count).await;
    for record in &mut all {
        record.status = status;
        record.finished_at = Some(desk.clock.now());
    }
    desk.store.finish(&all, HOLDER).await.unwrap();
    desk.clock.advance(TimeDelta::milliseconds(1));
    all
}

async fn state(desk: &Desk, id: &Value) -> Value {
    desk.ok(Some("acme"), FIND, json!({ "id": id })).await["replay"].take()
}

/// What waits to be delivered, the longest due first.
async fn due(desk: &Desk) -> Vec<ExecutionId> {
    desk.store.release_all().await.unwrap();
    let now = desk.clock.now();
    let due = desk.store.claim(HOLDER, now, now + TimeDelta::minutes(1), 1000, Whose::Anybodys).await.unwrap();
    due.into_iter().map(|delivery| delivery.execution.replay_of.unwrap()).collect()
}

#[tokio::test]
async fn dead_ones_are_found_counted_and_replayed_the_oldest_first() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    let (incoming, _) = desk.create_incoming("acme", "in").await;
    let dead = ended(&desk, &outgoing, 5, Status::Dead).await;
    ended(&desk, &outgoing, 2, Status::Success).await;
    record(&desk, &incoming, desk.clock.now()).await;
    let filter = json!({ "statuses": ["DEAD"] });
    let counted = desk.ok(Some("acme"), REPLAY, json!({ "f": filter, "d": true })).await;
    assert_eq!(counted["replayExecutions"], json!({ "count": 5, "replay": null }));
    assert!(due(&desk).await.is_empty());
    let other = desk.ok(Some("other"), REPLAY, json!({ "f": filter })).await;
    assert_eq!(other["replayExecutions"], json!({ "count": 0, "replay": null }));

    let begun = desk.ok(Some("acme"), REPLAY, json!({ "f": filter })).await["replayExecutions"].take();
    assert_eq!((&begun["count"], &begun["replay"]["count"]), (&json!(5), &json!(5)));
    assert_eq!((&begun["replay"]["state"], &begun["replay"]["ratePerSecond"]), (&json!("RUNNING"), &json!(50)));
    let id = &begun["replay"]["id"];
    let working = Working::start(&desk);
    eventually(|| async { state(&desk, id).await["state"] == "DONE" }).await;
    working.stop().await;
    let done = state(&desk, id).await;
    assert_eq!((&done["replayed"], &done["refused"], done["endedAt"].is_string()), (&json!(5), &json!(0), true));
    let mut replayed = due(&desk).await;
    replayed.sort();
    assert_eq!(replayed, dead.iter().map(|record| record.id).collect::<Vec<_>>());
    let list = "{ replays { totalCount data { id } } }";
    assert_eq!(
        desk.ok(Some("acme"), list, json!({})).await["replays"],
        json!({ "totalCount": 1, "data": [{ "id": id }] })
    );
    assert_eq!(desk.ok(Some("other"), list, json!({})).await["replays"]["totalCount"], 0);
    assert!(desk.ok(Some("other"), FIND, json!({ "id": id })).await["replay"].is_null());
    assert_eq!(desk.refused(Some("other"), STOP, json!({ "id": id })).await.0, 20);
}

#[tokio::test]
async fn a_replay_goes_at_its_rate_goes_on_after_a_restart_and_can_be_stopped() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    ended(&desk, &outgoing, 9, Status::Failed).await;
    let filter = json!({ "integrationID": outgoing });
    let begun = desk.ok(Some("acme"), REPLAY, json!({ "f": filter, "r": 2 })).await["replayExecutions"].take();
    let id = &begun["replay"]["id"];
    // The clock stands still: two in its second.
    for so_far in [2, 4] {
        let working = Working::start(&desk);
        eventually(|| async { state(&desk, id).await["replayed"] == so_far }).await;
        working.stop().await;
        assert_eq!(state(&desk, id).await["replayed"], so_far);
        desk.clock.advance(TimeDelta::seconds(1));
    }
    let stopped = desk.ok(Some("acme"), STOP, json!({ "id": id })).await["stopReplay"].take();
    assert_eq!((&stopped["state"], &stopped["replayed"]), (&json!("STOPPED"), &json!(4)));
    let working = Working::start(&desk);
    let more = desk.ok(Some("acme"), REPLAY, json!({ "f": { "statuses": ["FAILED"] }, "r": 1000 })).await;
    let more = &more["replayExecutions"]["replay"]["id"];
    eventually(|| async { state(&desk, more).await["state"] == "DONE" }).await;
    working.stop().await;
    assert_eq!((&state(&desk, id).await["replayed"], &state(&desk, more).await["replayed"]), (&json!(4), &json!(9)));
}

#[tokio::test]
async fn what_cannot_be_replayed_is_counted_apart_and_holds_up_nothing() {
    let desk = Desk::with_tenants().await;
    let (gone, here) =
        (desk.create_outgoing("acme", "gone", "Order").await, desk.create_outgoing("acme", "here", "Order").await);
    ended(&desk, &gone, 2, Status::Dead).await;
    let old = ended(&desk, &here, 1, Status::Dead).await;
    desk.clock.advance(TimeDelta::minutes(1));
    let kept = desk.clock.now();
    ended(&desk, &here, 3, Status::Dead).await;
    desk.ok(Some("acme"), "mutation($i: ID!) { deleteIntegration(id: $i) { id } }", json!({ "i": gone })).await;
    desk.store.prune_events(kept, 100).await.unwrap();
    let refused = "mutation($id: ID!) { replayExecution(id: $id) { id } }";
    assert_eq!(desk.refused(Some("acme"), refused, json!({ "id": old[0].id })).await.0, 27);
    let begun = desk.ok(Some("acme"), REPLAY, json!({ "f": { "statuses": ["DEAD"] } })).await;
    assert_eq!(begun["replayExecutions"]["count"], 3);
    let id = &begun["replayExecutions"]["replay"]["id"];
    let working = Working::start(&desk);
    eventually(|| async { state(&desk, id).await["state"] == "DONE" }).await;
    working.stop().await;
    let done = state(&desk, id).await;
    assert_eq!((&done["replayed"], &done["refused"]), (&json!(3), &json!(3)));
}

#[tokio::test]
async fn a_filter_must_narrow_and_a_rate_be_sensible_and_the_scope_be_there() {
    let desk = Desk::with_tenants().await;
    for (variables, field) in [
        (json!({ "f": {} }), "filter"),
        (json!({ "f": { "text": "" } }), "filter"),
        (json!({ "f": { "text": "x".repeat(257) } }), "filter.text"),
        (json!({ "f": { "statuses": ["DEAD"] }, "r": 0 }), "ratePerSecond"),
        (json!({ "f": { "statuses": ["DEAD"] }, "r": 1001 }), "ratePerSecond"),
    ] {
        let (code, message) = desk.refused(Some("acme"), REPLAY, variables).await;
        assert_eq!((code, message.contains(field)), (22, true), "{message}");
    }
    assert_eq!(desk.refused(Some("acme"), CANCEL_ALL, json!({ "f": {} })).await.0, 22);
    let nothing = desk.ok(Some("acme"), REPLAY, json!({ "f": { "integrationID": "no id" } })).await;
    assert_eq!(nothing["replayExecutions"], json!({ "count": 0, "replay": null }));
    desk.grant_scopes("reader", &["execution:read"]);
    let filter = json!({ "f": { "statuses": ["DEAD"] }, "id": ADMIN });
    for query in [REPLAY, STOP, CANCEL, CANCEL_ALL] {
        let answer = desk.ask_as("reader", Some("acme"), query, filter.clone()).await;
        assert_eq!(answer.refusal().0, 23, "{query}");
        assert_eq!(desk.refused(None, query, filter.clone()).await.0, 24, "{query}");
    }
}

#[tokio::test]
async fn an_empty_list_of_statuses_means_no_run_and_is_refused() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    ended(&desk, &outgoing, 2, Status::Success).await;
    deliveries(&desk, &outgoing, 1).await;
    desk.store.release_all().await.unwrap();
    let list = "query($f: ExecutionFilter) { executions(filter: $f) { totalCount } }";
    let total = async || desk.ok(Some("acme"), list, json!({ "f": { "statuses": null } })).await["executions"].take();
    let before = total().await;
    for query in [list, REPLAY, CANCEL_ALL] {
        for filter in [json!({ "statuses": [] }), json!({ "integrationID": outgoing, "statuses": [] })] {
            let (code, message) = desk.refused(Some("acme"), query, json!({ "f": filter })).await;
            assert_eq!(
                (code, message.as_str()),
                (22, "invalid data: filter.statuses: expected at least one"),
                "{query} {filter}"
            );
        }
    }
    assert_eq!(desk.ok(Some("acme"), "{ replays { totalCount } }", json!({})).await["replays"]["totalCount"], 0);
    assert_eq!(total().await, before);
    let open = desk.ok(Some("acme"), list, json!({ "f": { "statuses": ["PENDING"] } })).await;
    assert_eq!(open["executions"]["totalCount"], 1, "it was not cancelled");

    // Over gRPC such a list was not given.
    let mut client = ExecutionServiceClient::new(desk.director.grpc().routes());
    let filter = Some(v1::ExecutionFilter::default());
    let ask = v1::ReplayExecutionsRequest { filter: filter.clone(), ..Default::default() };
    assert!(client.replay_executions(admin(Some("acme"), ask)).await.unwrap_err().message().contains("narrows"));
    let ask = v1::ListExecutionsRequest { filter, ..Default::default() };
    assert_eq!(client.list_executions(admin(Some("acme"), ask)).await.unwrap().into_inner().total_count, 3);
}

#[tokio::test]
async fn a_delivery_that_waits_is_cancelled_on_record_and_one_in_hand_is_refused() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    let open = deliveries(&desk, &outgoing, 1).await.remove(0);
    let (code, message) = desk.refused(Some("acme"), CANCEL, json!({ "id": open.id })).await;
    assert_eq!((code, message.contains("attempt is being made")), (27, true), "{message}");
    desk.store.release_all().await.unwrap();
    assert_eq!(desk.refused(Some("other"), CANCEL, json!({ "id": open.id })).await.0, 20);
    let client = desk.grant("somebody", tidegate_model::ClientOwner::Administrator, tidegate_model::Scope::all());
    let cancelled = desk.ask_as("somebody", Some("acme"), CANCEL, json!({ "id": open.id })).await.data();
    assert_eq!(
        cancelled["cancelExecution"],
        json!({ "id": open.id, "status": "FAILED", "error": format!("cancelled by client:{client}"),
            "finishedAt": "2026-03-01T12:00:00.001Z", "nextAttemptAt": null })
    );
    let (code, message) = desk.refused(Some("acme"), CANCEL, json!({ "id": open.id })).await;
    assert_eq!((code, message.contains("it has ended")), (27, true), "{message}");
    assert_eq!(desk.refused(Some("acme"), CANCEL, json!({ "id": HOLDER })).await.0, 20);
    assert!(due(&desk).await.is_empty());
}

#[tokio::test]
async fn all_that_wait_are_cancelled_by_a_filter() {
    let desk = Desk::with_tenants().await;
    let (one, two) =
        (desk.create_outgoing("acme", "one", "Order").await, desk.create_outgoing("acme", "two", "Order").await);
    ended(&desk, &one, 2, Status::Dead).await;
    deliveries(&desk, &one, 130).await;
    deliveries(&desk, &two, 3).await;
    desk.store.release_all().await.unwrap();
    let held = desk.store.claim(HOLDER, desk.clock.now(), desk.clock.now() + TimeDelta::minutes(1), 4, Whose::Anybodys);
    assert_eq!(held.await.unwrap().len(), 4);
    let filter = json!({ "integrationID": one });
    let cancel = async |tenant: &str, filter: &Value, dry: bool| {
        desk.ok(Some(tenant), CANCEL_ALL, json!({ "f": filter, "d": dry })).await["cancelExecutions"].take()
    };
    let nothing = json!({ "count": 0, "cancelled": 0, "inHand": 0 });
    assert_eq!(cancel("acme", &filter, true).await, json!({ "count": 130, "cancelled": 0, "inHand": 0 }));
    assert_eq!(cancel("other", &filter, false).await, nothing);
    assert_eq!(cancel("acme", &json!({ "statuses": ["DEAD", "FAILED"] }), false).await, nothing);
    assert_eq!(cancel("acme", &filter, false).await, json!({ "count": 130, "cancelled": 126, "inHand": 4 }));
    let open = "query($f: ExecutionFilter) { executions(filter: $f) { totalCount } }";
    let open = desk.ok(Some("acme"), open, json!({ "f": { "statuses": ["PENDING", "RETRYING"] } })).await;
    assert_eq!(open["executions"]["totalCount"], 7);
}

#[tokio::test]
async fn both_faces_replay_and_cancel() {
    let desk = Desk::with_tenants().await;
    let outgoing = desk.create_outgoing("acme", "out", "Order").await;
    ended(&desk, &outgoing, 2, Status::Dead).await;
    let open = deliveries(&desk, &outgoing, 2).await;
    desk.store.release_all().await.unwrap();
    let mut client = ExecutionServiceClient::new(desk.director.grpc().routes());
    let filter = v1::ExecutionFilter { statuses: vec![v1::ExecutionStatus::Dead.into()], ..Default::default() };
    let ask = v1::ReplayExecutionsRequest { filter: Some(filter), dry_run: None, rate_per_second: Some(7) };
    let begun = client.replay_executions(admin(Some("acme"), ask)).await.unwrap().into_inner();
    let begun = begun.replayed_executions.unwrap();
    let id = begun.replay_id.unwrap();
    assert_eq!(begun.count, 2);
    let ask = v1::GetReplayRequest { id: id.clone() };
    let replay = client.get_replay(admin(Some("acme"), ask)).await.unwrap().into_inner().replay.unwrap();
    assert_eq!((replay.rate_per_second, replay.state(), replay.count), (7, v1::ReplayState::Running, 2));
    let ask = v1::StopReplayRequest { id };
    let stopped = client.stop_replay(admin(Some("acme"), ask)).await.unwrap().into_inner().replay.unwrap();
    assert_eq!((stopped.state(), stopped.ended_at.is_some()), (v1::ReplayState::Stopped, true));
    let page = client.list_replays(admin(Some("acme"), v1::ListReplaysRequest::default())).await.unwrap().into_inner();
    assert_eq!((page.total_count, page.data[0].replayed), (1, 0));

    let ask = v1::CancelExecutionRequest { id: open[0].id.to_string() };
    let cancelled = client.cancel_execution(admin(Some("acme"), ask)).await.unwrap().into_inner().execution.unwrap();
    assert_eq!(cancelled.status(), v1::ExecutionStatus::Failed);
    let filter =
        v1::ExecutionFilter { event_id: open[1].event.as_ref().map(|e| e.id.to_string()), ..Default::default() };
    let ask = v1::CancelExecutionsRequest { filter: Some(filter), dry_run: Some(true) };
    let counted = client.cancel_executions(admin(Some("acme"), ask)).await.unwrap().into_inner();
    let counted = counted.cancelled_executions.unwrap();
    assert_eq!((counted.count, counted.cancelled, counted.in_hand), (1, 0, 0));
    let refused = client.cancel_executions(admin(Some("acme"), v1::CancelExecutionsRequest::default())).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
}
