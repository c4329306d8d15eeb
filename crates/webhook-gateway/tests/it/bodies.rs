//! What callers send, held to the schema of their Integration.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tidegate_model::{HttpMethod, Json, Runnable, SignatureScheme, SignatureSettings, Status};

use crate::harness::{KEY, World, get, inactive, integration, post, signing, taking, with_enable, within};

const CORE: &str = "return { seen = parameters }";

/// Holds its callers to this schema.
fn held_to(mut runnable: Runnable, schema: &Value) -> Runnable {
    let incoming = &mut runnable.integration.settings.incoming;
    (incoming.body_schema, incoming.check_body) = (Some(Json::of(schema)), true);
    runnable
}

fn order() -> Value {
    json!({ "type": "object", "required": ["qty"], "properties": { "qty": { "type": "integer", "minimum": 1 } },
        "additionalProperties": { "type": "string" } })
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_422_with_pointers_on_record_and_no_script_runs() {
    // Enable logic that ran would say so with another status.
    let runnable = held_to(with_enable(integration(CORE), "error('ran')"), &order());
    let world = World::with(runnable);
    let answer = world.post(&format!(r#"{{"qty":"hunter2","{KEY}":7}}"#)).await;
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("integration-outcome"), Some("failed"));
    let told = answer.json();
    assert_eq!(told["executionId"], told["requestId"]);
    assert_eq!(told["errors"].as_array().unwrap().len(), 2);
    assert!(
        told["errors"].as_array().unwrap().contains(&json!({ "pointer": "/qty", "detail": "expected an integer" }))
    );
    assert!(!answer.text.contains("hunter2") && !answer.text.contains(KEY), "{}", answer.text);

    let [record] = &world.records()[..] else { panic!("one record") };
    assert_eq!((record.status, record.core_logic_version, record.enable_logic_version), (Status::Failed, None, None));
    let error = record.error.as_deref().unwrap();
    assert!(
        error.starts_with("the body does not fit its schema: ") && error.contains("/qty: expected an integer"),
        "{error}"
    );
    assert!(!error.contains(KEY) && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn what_fits_runs_whatever_it_came_as_and_what_is_not_to_be_checked_is_not() {
    let world = World::with(held_to(integration(CORE), &order()));
    assert_eq!(world.post(r#"{"qty":1,"note":"x"}"#).await.status.as_u16(), 200);
    assert_eq!(world.post("").await.status.as_u16(), 422, "an empty body is {{}}, which lacks qty");
    assert_eq!(world.post("[1]").await.status.as_u16(), 422);
    let form = || post().header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.call(form(), "qty=1").await.status.as_u16(), 422, "a form's values are text");
    assert_eq!(world.post("{").await.status.as_u16(), 500, "what is no JSON is told as before");

    let mut unchecked = held_to(integration(CORE), &order());
    unchecked.integration.settings.incoming.check_body = false;
    assert_eq!(World::with(unchecked).post("{}").await.status.as_u16(), 200);
}

#[tokio::test]
async fn of_a_get_the_decoded_query_is_checked() {
    let schema = json!({ "required": ["state"], "properties": { "state": { "enum": ["open", "closed"] },
        "tag": { "type": "array", "items": { "maxLength": 3 } } } });
    let world = World::with(held_to(taking(integration(CORE), HttpMethod::Get), &schema));
    assert_eq!(world.call(get("state=open&tag=a&tag=b"), "").await.status.as_u16(), 200);
    for query in ["", "state=other", "state=open&tag=long1&tag=b", "state=open&state=open"] {
        let answer = world.call(get(query), "").await;
        assert_eq!(answer.status.as_u16(), 422, "{query}: {}", answer.text);
    }
    assert!(world.records()[1].error.as_deref().unwrap().starts_with("the query does not fit"));
}

#[tokio::test]
async fn it_is_checked_after_activity_window_and_signature() {
    let held = |runnable| held_to(runnable, &order());
    let status = async |runnable| World::with(runnable).post("{}").await.status.as_u16();
    assert_eq!(status(held(inactive(integration(CORE)))).await, 200);
    assert_eq!(status(held(within(integration(CORE), TimeDelta::days(1), TimeDelta::days(2)))).await, 200);
    let mut signed = held(integration(CORE));
    let (scheme, credentials) = (SignatureScheme::Github, vec!["partner".to_owned()]);
    let signature = SignatureSettings { scheme, credentials, tolerance_seconds: None };
    signed.integration.settings.incoming.signature = Some(signature);
    let world = World::with(signed);
    world.vault.put("acme", "partner", signing(&["secret"]));
    assert_eq!(world.post("{}").await.status.as_u16(), 401, "who did not sign learns nothing of the schema");
}

#[tokio::test]
async fn a_large_body_is_checked_too_and_little_of_it_is_told() {
    let schema = json!({ "items": { "type": "string", "maxLength": 8 } });
    let world = World::with(held_to(integration("return { n = #parameters }"), &schema));
    let many = |value: &str, times| format!("[{}]", vec![value; times].join(","));
    // What fits becomes a table, which takes longer than the check: not so many, for the sake of a busy machine.
    assert_eq!(world.post(&many("\"x\"", 5_000)).await.status.as_u16(), 200);
    let answer = world.post(&many("1", 100_000)).await;
    assert_eq!(answer.status.as_u16(), 422);
    assert!(answer.text.len() < 4000 && !answer.json()["errors"].as_array().unwrap().is_empty(), "{}", answer.text);
}
