//! Entries of the bus that became no events: shown, corrected, sent again, deleted.

use serde_json::{Value, json};
use tidegate_model::contract::Incomprehensible;
use tidegate_model::{AsideId, Change, ClientOwner, Clock as _, IntegrationSystemId, Scope, SystemRandomness};
use tidegate_storage::contract::{AsideEntry, Intake};
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::event_service_client::EventServiceClient;
use uuid::Uuid;

use crate::desk::{Desk, tenant, text};
use crate::grpc::admin;

const LIST: &str =
    "query($n: Int, $a: PageCursor) { asideEvents(first: $n, after: $a) { totalCount pageInfo { endCursor hasNextPage }
    data { id subject reason time payload payloadTruncated } } }";
const FIND: &str = "query($id: ID!) { asideEvent(id: $id) { id } }";
const RESEND: &str = "mutation($id: ID!, $p: String) { resendAsideEvent(id: $id, payload: $p) }";
const DELETE: &str = "mutation($id: ID!) { deleteAsideEvent(id: $id) { subject } }";

/// Keeps an entry aside as the dispatcher does; answers its id.
async fn keep(desk: &Desk, of: Option<&str>, subject: &str, payload: &[u8]) -> String {
    let entry = Incomprehensible {
        tenant: of.map(tenant),
        subject: subject.to_owned(),
        payload: payload.to_vec(),
        reason: "data.new: expected an object".to_owned(),
        time: desk.clock.now(),
    };
    desk.clock.advance(chrono::TimeDelta::milliseconds(1));
    let id = AsideId::generate(&*desk.clock, &SystemRandomness);
    let intake = Intake { aside: vec![AsideEntry { id, position: 3, entry }], ..Intake::default() };
    let (from, now) = (desk.store.intake_position().await.unwrap(), desk.clock.now());
    desk.store.take_in(from, from + 1, &intake, Uuid::nil(), now, now).await.unwrap().unwrap();
    id.to_string()
}

fn event(id: &str, new: &Value) -> String {
    let data = json!({ "objectId": "o-1", "new": new });
    json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": "anything", "data": data }).to_string()
}

async fn listed(desk: &Desk, of: Option<&str>) -> Vec<String> {
    let page = desk.ok(of, LIST, json!({})).await["asideEvents"].take();
    assert_eq!(page["totalCount"], page["data"].as_array().unwrap().len());
    page["data"].as_array().unwrap().iter().map(|one| text(&one["subject"])).collect()
}

#[tokio::test]
async fn what_is_no_event_is_listed_with_its_reason_newest_first() {
    let desk = Desk::with_tenants().await;
    let first = keep(&desk, Some("acme"), "tidegate.events.acme.Order.create", b"{\"a\"").await;
    keep(&desk, Some("acme"), "tidegate.events.acme.Order.explode", &[0xff, 0]).await;
    let large = "x".repeat(70_000);
    keep(&desk, Some("acme"), "tidegate.events.acme.Order.update", large.as_bytes()).await;
    let page = desk.ok(Some("acme"), LIST, json!({ "n": 2 })).await["asideEvents"].take();
    assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    assert_eq!((text(&page["data"][0]["payload"]).len(), &page["data"][0]["payloadTruncated"]), (65_536, &json!(true)));
    assert_eq!(page["data"][1]["payload"], "/wA=");
    let page =
        desk.ok(Some("acme"), LIST, json!({ "n": 2, "a": page["pageInfo"]["endCursor"] })).await["asideEvents"].take();
    assert_eq!(
        page["data"],
        json!([{ "id": first, "subject": "tidegate.events.acme.Order.create", "reason": "data.new: expected an object",
            "time": "2026-03-01T12:00:00Z", "payload": "{\"a\"", "payloadTruncated": false }])
    );
}

#[tokio::test]
async fn each_tenant_sees_its_own_and_the_operator_alone_what_is_nobodys() {
    let desk = Desk::with_tenants().await;
    let mine = keep(&desk, Some("acme"), "acme's", b"").await;
    let others = keep(&desk, Some("other"), "other's", b"").await;
    let nobodys = keep(&desk, Some("nowhere"), "nobody's", b"").await;
    assert_eq!(listed(&desk, Some("acme")).await, ["acme's"]);
    assert_eq!(listed(&desk, None).await, ["nobody's"]);
    for (of, id, seen) in [
        (Some("acme"), &mine, true),
        (Some("acme"), &others, false),
        (Some("acme"), &nobodys, false),
        (None, &nobodys, true),
        (None, &mine, false),
    ] {
        assert_eq!(desk.ok(of, FIND, json!({ "id": id })).await["asideEvent"].is_object(), seen);
    }
    for query in [RESEND, DELETE] {
        assert_eq!(desk.refused(Some("acme"), query, json!({ "id": others })).await.0, 20);
        assert_eq!(desk.refused(Some("acme"), query, json!({ "id": "no id" })).await.0, 20);
    }
    let system = ClientOwner::IntegrationSystem(IntegrationSystemId::generate(&*desk.clock, &SystemRandomness));
    desk.grant("system", system, Scope::of_integration_system());
    assert_eq!(desk.ask_as("system", None, LIST, json!({})).await.refusal().0, 24, "it names a tenant");
    assert_eq!(desk.ask_as("system", Some("acme"), LIST, json!({})).await.data()["asideEvents"]["totalCount"], 1);
    assert_eq!(desk.ask_as("system", Some("acme"), RESEND, json!({ "id": nobodys })).await.refusal().0, 20);
    desk.grant_scopes("reader", &["event:read"]);
    desk.grant_scopes("writer", &["event:write"]);
    assert_eq!(desk.ask_as("writer", Some("acme"), LIST, json!({})).await.refusal().0, 23);
    for query in [RESEND, DELETE] {
        assert_eq!(desk.ask_as("reader", Some("acme"), query, json!({ "id": mine })).await.refusal().0, 23);
    }
    assert_eq!(desk.ok(Some("acme"), DELETE, json!({ "id": mine })).await["deleteAsideEvent"]["subject"], "acme's");
    assert!(listed(&desk, Some("acme")).await.is_empty());
}

#[tokio::test]
async fn a_corrected_entry_is_published_in_its_place_and_forgotten() {
    let desk = Desk::with_tenants().await;
    let subject = "tidegate.events.acme.Order.create";
    let id = keep(&desk, Some("acme"), subject, event("e-1", &json!([])).as_bytes()).await;
    let (code, message) = desk.refused(Some("acme"), RESEND, json!({ "id": id })).await;
    assert_eq!((code, message.contains("data.new")), (27, true), "{message}");
    let (code, message) = desk.refused(Some("acme"), RESEND, json!({ "id": id, "p": "{" })).await;
    assert_eq!((code, message.contains("payload")), (22, true), "{message}");
    assert_eq!(listed(&desk, Some("acme")).await, [subject], "it stays until it is sent");
    desk.bus.away.store(true, std::sync::atomic::Ordering::SeqCst);
    let corrected = event("e-1", &json!({ "a": 1.50 }));
    assert_eq!(desk.refused(Some("acme"), RESEND, json!({ "id": id, "p": corrected })).await.0, 10);
    desk.bus.away.store(false, std::sync::atomic::Ordering::SeqCst);
    let sent = desk.ok(Some("acme"), RESEND, json!({ "id": id, "p": corrected })).await;
    assert_eq!(sent["resendAsideEvent"], "e-1");
    let published = desk.published().await;
    assert_eq!((published.len(), published[0].object_type.as_str()), (1, "Order"));
    assert!(matches!(&published[0].change, Change::Create { .. }));
    assert!(listed(&desk, Some("acme")).await.is_empty());
    assert_eq!(desk.refused(Some("acme"), RESEND, json!({ "id": id, "p": corrected })).await.0, 20);
}

#[tokio::test]
async fn an_event_that_the_log_had_before_is_there_again_when_it_is_sent_again() {
    let desk = Desk::with_tenants().await;
    let publish = "mutation($in: EventInput!) { publishEvent(in: $in) }";
    let input = json!({ "id": "e-1", "objectType": "Order", "eventType": "CREATE", "objectId": "1", "new": {} });
    desk.ok(Some("acme"), publish, json!({ "in": input })).await;
    let before = desk.bus_entries().await;
    // It could not be stored, so it was kept aside.
    let subject = "tidegate.events.acme.Order.create";
    let id = keep(&desk, Some("acme"), subject, event("e-1", &json!({})).as_bytes()).await;
    desk.ok(Some("acme"), RESEND, json!({ "id": id })).await;
    let after = desk.bus_entries().await;
    assert!(after.len() == 1 && after[0] > before[0], "{before:?} {after:?}");
}

#[tokio::test]
async fn what_is_nobodys_goes_where_its_subject_says_or_the_operator() {
    let desk = Desk::with_tenants().await;
    let subject = "tidegate.events.late.Order.delete";
    let payload = json!({ "specversion": "1.0", "id": "e", "source": "/", "type": "x", "data": { "objectId": 1 } });
    let one = keep(&desk, Some("late"), subject, payload.to_string().as_bytes()).await;
    let two = keep(&desk, Some("late"), subject, payload.to_string().as_bytes()).await;
    let (code, message) = desk.refused(None, RESEND, json!({ "id": one })).await;
    assert_eq!((code, message.contains("Tenant")), (27, true), "{message}");
    desk.ok(Some("acme"), RESEND, json!({ "id": one })).await;
    desk.ok(None, "mutation { createTenant(in: {id: \"late\", name: \"Late\"}) { id } }", json!({})).await;
    desk.ok(None, RESEND, json!({ "id": two })).await;
    let tenants: Vec<_> = desk.published().await.into_iter().map(|event| event.tenant.to_string()).collect();
    assert_eq!(tenants, ["acme", "late"]);
    assert!(listed(&desk, None).await.is_empty());
    // Without a subject that says so, the type of the event does.
    let typed = payload.to_string().replace("\"x\"", "\"shop.Order.delete\"");
    let three = keep(&desk, None, "elsewhere", typed.as_bytes()).await;
    desk.ok(Some("acme"), RESEND, json!({ "id": three })).await;
}

#[tokio::test]
async fn both_faces_show_and_send_them() {
    let desk = Desk::with_tenants().await;
    let subject = "tidegate.events.acme.Order.create";
    let id = keep(&desk, Some("acme"), subject, event("e-1", &json!({})).as_bytes()).await;
    let other = keep(&desk, Some("acme"), subject, b"\xff").await;
    let mut client = EventServiceClient::new(desk.director.grpc().routes());
    let ask = v1::ListAsideEventsRequest::default();
    let page = client.list_aside_events(admin(Some("acme"), ask)).await.unwrap().into_inner();
    assert_eq!((page.total_count, page.data[0].payload.as_str(), page.data[1].id.as_str()), (2, "/w==", id.as_str()));
    let ask = v1::GetAsideEventRequest { id: other.clone() };
    let found = client.get_aside_event(admin(Some("acme"), ask.clone())).await.unwrap().into_inner();
    assert_eq!(found.aside_event.unwrap().subject, subject);
    let hidden = client.get_aside_event(admin(Some("other"), ask)).await.unwrap().into_inner();
    assert!(hidden.aside_event.is_none());
    let ask = v1::ResendAsideEventRequest { id, payload: None };
    let sent = client.resend_aside_event(admin(Some("acme"), ask)).await.unwrap().into_inner();
    assert_eq!(sent.id, "e-1");
    let ask = v1::DeleteAsideEventRequest { id: other };
    client.delete_aside_event(admin(Some("acme"), ask)).await.unwrap();
    assert!(listed(&desk, Some("acme")).await.is_empty());
}
