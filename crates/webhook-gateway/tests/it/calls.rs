//! What scripts see of a call, and what its caller gets back.

use serde_json::json;
use tidegate_model::HttpMethod;

use crate::harness::{KEY, World, get, integration, post, taking};

#[tokio::test]
async fn a_result_comes_back_unwrapped_and_unchanged() {
    let world = World::with(integration("return parameters"));
    let sent = r#"{"big": 9007199254740993, "f": 1.5, "empty": [], "none": {}, "null": null, "text": "zażółć 🌊"}"#;
    let answer = world.post(sent).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json(), serde_json::from_str::<serde_json::Value>(sent).unwrap());
    assert!(answer.text.contains("9007199254740993"), "{}", answer.text);
}

#[tokio::test]
async fn a_post_is_seen_as_the_contract_says() {
    let world = World::with(integration(
        r#"return {
            parameters = parameters, url = requestUrl, time = requestTime, raw = rawBody,
            tag = headers["X-TAG"], auth = headers.authorization, absent = headers["x-none"] == nil,
        }"#,
    ));
    let request = post().header("X-Tag", "a").header("x-tag", "b").header("Authorization", "Bearer t");
    let answer = world.call(request.uri(format!("/webhook/{KEY}?in=url")), " {\"a\": [1]} ").await;
    let expected = json!({
        "parameters": {"a": [1]},
        "url": format!("http://gate.example/webhook/{KEY}"),
        "time": "2027-01-15T08:00:00Z",
        "raw": " {\"a\": [1]} ",
        "tag": "a, b",
        "auth": "Bearer t",
        "absent": true,
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_get_is_seen_as_the_contract_says() {
    let source = "return { parameters = parameters, url = requestUrl, raw = rawBody }";
    let world = World::with(taking(integration(source), HttpMethod::Get));
    let answer = world.call(get("tag=a&tag=b&empty=&q=x+y%26"), "").await;
    let expected = json!({
        "parameters": {"tag": ["a", "b"], "empty": "", "q": "x y&"},
        "url": format!("http://gate.example/webhook/{KEY}"),
        "raw": "",
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_body_is_seen_by_what_it_is() {
    let world = World::with(integration("return { parameters = parameters, raw = rawBody }"));
    let form = "application/x-www-form-urlencoded";
    let cases = [
        (form, "a=1&a=2&b=", json!({"a": ["1", "2"], "b": ""})),
        (form, "{\"json\":true}", json!({"json": true})),
        ("text/plain", "{\"json\":true}", json!({"json": true})),
        ("text/plain", "hello", json!({})),
        ("application/xml", "<a/>", json!({})),
        ("application/json", "", json!({})),
        ("application/json", "[]", json!([])),
        ("application/vnd.x+json", "[1,{\"a\":2}]", json!([1, {"a": 2}])),
    ];
    for (content_type, body, parameters) in cases {
        let answer = world.call(post().header("content-type", content_type), body).await;
        assert_eq!(answer.json(), json!({"parameters": parameters, "raw": body}), "{content_type} {body}");
    }
}
