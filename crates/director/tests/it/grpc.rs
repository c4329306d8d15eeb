//! The gRPC face, as clients meet it: the same services, under statuses with details.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use serde_json::json;
use tidegate_model::Clock as _;
use tidegate_wire::api::v1;
use tidegate_wire::api::v1::event_service_client::EventServiceClient;
use tidegate_wire::api::v1::integration_service_client::IntegrationServiceClient;
use tidegate_wire::api::v1::integration_system_service_client::IntegrationSystemServiceClient;
use tidegate_wire::api::v1::logic_service_client::LogicServiceClient;
use tidegate_wire::api::v1::object_service_client::ObjectServiceClient;
use tidegate_wire::api::v1::tenant_service_client::TenantServiceClient;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use crate::desk::{ADMIN, Desk, text};

/// A request under a token, perhaps in a tenant.
fn under<M>(token: &str, tenant: Option<&str>, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    if let Some(tenant) = tenant {
        request.metadata_mut().insert("tenant", tenant.parse().unwrap());
    }
    request
}

pub(crate) fn admin<M>(tenant: Option<&str>, message: M) -> Request<M> {
    under(ADMIN, tenant, message)
}

/// The status's code, the error's name and its number.
fn kind(status: &Status) -> (Code, String, String) {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, "tidegate");
    (status.code(), info.reason, info.metadata["error_code"].clone())
}

fn is(status: &Status, code: Code, reason: &str, number: &str) {
    assert_eq!(kind(status), (code, reason.to_owned(), number.to_owned()), "{status}");
}

fn tenant_input(id: &str, name: &str) -> v1::CreateTenantRequest {
    v1::CreateTenantRequest { input: Some(v1::TenantInput { id: id.into(), name: name.into() }) }
}

#[tokio::test]
async fn what_one_face_writes_the_other_reads() {
    let desk = Desk::new().await;
    let mut tenants = TenantServiceClient::new(desk.director.grpc().routes());
    let made = tenants.create_tenant(admin(None, tenant_input("acme", "Acme"))).await.unwrap().into_inner();
    let told = desk.ok(None, "{ tenant(id: \"acme\") { name createdAt } }", json!({})).await;
    assert_eq!(told["tenant"], json!({ "name": "Acme", "createdAt": "2026-03-01T12:00:00Z" }));
    assert_eq!(made.tenant.unwrap().created_at.unwrap().seconds, desk.clock.now().timestamp());

    let id = desk.create_outgoing("acme", "erp", "Order").await;
    let mut integrations = IntegrationServiceClient::new(desk.director.grpc().routes());
    let asked = v1::GetIntegrationRequest { id, with_interface: true };
    let found = integrations.get_integration(admin(Some("acme"), asked)).await.unwrap();
    let found = found.into_inner().integration.unwrap();
    assert_eq!((found.r#type(), found.url.as_deref()), (v1::IntegrationType::Outgoing, Some("http://sink.example/in")));
    assert_eq!(found.subscriptions[0].event_type(), v1::EventType::Create);
    assert_eq!((found.webhook_url, found.openapi, found.snippets.len()), (None, None, 0));
}

#[tokio::test]
async fn an_incoming_integration_shows_its_url_until_it_is_regenerated() {
    let desk = Desk::with_tenants().await;
    let (id, url) = desk.create_incoming("acme", "shop").await;
    let outgoing = desk.create_outgoing("acme", "erp", "Order").await;
    let mut client = IntegrationServiceClient::new(desk.director.grpc().routes());
    let all = client.list_integrations(admin(Some("acme"), v1::ListIntegrationsRequest::default())).await.unwrap();
    let urls: HashMap<_, _> = all.into_inner().data.into_iter().map(|i| (i.id, i.webhook_url)).collect();
    assert_eq!(urls, HashMap::from([(id.clone(), Some(url.clone())), (outgoing.clone(), None)]));

    let both = v1::RegenerateWebhookUrlsRequest { ids: vec![id.clone(), outgoing] };
    is(
        &client.regenerate_webhook_urls(admin(Some("acme"), both)).await.unwrap_err(),
        Code::FailedPrecondition,
        "InvalidOperation",
        "27",
    );
    let one = v1::RegenerateWebhookUrlsRequest { ids: vec![id] };
    let regenerated = client.regenerate_webhook_urls(admin(Some("acme"), one)).await.unwrap().into_inner();
    let fresh = regenerated.integrations[0].webhook_url.clone().unwrap();
    assert!(fresh.starts_with("https://gate.example/webhook/") && fresh != url, "{fresh}");
}

#[tokio::test]
async fn whoever_is_not_admitted_is_unauthenticated_whatever_it_calls() {
    let desk = Desk::new().await;
    let mut client = TenantServiceClient::new(desk.director.grpc().routes());
    let message = v1::ListTenantsRequest::default();
    let without = client.list_tenants(message.clone()).await.unwrap_err();
    is(&without, Code::Unauthenticated, "Unauthorized", "26");
    let wrong = client.list_tenants(under("nobody", None, message)).await.unwrap_err();
    is(&wrong, Code::Unauthenticated, "Unauthorized", "26");
    // An RPC that there is not: no stranger learns that.
    let path = http::uri::PathAndQuery::from_static("/tidegate.v1.TenantService/Nothing");
    let mut raw = tonic::client::Grpc::new(desk.director.grpc().routes());
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let nothing = raw.unary(Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(nothing.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn scopes_and_tenants_are_asked_for_as_in_graphql() {
    let desk = Desk::with_tenants().await;
    desk.grant_scopes("reader", &["tenant:read", "integration_system:read"]);
    let mut tenants = TenantServiceClient::new(desk.director.grpc().routes());
    tenants.list_tenants(under("reader", None, v1::ListTenantsRequest::default())).await.unwrap();
    let refused = tenants.create_tenant(under("reader", None, tenant_input("x", "x"))).await.unwrap_err();
    is(&refused, Code::PermissionDenied, "InsufficientScopes", "23");
    assert_eq!(refused.get_details_error_info().unwrap().metadata["scope"], "tenant:write");
    let unknown = tenants.list_tenants(admin(Some("nope"), v1::ListTenantsRequest::default())).await.unwrap_err();
    is(&unknown, Code::NotFound, "TenantNotFound", "25");
    assert_eq!(unknown.get_details_resource_info().unwrap().resource_type, "Tenant");

    let mut logics = LogicServiceClient::new(desk.director.grpc().routes());
    let nowhere = logics.list_logics(admin(None, v1::ListLogicsRequest::default())).await.unwrap_err();
    is(&nowhere, Code::InvalidArgument, "TenantRequired", "24");

    let mut systems = IntegrationSystemServiceClient::new(desk.director.grpc().routes());
    let asked = |with_auths| v1::ListIntegrationSystemsRequest { with_auths, ..Default::default() };
    let input = v1::IntegrationSystemInput { name: "crm".into(), description: None };
    let request = v1::RegisterIntegrationSystemRequest { input: Some(input) };
    systems.register_integration_system(admin(None, request)).await.unwrap();
    systems.list_integration_systems(under("reader", None, asked(false))).await.unwrap();
    let refused = systems.list_integration_systems(under("reader", None, asked(true))).await.unwrap_err();
    is(&refused, Code::PermissionDenied, "InsufficientScopes", "23");
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_with_which_thing() {
    let desk = Desk::with_tenants().await;
    let mut tenants = TenantServiceClient::new(desk.director.grpc().routes());
    let taken = tenants.create_tenant(admin(None, tenant_input("acme", "Acme"))).await.unwrap_err();
    is(&taken, Code::AlreadyExists, "NotUnique", "21");
    let resource = taken.get_details_resource_info().unwrap();
    assert_eq!((resource.resource_type.as_str(), resource.resource_name.as_str()), ("Tenant", "acme"));
    let unknown = v1::DeleteTenantRequest { id: "nope".into() };
    is(&tenants.delete_tenant(admin(None, unknown)).await.unwrap_err(), Code::NotFound, "NotFound", "20");
    let unknown = v1::GetTenantRequest { id: "nope".into() };
    assert_eq!(tenants.get_tenant(admin(None, unknown)).await.unwrap().into_inner().tenant, None);

    let fields = |status: Status| {
        is(&status, Code::InvalidArgument, "InvalidData", "22");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        violations.into_iter().map(|v| v.field).collect::<Vec<_>>()
    };
    let both = tenants.create_tenant(admin(None, tenant_input("Not A Label", ""))).await.unwrap_err();
    assert_eq!(fields(both), ["input.name", "input.id"]);
    let none = tenants.create_tenant(admin(None, v1::CreateTenantRequest::default())).await.unwrap_err();
    assert_eq!(fields(none), ["input"]);
    let many = v1::ListTenantsRequest { first: Some(101), after: None };
    assert_eq!(fields(tenants.list_tenants(admin(None, many)).await.unwrap_err()), ["first"]);

    let mut integrations = IntegrationServiceClient::new(desk.director.grpc().routes());
    let input = v1::IntegrationUpdateInput { http_method: v1::HttpMethod::Get.into(), ..Default::default() };
    let update = v1::UpdateIntegrationRequest { id: "x".into(), input: Some(input) };
    let silent = integrations.update_integration(admin(Some("acme"), update)).await.unwrap_err();
    assert_eq!(fields(silent), ["input.active"]);
    let input = v1::IntegrationInput {
        name: "erp".into(),
        r#type: v1::IntegrationType::Outgoing.into(),
        http_method: v1::HttpMethod::Post.into(),
        core_logic_id: "x".into(),
        ..Default::default()
    };
    let create = v1::CreateIntegrationRequest { input: Some(input) };
    let broken = integrations.create_integration(admin(Some("acme"), create)).await.unwrap_err();
    assert_eq!(fields(broken), ["input.url", "input.subscriptions", "input.core_logic_id"]);
}

#[tokio::test]
async fn what_is_away_may_be_asked_again_and_says_when() {
    let desk = Desk::with_tenants().await;
    desk.bus.away.store(true, Ordering::SeqCst);
    let input = v1::EventInput {
        object_type: "Order".into(),
        event_type: v1::EventType::Create.into(),
        object_id: "1".into(),
        new: Some("{}".into()),
        ..Default::default()
    };
    let mut client = EventServiceClient::new(desk.director.grpc().routes());
    let request = v1::PublishEventRequest { input: Some(input) };
    let away = client.publish_event(admin(Some("acme"), request.clone())).await.unwrap_err();
    is(&away, Code::Unavailable, "InternalError", "10");
    assert!(away.get_details_retry_info().unwrap().retry_delay.unwrap().as_millis() > 0);
    desk.bus.away.store(false, Ordering::SeqCst);
    let id = client.publish_event(admin(Some("acme"), request)).await.unwrap().into_inner().id;
    assert_eq!(desk.published().await[0].id.to_string(), id);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_the_callers_fault() {
    let desk = Desk::new().await;
    let mut tenants = TenantServiceClient::new(desk.director.grpc().routes());
    let large = tenants.create_tenant(admin(None, tenant_input("acme", &"x".repeat(2 << 20)))).await.unwrap_err();
    is(&large, Code::InvalidArgument, "InvalidData", "22");
    // Its name is no text: 0xff is nowhere in UTF-8.
    let frame: &[u8] = &[0, 0, 0, 0, 6, 0x0a, 4, 0x12, 2, 0xff, 0xff];
    let request = http::Request::post("/tidegate.v1.TenantService/CreateTenant")
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {ADMIN}"))
        .body(axum::body::Body::from(frame))
        .unwrap();
    let response = desk.director.grpc().routes().oneshot(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).unwrap();
    is(&status, Code::InvalidArgument, "InvalidData", "22");
    assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "request");
}

#[tokio::test]
async fn json_comes_through_as_it_was_written() {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let mut client = ObjectServiceClient::new(desk.director.grpc().routes());
    let data = r#"{"qty":9007199254740993,"max":18446744073709551615,"rate":0.1,"none":null,"list":[],"map":{},"text":"\u00e4"}"#;
    let create = v1::CreateObjectRequest { object_type: "Order".into(), id: Some("o-1".into()), data: data.into() };
    client.create_object(admin(Some("acme"), create)).await.unwrap();
    let get = v1::GetObjectRequest { object_type: "Order".into(), id: "o-1".into() };
    let found = client.get_object(admin(Some("acme"), get)).await.unwrap().into_inner().object.unwrap();
    for kept in ["9007199254740993", "18446744073709551615", "0.1", "\"none\":null", "\"list\":[]", "\"map\":{}"] {
        assert!(found.data.contains(kept), "{kept} is not in {}", found.data);
    }
    let broken = v1::UpdateObjectRequest {
        object_type: "Order".into(),
        id: "o-1".into(),
        data: "{\"qty\":".into(),
        if_version: None,
    };
    let refused = client.update_object(admin(Some("acme"), broken)).await.unwrap_err();
    is(&refused, Code::InvalidArgument, "InvalidData", "22");
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "data");
}

#[tokio::test]
async fn a_list_has_the_same_pages_on_both_faces() {
    let desk = Desk::with_tenants().await;
    let mut client = TenantServiceClient::new(desk.director.grpc().routes());
    let first = v1::ListTenantsRequest { first: Some(1), after: None };
    let page = client.list_tenants(admin(None, first)).await.unwrap().into_inner();
    let info = page.page_info.unwrap();
    assert_eq!((page.total_count, info.has_next_page, info.start_cursor.as_str()), (2, true, ""));
    let query = "query($a: PageCursor) { tenants(first: 1, after: $a) { data { id } pageInfo { endCursor } } }";
    let rest = desk.ok(None, query, json!({ "a": info.end_cursor })).await;
    assert_eq!(text(&rest["tenants"]["data"][0]["id"]), "other");
    assert_eq!(text(&rest["tenants"]["pageInfo"]["endCursor"]), "");
    let next = v1::ListTenantsRequest { first: None, after: Some(info.end_cursor.clone()) };
    let last = client.list_tenants(admin(None, next)).await.unwrap().into_inner();
    assert_eq!(last.page_info.unwrap().start_cursor, info.end_cursor);
    assert_eq!(last.data[0].id, "other");
}
