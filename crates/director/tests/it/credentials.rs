use serde_json::{Value, json};
use tidegate_model::{ClientOwner, IntegrationSystemId, Material, OpenCredential, Scope, SystemRandomness};

use crate::desk::{ADMIN, Desk, tenant, text};

const CREATE: &str = "mutation($in: CredentialInput!) { createCredential(in: $in) { id name kind description allowedHosts \
    username headerName tokenUrl clientId scope authStyle signingSecrets { id createdAt } createdAt updatedAt } }";
const UPDATE: &str = "mutation($id: ID!, $in: CredentialUpdateInput!) { updateCredential(id: $id, in: $in) { id username \
    tokenUrl allowedHosts updatedAt signingSecrets { id } } }";
const DELETE: &str = "mutation($id: ID!) { deleteCredential(id: $id) { name } }";
const ADD: &str = "mutation($id: ID!, $s: String!) { addSigningSecret(id: $id, secret: $s) { signingSecrets { id } } }";
const REMOVE: &str =
    "mutation($id: ID!, $s: ID!) { removeSigningSecret(id: $id, secretID: $s) { signingSecrets { id } } }";
const READ: &str = "query($id: ID!) { credential(id: $id) { name } }";

fn basic() -> Value {
    json!({ "name": "shop", "kind": "BASIC", "allowedHosts": ["api.example.com"], "username": "ann", "secret": "canary-1" })
}

fn oauth2() -> Value {
    json!({
        "name": "shop", "kind": "OAUTH2", "allowedHosts": ["*.example.com"], "tokenUrl": "https://id.example.com/token",
        "clientId": "us", "scope": "a b", "secret": "canary-1",
    })
}

fn signing() -> Value {
    json!({ "name": "hooks", "kind": "SIGNING", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" })
}

/// With fields replaced; null takes one out.
fn with(mut input: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        input[key] = value.clone();
    }
    input.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    input
}

async fn create(desk: &Desk, input: Value) -> Value {
    desk.ok(Some("acme"), CREATE, json!({ "in": input })).await["createCredential"].clone()
}

async fn opened(desk: &Desk, name: &str) -> Option<OpenCredential> {
    desk.director.vault().credential(&tenant("acme"), name).await.unwrap().map(|open| (*open).clone())
}

fn revealed(open: Option<OpenCredential>) -> String {
    match open.unwrap().material {
        Material::Basic { password, .. } => password.reveal().to_owned(),
        Material::OAuth2(client) => client.client_secret.reveal().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_secret_goes_in_and_comes_out_at_the_vault_alone() {
    let desk = Desk::with_tenants().await;
    let before = desk.notices_so_far();
    let made = create(&desk, oauth2()).await;
    assert_eq!(
        made,
        json!({
            "id": made["id"], "name": "shop", "kind": "OAUTH2", "description": null, "allowedHosts": ["*.example.com"],
            "username": null, "headerName": null, "tokenUrl": "https://id.example.com/token", "clientId": "us",
            "scope": "a b", "authStyle": "BASIC", "signingSecrets": [], "createdAt": "2026-03-01T12:00:00Z",
            "updatedAt": "2026-03-01T12:00:00Z",
        })
    );
    assert!(desk.notices_so_far() > before);
    assert_eq!(revealed(opened(&desk, "shop").await), "canary-1");
    assert!(desk.director.vault().credential(&tenant("other"), "shop").await.unwrap().is_none());
    let schema = tidegate_director::sdl();
    let (_, answered) = schema.split_once("\ntype Credential {").unwrap();
    let (answered, _) = answered.split_once("\n}").unwrap();
    let fields: Vec<_> = answered.lines().map(str::trim).filter(|line| line.starts_with("secret")).collect();
    assert!(fields.is_empty(), "{fields:?}");
}

#[tokio::test]
async fn an_update_without_a_secret_keeps_it_and_says_again_where_it_may_go() {
    let desk = Desk::with_tenants().await;
    let id =
        text(&create(&desk, with(basic(), &json!({ "allowedHosts": ["a.example.com", "b.example.com"] }))).await["id"]);
    desk.clock.advance(chrono::TimeDelta::seconds(5));
    let before = desk.notices_so_far();
    let input = json!({ "username": "bob", "allowedHosts": ["b.example.com"], "description": "ours" });
    let changed = desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": input })).await;
    assert_eq!(changed["updateCredential"]["username"], "bob");
    assert_eq!(changed["updateCredential"]["updatedAt"], "2026-03-01T12:00:05Z");
    assert!(desk.notices_so_far() > before);
    assert_eq!(revealed(opened(&desk, "shop").await), "canary-1");

    let input = json!({ "username": "bob", "allowedHosts": ["b.example.com"], "secret": "canary-2" });
    desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": input })).await;
    assert_eq!(revealed(opened(&desk, "shop").await), "canary-2");
}

#[tokio::test]
async fn who_does_not_know_the_secret_cannot_have_it_sent_elsewhere() {
    let desk = Desk::with_tenants().await;
    let id = text(&create(&desk, oauth2()).await["id"]);
    let same = with(oauth2(), &json!({ "name": null, "kind": null, "secret": null }));
    desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": same })).await;
    for elsewhere in
        [json!({ "allowedHosts": ["*.example.com", "evil.test"] }), json!({ "tokenUrl": "https://evil.test/token" })]
    {
        let input = with(same.clone(), &elsewhere);
        let (code, message) = desk.refused(Some("acme"), UPDATE, json!({ "id": id, "in": input })).await;
        assert!(code == 22 && message.contains("in.secret"), "{message}");
        let known = with(input, &json!({ "secret": "canary-2" }));
        desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": known })).await;
    }
}

#[tokio::test]
async fn signing_secrets_are_changed_with_overlap() {
    let desk = Desk::with_tenants().await;
    let made = create(&desk, signing()).await;
    let id = text(&made["id"]);
    let first = made["signingSecrets"][0]["id"].clone();
    let last = desk.refused(Some("acme"), REMOVE, json!({ "id": id, "s": first })).await;
    assert!(last.0 == 27 && last.1.contains("last"), "{}", last.1);
    let added = desk.ok(Some("acme"), ADD, json!({ "id": id, "s": "canary-2" })).await["addSigningSecret"].clone();
    assert_eq!(added["signingSecrets"][1]["id"], first, "the newest first");
    let open = opened(&desk, "hooks").await.unwrap();
    let texts: Vec<_> = open.material.signing_secrets().iter().map(|one| one.secret.reveal().to_owned()).collect();
    assert_eq!(texts, ["canary-2", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);

    let describe = json!({ "description": "hooks of ours" });
    let described = desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": describe })).await;
    assert_eq!(described["updateCredential"]["signingSecrets"], added["signingSecrets"]);
    desk.ok(Some("acme"), REMOVE, json!({ "id": id, "s": first })).await;
    assert_eq!(desk.refused(Some("acme"), REMOVE, json!({ "id": id, "s": first })).await.0, 20);
    assert_eq!(opened(&desk, "hooks").await.unwrap().material.signing_secrets().len(), 1);

    for count in 3..=6 {
        desk.ok(Some("acme"), ADD, json!({ "id": id, "s": format!("secret-{count}") })).await;
    }
    assert_eq!(desk.refused(Some("acme"), ADD, json!({ "id": id, "s": "one too many" })).await.0, 27);
    assert_eq!(desk.refused(Some("acme"), ADD, json!({ "id": id, "s": "two\nlines" })).await.0, 22);
    let other = text(&create(&desk, basic()).await["id"]);
    assert_eq!(desk.refused(Some("acme"), ADD, json!({ "id": other, "s": "x" })).await.0, 27);
}

#[tokio::test]
async fn what_is_no_credential_is_refused_with_each_field_and_never_quoted() {
    let desk = Desk::with_tenants().await;
    let header = json!({ "name": "h", "kind": "HEADER", "allowedHosts": ["a.example.com"], "headerName": "X-Key", "secret": "canary" });
    let bearer = json!({ "name": "b", "kind": "BEARER", "allowedHosts": ["a.example.com"], "secret": "canary" });
    for (input, changes, field) in [
        (basic(), json!({ "name": "" }), "in.name"),
        (basic(), json!({ "allowedHosts": null }), "in.allowedHosts"),
        (basic(), json!({ "allowedHosts": ["a.example.com", "https://x"] }), "in.allowedHosts[1]"),
        (basic(), json!({ "allowedHosts": ["*"] }), "in.allowedHosts[0]"),
        (basic(), json!({ "username": "a:b" }), "in.username"),
        (basic(), json!({ "secret": "" }), "in.secret"),
        (basic(), json!({ "secret": "canary\n" }), "in.secret"),
        (basic(), json!({ "headerName": "X-Key" }), "in.headerName"),
        (bearer.clone(), json!({ "secret": "canary canary" }), "in.secret"),
        (bearer, json!({ "username": "ann" }), "in.username"),
        (header.clone(), json!({ "headerName": "Content-Length" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "webhook-signature" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "Webhook-Id" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "webhook-timestamp" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "traceparent" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "Proxy-Authorization" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "Metadata-Flavor" }), "in.headerName"),
        (header.clone(), json!({ "headerName": "no name" }), "in.headerName"),
        (header.clone(), json!({ "headerName": null }), "in.headerName"),
        (header, json!({ "secret": "canary\r\nX: y" }), "in.secret"),
        (oauth2(), json!({ "tokenUrl": "file:///x" }), "in.tokenUrl"),
        (oauth2(), json!({ "clientId": null }), "in.clientId"),
        (signing(), json!({ "allowedHosts": ["a.example.com"] }), "in.allowedHosts"),
        (signing(), json!({ "secret": "canary\n" }), "in.secret"),
    ] {
        let input = with(input, &changes);
        let (code, message) = desk.refused(Some("acme"), CREATE, json!({ "in": input })).await;
        assert!(code == 22 && message.contains(field), "{changes}: {message}");
        assert!(!message.contains("canary"), "{message}");
    }
    create(&desk, basic()).await;
    assert_eq!(desk.refused(Some("acme"), CREATE, json!({ "in": basic() })).await.0, 21);
    desk.ok(Some("other"), CREATE, json!({ "in": basic() })).await;
}

#[tokio::test]
async fn another_tenants_credential_is_not_there() {
    let desk = Desk::with_tenants().await;
    let made = create(&desk, signing()).await;
    let (id, secret) = (text(&made["id"]), made["signingSecrets"][0]["id"].clone());
    assert_eq!(desk.ok(Some("other"), READ, json!({ "id": id })).await["credential"], Value::Null);
    let list = desk.ok(Some("other"), "{ credentials { totalCount data { id } } }", json!({})).await;
    assert_eq!(list["credentials"], json!({ "totalCount": 0, "data": [] }));
    for (mutation, variables) in [
        (UPDATE, json!({ "id": id, "in": {} })),
        (DELETE, json!({ "id": id })),
        (ADD, json!({ "id": id, "s": "x" })),
        (REMOVE, json!({ "id": id, "s": secret })),
    ] {
        assert_eq!(desk.refused(Some("other"), mutation, variables).await.0, 20, "{mutation}");
    }
    assert_eq!(opened(&desk, "hooks").await.unwrap().material.signing_secrets().len(), 1);
    let page = "query($a: PageCursor) { credentials(first: 1, after: $a) { data { name } pageInfo { endCursor hasNextPage } } }";
    desk.clock.advance(chrono::TimeDelta::seconds(1));
    create(&desk, basic()).await;
    let first = desk.ok(Some("acme"), page, json!({})).await["credentials"].clone();
    let cursor = first["pageInfo"]["endCursor"].clone();
    assert_eq!(desk.refused(Some("other"), page, json!({ "a": cursor })).await.0, 22);
    let second = desk.ok(Some("acme"), page, json!({ "a": cursor })).await["credentials"].clone();
    assert_eq!([&first["data"], &second["data"]], [&json!([{ "name": "hooks" }]), &json!([{ "name": "shop" }])]);
}

#[tokio::test]
async fn a_client_of_an_integration_system_reads_credentials_and_writes_none() {
    let desk = Desk::with_tenants().await;
    let id = text(&create(&desk, basic()).await["id"]);
    let system = IntegrationSystemId::generate(&*desk.clock, &SystemRandomness);
    desk.grant("system", ClientOwner::IntegrationSystem(system), Scope::of_integration_system());
    desk.grant_scopes("writer", &["credential:write"]);
    let read = desk.ask_as("system", Some("acme"), READ, json!({ "id": id })).await.data();
    assert_eq!(read["credential"]["name"], "shop");
    for (mutation, variables) in [
        (CREATE, json!({ "in": with(basic(), &json!({ "name": "another" })) })),
        (UPDATE, json!({ "id": id, "in": {} })),
        (DELETE, json!({ "id": id })),
        (ADD, json!({ "id": id, "s": "x" })),
        (REMOVE, json!({ "id": id, "s": id })),
    ] {
        let (code, message) = desk.ask_as("system", Some("acme"), mutation, variables).await.refusal();
        assert!(code == 23 && message.contains("credential:write"), "{mutation}: {message}");
    }
    assert_eq!(desk.ask_as("writer", Some("acme"), READ, json!({ "id": id })).await.refusal().0, 23);
    assert_eq!(desk.ask_as("writer", None, DELETE, json!({ "id": id })).await.refusal().0, 24);
    assert_eq!(
        desk.ask_as(ADMIN, Some("acme"), DELETE, json!({ "id": id })).await.data()["deleteCredential"]["name"],
        "shop"
    );
    assert!(opened(&desk, "shop").await.is_none());
}

#[tokio::test]
async fn every_change_is_an_event_and_no_event_holds_a_secret() {
    let desk = Desk::with_tenants().await;
    let id = text(&create(&desk, basic()).await["id"]);
    let secret = json!({ "username": "ann", "allowedHosts": ["api.example.com"], "secret": "canary-2" });
    desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": secret })).await;
    let same = json!({ "username": "ann", "allowedHosts": ["api.example.com"] });
    desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": same })).await;
    let told = json!({ "username": "ann", "allowedHosts": ["api.example.com"], "description": "ours" });
    desk.ok(Some("acme"), UPDATE, json!({ "id": id, "in": told })).await;
    desk.ok(Some("acme"), DELETE, json!({ "id": id })).await;
    let events = desk.committed().await;
    let kinds: Vec<_> = events.iter().map(|event| event.change.event_type().as_str()).collect();
    assert_eq!(kinds, ["CREATE", "UPDATE", "UPDATE", "DELETE"], "what changes nothing is none");
    for event in &events {
        assert_eq!((event.object_type.as_str(), event.object_id.as_str()), ("Credential", id.as_str()));
        let written = serde_json::to_string(&event.change).unwrap();
        assert!(written.contains("api.example.com") && !written.contains("canary"), "{written}");
    }
    let state = json!({ "name": "shop", "kind": "BASIC", "description": "ours", "allowedHosts": ["api.example.com"] });
    assert_eq!(events[3].change.object().to_value(), state);
}
