//! The wall between tenants and the log of what was done, with real clients over real connections.

use serde_json::{Value, json};

use crate::harness::api::{Admin, http};
use crate::harness::{Api, Mode, Tidegate, eventually, in_every_mode};

in_every_mode!(
    a_webhook_is_its_own_tenants_whoever_calls_it,
    what_is_done_and_what_is_refused_stands_in_the_log_with_who_and_from_where,
);

const LOG: &str = "query($f: AuditFilter) { auditLog(filter: $f) { data {
    actor owner face address operation kind objectId before after error count } } }";

/// A client of an Application, which is bound to its tenant.
async fn bound(running: &Tidegate, tenant: &Api) -> (String, Api) {
    let made = tenant.ask("mutation { registerApplication(in: {name: \"crm\"}) { id } }", json!({})).await;
    let mint = "mutation($id: ID!) { requestClientCredentialsForApplication(id: $id) { id auth { credential {
        ... on OAuthCredentialData { clientId clientSecret } } } } }";
    let issued = tenant.ask(mint, json!({ "id": made["registerApplication"]["id"] })).await;
    let auth = &issued["requestClientCredentialsForApplication"]["auth"]["credential"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let client = Admin { client_id: text(&auth["clientId"]), client_secret: text(&auth["clientSecret"]) };
    let api = Api::sign_in(&running.credentials("/oauth2/token"), running.director(""), &client).await;
    (client.client_id, api)
}

async fn a_webhook_is_its_own_tenants_whoever_calls_it(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let admin = running.api().await;
    let (acme, other) = (admin.make_tenant("acme", &["Order"]).await, admin.make_tenant("other", &["Order"]).await);
    let source = "objects.upsert('Order', 'o-1', { of = organization.id }) return { of = organization.id }";
    let theirs = acme.make_incoming("hook", source, json!({})).await;
    let own = other.make_incoming("hook", source, json!({})).await;
    let (_, intruder) = bound(&running, &other).await;
    let call = async |url: &str| {
        let call = http().post(url).bearer_auth(&intruder.token).header("Tenant", "other").json(&json!({}));
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let url = |integration: &Value| integration["webhookUrl"].as_str().unwrap().to_owned();
    // The key alone says whose it is: neither a token nor a header leads elsewhere.
    assert_eq!(call(&url(&theirs)).await, (200, json!({ "of": "acme" }).to_string()));
    assert_eq!(call(&url(&own)).await, (200, json!({ "of": "other" }).to_string()));
    assert_eq!(acme.object("Order", "o-1").await["data"], json!({ "of": "acme" }));
    assert_eq!(other.object("Order", "o-1").await["data"], json!({ "of": "other" }));
    // What is no key, ids of both tenants' Integrations among it, answers alike and leaves nothing.
    let base = url(&theirs).rsplit_once('/').unwrap().0.to_owned();
    let mut answers = Vec::new();
    for no_key in [theirs["id"].as_str().unwrap(), own["id"].as_str().unwrap(), "never-was"] {
        let (status, body) = call(&format!("{base}/{no_key}")).await;
        let mut body: Value = serde_json::from_str(&body).unwrap();
        // Each call has an id of its own.
        assert!(body.as_object_mut().unwrap().remove("requestId").is_some());
        answers.push((status, body));
    }
    assert!(answers[0].0 == 404 && answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    for (api, integration) in [(&acme, &theirs), (&other, &own)] {
        api.ended(integration, 1).await;
    }
    let seen = intruder.ask("query { executions { data { id } totalCount } }", json!({})).await;
    assert_eq!(seen["executions"]["totalCount"], 1, "the caller sees its own tenant's run alone");
}

async fn what_is_done_and_what_is_refused_stands_in_the_log_with_who_and_from_where(mode: Mode) {
    let Some(running) = Tidegate::start(mode).await else { return };
    let admin = running.api().await;
    let acme = admin.make_tenant("acme", &["Order"]).await;
    let (client, intruder) = bound(&running, &acme).await;
    let log = async |api: &Api, filter: Value| {
        let told = api.ask(LOG, json!({ "f": filter })).await["auditLog"]["data"].take();
        serde_json::from_value::<Vec<Value>>(told).unwrap()
    };
    let issued = log(&acme, json!({ "kind": "SystemAuth" })).await;
    assert_eq!((issued.len(), &issued[0]["objectId"], &issued[0]["address"]), (1, &json!(client), &json!("127.0.0.1")));
    // A script's change, wherever the script runs.
    let source = "objects.upsert('Order', 'o-1', { n = 1 }) return {}";
    let hook = acme.make_incoming("hook", source, json!({})).await;
    assert_eq!(http().post(hook["webhookUrl"].as_str().unwrap()).body("{}").send().await.unwrap().status(), 200);
    let changed = log(&acme, json!({ "kind": "Order", "objectId": "o-1" })).await;
    let told = [&changed[0]["actor"], &changed[0]["face"], &changed[0]["after"]];
    assert_eq!(
        told,
        [
            &hook["executionUser"]["username"].as_str().map_or(Value::Null, |name| json!(format!("user:{name}"))),
            &json!("SCRIPT"),
            &json!({ "n": 1 })
        ]
    );
    // Who lacks a scope.
    assert_eq!(
        intruder
            .refused("mutation { createLogic(in: {name: \"l\", kind: CORE, source: \"\"}) { id } }", json!({}))
            .await,
        23
    );
    let turned_away =
        eventually("the refusal is written", async || log(&acme, json!({ "refused": true })).await.into_iter().next())
            .await;
    let told = [
        &turned_away["actor"],
        &turned_away["operation"],
        &turned_away["objectId"],
        &turned_away["error"],
        &turned_away["address"],
    ];
    let expected = [&format!("client:{client}"), "createLogic", "logic:write", "InsufficientScopes", "127.0.0.1"];
    assert_eq!(told, expected.map(|text| json!(text)).each_ref());
    // The first administrator is the platform's.
    let first = log(&admin, json!({ "kind": "SystemAuth" })).await;
    assert_eq!((&first[0]["operation"], &first[0]["actor"]), (&json!("createAdministrator"), &json!("system")));
}
