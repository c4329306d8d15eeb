//! A client's second secret, while its first is being replaced.

use serde_json::{Value, json};
use tidegate_model::{Client, Secret};

use crate::desk::{Desk, text};

const KINDS: [(&str, Option<&str>, &str); 3] = [
    ("IntegrationSystem", None, "integrationSystem"),
    ("Application", Some("acme"), "application"),
    ("Runtime", Some("acme"), "runtime"),
];

const AUTH: &str =
    "id auth { credential { ... on OAuthCredentialData { clientSecret clientSecrets { id createdAt } } } }";

/// Makes a thing of this kind with a client; answers the thing's id and the client as it was told.
async fn made(desk: &Desk, kind: &str, tenant: Option<&str>) -> (Value, Value) {
    let register = format!("mutation {{ made: register{kind}(in: {{ name: \"one\" }}) {{ id }} }}");
    let owner = desk.ok(tenant, &register, json!({})).await["made"]["id"].take();
    let request = format!("mutation($id: ID!) {{ made: requestClientCredentialsFor{kind}(id: $id) {{ {AUTH} }} }}");
    let auth = desk.ok(tenant, &request, json!({ "id": owner })).await["made"].take();
    (owner, auth)
}

fn add(kind: &str) -> String {
    format!("mutation($id: ID!) {{ told: addClientSecretFor{kind}(id: $id) {{ {AUTH} }} }}")
}

fn remove(kind: &str) -> String {
    format!(
        "mutation($id: ID!, $secret: ID!) {{ told: removeClientSecretFor{kind}(id: $id, secretID: $secret) {{ {AUTH} }} }}"
    )
}

fn secret(auth: &Value) -> Secret {
    Secret::new(text(&auth["auth"]["credential"]["clientSecret"]))
}

fn ids(auth: &Value) -> Vec<Value> {
    let secrets = auth["auth"]["credential"]["clientSecrets"].as_array().unwrap();
    secrets.iter().map(|secret| secret["id"].clone()).collect()
}

async fn kept(desk: &Desk, auth: &Value) -> Client {
    desk.store.client(text(&auth["id"]).parse().unwrap()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_secret_is_replaced_while_both_open() {
    for (kind, tenant, field) in KINDS {
        let desk = Desk::with_tenants().await;
        let (owner, auth) = made(&desk, kind, tenant).await;
        let (id, old) = (auth["id"].clone(), secret(&auth));
        assert_eq!(ids(&auth).len(), 1, "{kind}");

        desk.clock.advance(chrono::TimeDelta::seconds(1));
        let told = desk.ok(tenant, &add(kind), json!({ "id": id })).await["told"].take();
        let new = secret(&told);
        assert_eq!(
            (told["id"].clone(), ids(&told)[0].clone(), ids(&told).len()),
            (id.clone(), ids(&auth)[0].clone(), 2)
        );
        let both = kept(&desk, &auth).await.secrets;
        assert!(both.first.hash.matches(&old) && both.second.unwrap().hash.matches(&new));
        let (code, _) = desk.refused(tenant, &add(kind), json!({ "id": id })).await;
        assert_eq!(code, 27, "{kind}: no third one");

        let shown = format!("query($id: ID!) {{ it: {field}(id: $id) {{ auths {{ {AUTH} }} }} }}");
        let shown = desk.ok(tenant, &shown, json!({ "id": owner })).await["it"]["auths"][0].take();
        assert_eq!(ids(&shown), ids(&told));
        assert!(shown["auth"]["credential"]["clientSecret"].is_null(), "{kind}: shown once");
        assert!(!shown.to_string().contains(new.reveal()), "{kind}");

        let removed = desk.ok(tenant, &remove(kind), json!({ "id": id, "secret": ids(&told)[0] })).await["told"].take();
        assert_eq!(ids(&removed), ids(&told)[1..]);
        assert!(removed["auth"]["credential"]["clientSecret"].is_null(), "{kind}");
        let one = kept(&desk, &auth).await.secrets;
        assert!(one.first.hash.matches(&new) && one.second.is_none());
        let (code, _) = desk.refused(tenant, &remove(kind), json!({ "id": id, "secret": ids(&told)[1] })).await;
        assert_eq!(code, 27, "{kind}: the last one stays");
        for unknown in [ids(&told)[0].clone(), json!("x")] {
            let (code, _) = desk.refused(tenant, &remove(kind), json!({ "id": id, "secret": unknown })).await;
            assert_eq!(code, 20, "{kind}");
        }
    }
}

#[tokio::test]
async fn nobody_changes_the_secrets_of_what_is_not_theirs() {
    let desk = Desk::with_tenants().await;
    for (kind, tenant, _) in KINDS {
        let (owner, auth) = made(&desk, kind, tenant).await;
        let (id, first) = (auth["id"].clone(), ids(&auth)[0].clone());
        // Not by another kind's operation, not in another tenant, not by the owner's id.
        for (other, there) in KINDS.iter().filter(|(other, ..)| *other != kind).map(|(other, there, _)| (other, there))
        {
            assert_eq!(desk.refused(*there, &add(other), json!({ "id": id })).await.0, 20, "{kind} as {other}");
            let removal = json!({ "id": id, "secret": first });
            assert_eq!(desk.refused(*there, &remove(other), removal).await.0, 20, "{kind} as {other}");
        }
        if tenant.is_some() {
            assert_eq!(desk.refused(Some("other"), &add(kind), json!({ "id": id })).await.0, 20, "{kind}");
        }
        for unknown in [owner, json!("x")] {
            assert_eq!(desk.refused(tenant, &add(kind), json!({ "id": unknown })).await.0, 20, "{kind}");
        }
        assert_eq!(kept(&desk, &auth).await.secrets.second, None, "{kind}: nothing changed");
    }
}
