//! Bad input: a clear error where it enters, nothing half-written, and one line in the log at most.

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Mode, Tidegate, in_every_mode};

in_every_mode!(bad_input_is_refused_where_it_enters, a_stranger_learns_nothing);

async fn bad_input_is_refused_where_it_enters(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    let api = tidegate.api().await;
    let acme = api.make_tenant("acme", &["Order"]).await;
    let other = api.make_tenant("other", &["Order"]).await;
    for n in 0..3 {
        acme.create_object("Order", &n.to_string(), json!({})).await;
    }
    let before = tidegate.said();
    let make_type = "mutation($in: ObjectTypeInput!) { createObjectType(in: $in) { id } }";
    let make_logic = "mutation($in: LogicInput!) { createLogic(in: $in) { id } }";
    let make_object = "mutation($d: JSON!) { createObject(objectType: \"Order\", data: $d) { id } }";
    let page = "query($after: PageCursor, $first: Int) { objects(objectType: \"Order\", after: $after, first: $first) { pageInfo { endCursor } } }";

    let refused = [
        ("a number as data", acme.refused(make_object, json!({ "d": 1 })).await),
        ("a name that is none", acme.refused(make_type, json!({ "in": { "name": "9 lives" } })).await),
        (
            "a script that does not compile",
            acme.refused(make_logic, json!({ "in": { "name": "x", "kind": "CORE", "source": "return {" } })).await,
        ),
        ("too many at once", acme.refused(page, json!({ "first": 101 })).await),
        ("a cursor of nobody", acme.refused(page, json!({ "after": "bogus" })).await),
    ];
    for (what, code) in refused {
        assert_eq!(code, 22, "{what}");
    }
    let first = acme.ask(page, json!({ "first": 1 })).await;
    let cursor = first["objects"]["pageInfo"]["endCursor"].clone();
    assert_eq!(other.refused(page, json!({ "after": cursor })).await, 22, "a cursor of another tenant");
    assert_eq!(api.in_tenant("nobody").refused(page, json!({})).await, 25);
    assert_eq!(api.refused(page, json!({})).await, 24);
    let line =
        acme.answer(make_logic, json!({ "in": { "name": "x", "kind": "CORE", "source": "return {\n 1 2\n}" } })).await;
    assert!(line["errors"][0]["message"].as_str().unwrap().contains("line 2"), "{line}");
    assert_eq!(
        acme.ask("{ logics { totalCount } }", json!({})).await["logics"]["totalCount"],
        0,
        "nothing half-written"
    );

    for (body, content) in [("{\"query\":", "application/json"), ("[1]", "application/json"), ("", "application/json")]
    {
        let answer = acme.post("/graphql").header("Content-Type", content).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(status == 400 || (status == 200 && text.contains("errors")), "{body:?}: {status} {text}");
    }
    let unknown = acme.answer("{ bogus }", json!({})).await;
    assert!(unknown["errors"][0]["message"].is_string(), "{unknown}");
    for body in
        ["", "{", "{}", r#"{"specversion":"1.0","id":"1","source":"x","type":"tidegate.Order.create","data":1}"#]
    {
        let request = acme.post("/v1/events").header("Content-Type", "application/cloudevents+json").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{body}: {}", answer.text().await.unwrap());
    }
    let huge = acme.post("/v1/events").header("Content-Type", "application/cloudevents+json").body("x".repeat(9 << 20));
    // A server that has refused may close before everything was sent.
    if let Ok(answer) = huge.send().await {
        assert_eq!(answer.status(), 413);
    }
    let said = tidegate.said();
    let is_serious = |line: &&String| line.contains("ERROR") || line.contains("WARN") || line.contains("panicked");
    // Processes are told of one after the other: what is new stands in between.
    let serious: Vec<_> = said.iter().filter(is_serious).filter(|line| !before.contains(line)).collect();
    assert!(serious.is_empty(), "{serious:#?}");
}

async fn a_stranger_learns_nothing(mode: Mode) {
    let Some(tidegate) = Tidegate::start(mode).await else { return };
    for request in [
        http().post(tidegate.director("/graphql")).json(&json!({ "query": "{ tenants { totalCount } }" })),
        http()
            .post(tidegate.director("/graphql"))
            .bearer_auth("bogus")
            .json(&json!({ "query": "{ tenants { totalCount } }" })),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["extensions"]["error_code"], 26);
    }
    let events = http().post(tidegate.director("/v1/events")).body("{}").send().await.unwrap();
    assert_eq!(events.status(), 401);
    let form = [("grant_type", "client_credentials"), ("client_id", "nobody"), ("client_secret", "guess")];
    let token = http().post(tidegate.credentials("/oauth2/token")).form(&form).send().await.unwrap();
    assert_eq!(
        (token.status().as_u16(), token.json::<Value>().await.unwrap()["error"].clone()),
        (401, json!("invalid_client"))
    );
    for base in [tidegate.director("/"), tidegate.gateway("/"), tidegate.credentials("/bogus")] {
        assert_eq!(http().get(base).send().await.unwrap().status(), 404);
    }
}
