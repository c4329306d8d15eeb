//! Seed 000: five mutations and two queries, to the letter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tidegate_model::{Client, ClientId, ClientOwner, Clock as _, Scope, SecretHash, SystemRandomness};

use crate::desk::{Desk, text};

const REGISTER: &str =
    "mutation($in: IntegrationSystemInput!) { registerIntegrationSystem(in: $in) { id name description desciption } }";
const REQUEST: &str = "mutation($id: ID!) { requestClientCredentialsForIntegrationSystem(id: $id) {
    id type referenceObjectId auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } } } }";
const DELETE_AUTH: &str = "mutation($id: ID!) { deleteSystemAuthForIntegrationSystem(id: $id) { id auth { credential { ... on OAuthCredentialData { clientSecret } } } } }";
const AUTHS: &str = "query($id: ID!) { integrationSystem(id: $id) { auths { id auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } } } } }";

async fn register(desk: &Desk, name: &str) -> String {
    text(&desk.ok(None, REGISTER, json!({ "in": { "name": name } })).await["registerIntegrationSystem"]["id"])
}

#[tokio::test]
async fn it_is_registered_read_replaced_and_unregistered() {
    let desk = Desk::new().await;
    let input = json!({ "in": { "name": "integration-system", "description": "manages apps" } });
    let made = desk.ok(None, REGISTER, input).await["registerIntegrationSystem"].clone();
    assert_eq!(made["description"], "manages apps");
    assert_eq!(made["desciption"], "manages apps", "the spelling of the original");
    let id = made["id"].clone();

    let update =
        "mutation($id: ID!) { updateIntegrationSystem(id: $id, in: {name: \"renamed\"}) { name description } }";
    let updated = desk.ok(None, update, json!({ "id": id })).await;
    assert_eq!(updated["updateIntegrationSystem"], json!({ "name": "renamed", "description": null }));
    let read = desk.ok(None, "query($id: ID!) { integrationSystem(id: $id) { name } }", json!({ "id": id })).await;
    assert_eq!(read["integrationSystem"]["name"], "renamed");

    let unregister = "mutation($id: ID!) { unregisterIntegrationSystem(id: $id) { name } }";
    assert_eq!(desk.ok(None, unregister, json!({ "id": id })).await["unregisterIntegrationSystem"]["name"], "renamed");
    assert_eq!(desk.refused(None, unregister, json!({ "id": id })).await.0, 20);
    assert_eq!(desk.refused(None, update, json!({ "id": id })).await.0, 20);
    assert_eq!(desk.refused(None, REQUEST, json!({ "id": id })).await.0, 20);
    for unknown in [text(&id), "not-a-uuid".to_owned(), String::new()] {
        let read = "query($id: ID!) { integrationSystem(id: $id) { name } }";
        assert!(desk.ok(None, read, json!({ "id": unknown })).await["integrationSystem"].is_null(), "{unknown}");
        assert_eq!(desk.refused(None, unregister, json!({ "id": unknown })).await.0, 20, "{unknown}");
    }
}

#[tokio::test]
async fn names_obey_the_rule_and_are_globally_unique() {
    let desk = Desk::new().await;
    register(&desk, "taken").await;
    let second = register(&desk, "second").await;
    assert_eq!(desk.refused(None, REGISTER, json!({ "in": { "name": "taken" } })).await.0, 21);
    let update = "mutation($id: ID!) { updateIntegrationSystem(id: $id, in: {name: \"taken\"}) { id } }";
    assert_eq!(desk.refused(None, update, json!({ "id": second })).await.0, 21);
    for bad in ["", "Upper", "9lives", "a_b", "a b", "-a", "a.", &"x".repeat(37)] {
        let (code, message) = desk.refused(None, REGISTER, json!({ "in": { "name": bad } })).await;
        assert_eq!((code, message.contains("in.name")), (22, true), "{bad}: {message}");
    }
    let long = json!({ "in": { "name": "long", "description": "x".repeat(2001) } });
    assert!(desk.refused(None, REGISTER, long).await.1.contains("in.description"));
    desk.ok(None, REGISTER, json!({ "in": { "name": "long", "description": "ä".repeat(2000) } })).await;
}

#[tokio::test]
async fn a_secret_is_told_once_and_kept_as_a_hash() {
    let desk = Desk::new().await;
    let id = register(&desk, "sys").await;
    let first =
        desk.ok(None, REQUEST, json!({ "id": id })).await["requestClientCredentialsForIntegrationSystem"].clone();
    desk.clock.advance(chrono::TimeDelta::microseconds(1));
    let second =
        desk.ok(None, REQUEST, json!({ "id": id })).await["requestClientCredentialsForIntegrationSystem"].clone();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["type"], "INTEGRATION_SYSTEM");
    assert_eq!(first["referenceObjectId"], json!(id));
    let credential = &first["auth"]["credential"];
    assert_eq!(credential["clientId"], first["id"]);
    assert_eq!(credential["url"], "https://gate.example/oauth2/token");
    let secret = text(&credential["clientSecret"]);
    let random = URL_SAFE_NO_PAD.decode(secret.strip_prefix("tgs_").unwrap()).unwrap();
    assert_eq!(random.len() * 8, 256, "behind what scanners recognise");

    let client = text(&first["id"]).parse().unwrap();
    let kept = desk.store.client(client).await.unwrap().unwrap();
    assert!(kept.secrets.first.hash.matches(&tidegate_model::Secret::new(secret)));

    let auths = desk.ok(None, AUTHS, json!({ "id": id })).await["integrationSystem"]["auths"].clone();
    let ids: Vec<&Value> = auths.as_array().unwrap().iter().map(|a| &a["id"]).collect();
    assert_eq!(ids, [&first["id"], &second["id"]], "oldest first");
    assert!(auths.as_array().unwrap().iter().all(|a| a["auth"]["credential"]["clientSecret"].is_null()), "{auths}");

    desk.grant_scopes("reader", &["integration_system:read"]);
    assert_eq!(desk.ask_as("reader", None, AUTHS, json!({ "id": id })).await.refusal().0, 23);
    let plain = "query($id: ID!) { integrationSystem(id: $id) { name } }";
    desk.ask_as("reader", None, plain, json!({ "id": id })).await.data();
}

#[tokio::test]
async fn a_system_auth_is_deleted_by_its_own_id_and_never_anothers() {
    let desk = Desk::with_tenants().await;
    let id = register(&desk, "sys").await;
    let auth =
        desk.ok(None, REQUEST, json!({ "id": id })).await["requestClientCredentialsForIntegrationSystem"]["id"].clone();
    let application = desk
        .ok(Some("acme"), "mutation { registerApplication(in: {name: \"a\"}) { id } }", json!({}))
        .await["registerApplication"]["id"]
        .clone();
    let request = "mutation($id: ID!) { requestClientCredentialsForApplication(id: $id) { id } }";
    let foreign = desk.ok(Some("acme"), request, json!({ "id": application })).await["requestClientCredentialsForApplication"]["id"].clone();

    let operator = ClientId::generate(&*desk.clock, &SystemRandomness);
    let operator =
        Client::new(operator, ClientOwner::Administrator, Scope::all(), desk.clock.now(), SecretHash([1; 32]));
    desk.store.insert_client(&operator).await.unwrap();

    for unknown in [json!(id), foreign.clone(), json!(operator.id), json!("x")] {
        assert_eq!(desk.refused(None, DELETE_AUTH, json!({ "id": unknown })).await.0, 20, "{unknown}");
    }
    assert!(desk.store.client(text(&foreign).parse().unwrap()).await.unwrap().is_some(), "the other's auth stays");
    assert!(desk.store.client(operator.id).await.unwrap().is_some(), "the operator's stays");
    let deleted =
        desk.ok(None, DELETE_AUTH, json!({ "id": auth })).await["deleteSystemAuthForIntegrationSystem"].clone();
    assert_eq!(deleted["id"], auth);
    assert!(deleted["auth"]["credential"]["clientSecret"].is_null());
    assert!(desk.store.client(text(&auth).parse().unwrap()).await.unwrap().is_none());
    assert_eq!(desk.refused(None, DELETE_AUTH, json!({ "id": auth })).await.0, 20);
}

#[tokio::test]
async fn it_is_not_unregistered_while_linked_and_its_credentials_die_with_it() {
    let desk = Desk::with_tenants().await;
    let id = register(&desk, "sys").await;
    let auth =
        desk.ok(None, REQUEST, json!({ "id": id })).await["requestClientCredentialsForIntegrationSystem"]["id"].clone();
    let client = text(&auth).parse().unwrap();
    let link =
        "mutation($s: ID!) { registerRuntime(in: {name: \"r\", integrationSystemID: $s}) { id integrationSystemID } }";
    let runtime = desk.ok(Some("acme"), link, json!({ "s": id })).await["registerRuntime"].clone();
    assert_eq!(runtime["integrationSystemID"], json!(id));

    let unregister = "mutation($id: ID!) { unregisterIntegrationSystem(id: $id) { id } }";
    assert_eq!(desk.refused(None, unregister, json!({ "id": id })).await.0, 27);
    assert!(desk.store.client(client).await.unwrap().is_some(), "nothing changed");
    desk.ok(Some("acme"), "mutation($id: ID!) { unregisterRuntime(id: $id) { id } }", json!({ "id": runtime["id"] }))
        .await;
    desk.ok(None, unregister, json!({ "id": id })).await;
    assert!(desk.store.client(client).await.unwrap().is_none());
}
