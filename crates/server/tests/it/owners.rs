//! Clients and their owners: what a client proves itself with, and what ends with whom.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::api::{Admin, http};
use crate::harness::{Api, Mode, Tidegate, in_every_mode};

in_every_mode!(
    a_client_secret_is_replaced_without_a_gap,
    tokens_end_with_their_client_and_its_owner_at_every_resource_server,
);

/// Makes an owner of this kind; answers its id.
pub(crate) async fn register(api: &Api, kind: &str, name: &str) -> Value {
    let register = format!("mutation($in: {kind}Input!) {{ made: register{kind}(in: $in) {{ id }} }}");
    api.ask(&register, json!({ "in": { "name": name } })).await["made"]["id"].take()
}

/// Makes a client of this owner; answers it as it was told.
pub(crate) async fn request(api: &Api, kind: &str, owner: &Value) -> Value {
    let request = format!(
        "mutation($id: ID!) {{ made: requestClientCredentialsFor{kind}(id: $id) {{
            id auth {{ credential {{ ... on OAuthCredentialData {{ clientId clientSecret clientSecrets {{ id }} url }} }} }} }} }}"
    );
    api.ask(&request, json!({ "id": owner })).await["made"].take()
}

/// What a client signs in with, as it was told.
pub(crate) fn credentials(auth: &Value) -> Admin {
    let text = |name: &str| auth["auth"]["credential"][name].as_str().unwrap().to_owned();
    Admin { client_id: text("clientId"), client_secret: text("clientSecret") }
}

/// The status of a request for a token, and what went wrong.
pub(crate) async fn try_to_sign_in(tidegate: &Tidegate, client: &Admin) -> (u16, Value) {
    let form = [("grant_type", "client_credentials")];
    let request = http().post(tidegate.credentials("/oauth2/token")).form(&form);
    let answer = request.basic_auth(&client.client_id, Some(&client.client_secret)).send().await.unwrap();
    (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["error"].take())
}

async fn a_client_secret_is_replaced_without_a_gap(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let api = tidegate.api().await;
    api.make_tenant("acme", &[]).await;
    let system = register(&api, "IntegrationSystem", "crm").await;
    let auth = request(&api, "IntegrationSystem", &system).await;
    let old = credentials(&auth);

    let add = "mutation($id: ID!) { told: addClientSecretForIntegrationSystem(id: $id) {
        auth { credential { ... on OAuthCredentialData { clientId clientSecret clientSecrets { id } } } } } }";
    let told = api.ask(add, json!({ "id": auth["id"] })).await["told"].take();
    let new = credentials(&told);
    assert_eq!(new.client_id, old.client_id, "the same client");
    assert_ne!(new.client_secret, old.client_secret);
    assert_eq!(api.refused(add, json!({ "id": auth["id"] })).await, 27, "two, and no more");
    for client in [&old, &new] {
        assert_eq!(try_to_sign_in(&tidegate, client).await, (200, Value::Null), "both open");
    }

    let token_url = tidegate.credentials("/oauth2/token");
    let before = Api::sign_in(&token_url, tidegate.director(""), &old).await.in_tenant("acme");
    let remove = "mutation($id: ID!, $secret: ID!) {
        told: removeClientSecretForIntegrationSystem(id: $id, secretID: $secret) { id } }";
    let first = &auth["auth"]["credential"]["clientSecrets"][0]["id"];
    api.ask(remove, json!({ "id": auth["id"], "secret": first })).await;
    assert_eq!(try_to_sign_in(&tidegate, &old).await, (401, json!("invalid_client")), "withdrawn");
    assert_eq!(try_to_sign_in(&tidegate, &new).await, (200, Value::Null));
    before.ask("{ logics { totalCount } }", json!({})).await;
    let second = &told["auth"]["credential"]["clientSecrets"][1]["id"];
    assert_eq!(api.refused(remove, json!({ "id": auth["id"], "secret": second })).await, 27, "the last one stays");
}

/// What docs/credentials.md promises: no request that is sent later is honoured.
const BOUND: Duration = Duration::from_secs(2);

async fn tokens_end_with_their_client_and_its_owner_at_every_resource_server(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start(mode).await else { return };
    let mut directors = vec![tidegate.director("")];
    if mode == Mode::Apart {
        directors.push(tidegate.another_director().await);
    }
    let api = tidegate.api().await;
    let (acme, doomed) = (api.make_tenant("acme", &[]).await, api.make_tenant("doomed", &[]).await);
    let (mut clients, mut deletions) = (Vec::new(), Vec::new());
    // Each way a token can end: with its client alone, with its owner, with the owner's tenant.
    for (there, tenant, kind, ends) in [
        (&api, "acme", "IntegrationSystem", "deleteSystemAuthForIntegrationSystem"),
        (&api, "acme", "IntegrationSystem", "unregisterIntegrationSystem"),
        (&acme, "acme", "Application", "deleteSystemAuthForApplication"),
        (&acme, "acme", "Application", "unregisterApplication"),
        (&acme, "acme", "Runtime", "unregisterRuntime"),
        (&doomed, "doomed", "Runtime", "deleteTenant"),
    ] {
        let owner = register(there, kind, &format!("n{}", clients.len())).await;
        let auth = request(there, kind, &owner).await;
        let client = credentials(&auth);
        let token = Api::sign_in(&tidegate.credentials("/oauth2/token"), String::new(), &client).await.token;
        let id = match ends {
            "deleteTenant" => json!(tenant),
            ends if ends.starts_with("deleteSystemAuth") => auth["id"].clone(),
            _ => owner,
        };
        clients.push((ends, tenant, client, token));
        deletions.push((there, ends, id));
    }
    for director in &directors {
        for (ends, tenant, client, token) in &clients {
            let told = (asked(director, token, tenant).await, is_active(&tidegate, token).await);
            assert_eq!(told, (200, true), "{ends}: {}", client.client_id);
        }
    }
    for (there, ends, id) in deletions {
        let delete = format!("mutation($id: ID!) {{ {ends}(id: $id) {{ id }} }}");
        there.ask(&delete, json!({ "id": id })).await;
    }
    let deleted = Instant::now();
    // The last answers that may be remembered are renewed now; whether these requests are honoured is left open.
    for director in &directors {
        for (_, tenant, _, token) in &clients {
            asked(director, token, tenant).await;
        }
    }
    tokio::time::sleep(BOUND.saturating_sub(deleted.elapsed())).await;
    for (ends, tenant, client, token) in &clients {
        for director in &directors {
            assert_eq!(asked(director, token, tenant).await, 401, "{ends} at {director}");
        }
        assert!(!is_active(&tidegate, token).await, "{ends}");
        assert_eq!(try_to_sign_in(&tidegate, client).await, (401, json!("invalid_client")), "{ends}");
    }
}

/// What a director says to this token.
async fn asked(director: &str, token: &str, tenant: &str) -> u16 {
    let request = http().post(format!("{director}/graphql")).bearer_auth(token).header("Tenant", tenant);
    let answer = request.json(&json!({ "query": "{ integrations { totalCount } }" })).send().await.unwrap();
    answer.status().as_u16()
}

/// What the token service says of it (RFC 7662).
async fn is_active(tidegate: &Tidegate, token: &str) -> bool {
    let admin = tidegate.admin();
    let request = http().post(tidegate.credentials("/oauth2/introspect")).form(&[("token", token)]);
    let answer = request.basic_auth(&admin.client_id, Some(&admin.client_secret)).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["active"].as_bool().unwrap()
}
