//! What is no request, or too much of one.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::desk::{ADMIN, Answer, Desk};

async fn post(desk: &Desk, body: impl Into<Body>) -> Answer {
    let request = Request::post("/graphql").header("authorization", format!("bearer {ADMIN}"));
    desk.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
}

#[tokio::test]
async fn what_is_no_graphql_request_is_400_and_says_so() {
    let desk = Desk::new().await;
    for bad in
        ["", "{", "nonsense", "[]", r#"[{"query":"{ tenants { totalCount } }"}]"#, r#""text""#, r#"{"query": 7}"#]
    {
        let answer = post(&desk, bad).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
        assert_eq!(answer.refusal().0, 22, "{bad}");
        assert!(answer.body["data"].is_null());
    }
}

#[tokio::test]
async fn a_document_that_breaks_the_schema_is_refused_as_invalid_data() {
    let desk = Desk::new().await;
    for bad in [
        "{",
        "",
        "{ nope }",
        "{ tenants { nope } }",
        "{ tenant { id } }",
        "{ tenant(id: {}) { id } }",
        "mutation { createTenant(in: {id: \"a\"}) { id } }",
        "query($x: Int!) { tenants(first: $x) { totalCount } }",
        "subscription { x }",
        "query A { tenants { totalCount } } query B { tenants { totalCount } }",
    ] {
        let answer = post(&desk, json!({ "query": bad }).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{bad}: {}", answer.body);
        assert_eq!(answer.refusal().0, 22, "{bad}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let desk = Desk::new().await;
    let query = format!("{{ tenants {{ totalCount }} }} #{}", "x".repeat(1024 * 1024));
    let answer = post(&desk, json!({ "query": query }).to_string()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.refusal().0, 22);
}

#[tokio::test]
async fn a_body_that_is_encoded_is_415_and_the_encoding_is_named() {
    let desk = Desk::with_tenants().await;
    let send = async |path: &str, encoding: &str, body: &'static str| {
        let request = Request::post(path).header("authorization", format!("Bearer {ADMIN}")).header("tenant", "acme");
        let request =
            request.header("content-type", "application/cloudevents+json").header("content-encoding", encoding);
        desk.send(request.body(body.into()).unwrap()).await
    };
    let query = r#"{"query": "{ tenants { totalCount } }"}"#;
    let event = r#"{"specversion":"1.0","id":"1","source":"/","type":"Order.delete","data":{"objectId":"1"}}"#;
    for (encoding, named) in [("gzip", "gzip"), ("Deflate", "Deflate"), ("identity, br", "br")] {
        let expected = format!("invalid data: content-encoding: expected a body as it is, not {named}");
        let graphql = send("/graphql", encoding, query).await;
        assert_eq!((graphql.status, graphql.refusal()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, (22, expected.clone())));
        assert!(graphql.body["data"].is_null());
        let events = send("/v1/events", encoding, event).await;
        assert_eq!((events.status, &events.body["detail"]), (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!(expected)));
        for answer in [graphql, events] {
            assert_eq!(answer.headers["accept-encoding"], "identity");
        }
    }
    assert!(desk.published().await.is_empty());
    for encoding in ["", "identity", "Identity"] {
        assert_eq!(send("/graphql", encoding, query).await.data()["tenants"]["totalCount"], 2);
        assert_eq!(send("/v1/events", encoding, event).await.status, StatusCode::ACCEPTED, "{encoding}");
    }
}

#[tokio::test]
async fn requests_that_ask_for_too_much_are_refused_before_they_run() {
    let desk = Desk::new().await;
    let roots = (0..21).map(|i| format!("a{i}: tenants {{ totalCount }}")).collect::<Vec<_>>().join(" ");
    let deep = format!("{{ tenant(id: {}1{}) {{ id }} }}", "[".repeat(50_000), "]".repeat(50_000));
    let bomb =
        (0..40).map(|i| format!("fragment f{i} on Query {{ ...f{0} ...f{0} }}", i + 1)).collect::<Vec<_>>().join(" ");
    let bomb = format!("{{ ...f0 }} {bomb} fragment f40 on Query {{ tenants {{ totalCount }} }}");
    for bad in [format!("{{ {roots} }}"), deep, bomb] {
        let answer = post(&desk, json!({ "query": bad }).to_string()).await;
        assert_eq!(answer.refusal().0, 22);
    }
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let create =
        json!({ "query": "mutation($d: JSON!) { createObject(objectType: \"T\", data: $d) { id } }" }).to_string();
    let body = create.replacen('{', &format!("{{\"variables\":{{\"d\":{{\"a\":{nested}}}}},"), 1);
    assert_eq!(post(&desk, body).await.refusal().0, 22);
}

#[tokio::test]
async fn the_introspection_of_common_tools_works() {
    let desk = Desk::new().await;
    let of_type = (0..8).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{ ...FullType }} directives {{ name args {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name fields(includeDeprecated: true) {{ name args {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }}
           inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }} enumValues(includeDeprecated: true) {{ name }} possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name type {{ ...TypeRef }} defaultValue }}
         fragment TypeRef on __Type {{ {of_type} }}"
    );
    let answer = post(&desk, json!({ "query": query, "operationName": "IntrospectionQuery" }).to_string()).await;
    assert_eq!(answer.data()["__schema"]["mutationType"]["name"], "Mutation");
}

#[tokio::test]
async fn a_mutation_that_fails_leaves_those_before_it_and_tells_which_failed() {
    let desk = Desk::new().await;
    let query = "mutation { a: createTenant(in: {id: \"a\", name: \"a\"}) { id } b: createTenant(in: {id: \"a\", name: \"a\"}) { id } }";
    let answer = post(&desk, json!({ "query": query }).to_string()).await;
    assert_eq!(answer.refusal().0, 21);
    assert_eq!(answer.body["errors"][0]["path"], json!(["b"]));
    assert!(answer.body["data"].is_null(), "Tenant! cannot be null, and nothing around it");
    assert_eq!(desk.ok(None, "{ tenants { totalCount } }", json!({})).await["tenants"]["totalCount"], 1);
}

#[tokio::test]
async fn a_field_that_fails_is_null_or_what_is_around_it_as_the_schema_says() {
    let desk = Desk::with_tenants().await;
    let (integration, _) = desk.create_incoming("acme", "hook").await;
    let record = crate::executions::record(&desk, &integration, "2026-03-01T11:00:00Z".parse().unwrap()).await;
    desk.grant_scopes("records", &["execution:read"]);
    let nullable = "query Q($id: ID!) { execution(id: $id) { ...F } } query R { executions { totalCount } } fragment F on Execution { status other: integration { name } }";
    let body = json!({ "query": nullable, "operationName": "Q", "variables": { "id": record } }).to_string();
    let request = Request::post("/graphql").header("authorization", "Bearer records").header("tenant", "acme");
    let answer = desk.send(request.body(body.into()).unwrap()).await;
    assert_eq!(answer.refusal().0, 23);
    assert_eq!(answer.body["data"], json!({ "execution": { "status": "SUCCESS", "other": null } }));
    assert!(answer.body["data"]["execution"].as_object().unwrap().contains_key("other"));

    desk.grant_scopes("definitions", &["integration:read"]);
    let around =
        "query($id: ID!) { a: integration(id: $id) { name coreLogic { name } } b: integration(id: $id) { name } }";
    let answer = desk.ask_as("definitions", Some("acme"), around, json!({ "id": integration })).await;
    assert_eq!(answer.body["data"], json!({ "a": null, "b": { "name": "hook" } }));
    let whole = "{ integrations { data { coreLogic { name } } } }";
    let answer = desk.ask_as("definitions", Some("acme"), whole, json!({})).await;
    assert!(answer.body["data"].is_null(), "{}", answer.body);
    assert_eq!(answer.body["errors"][0]["path"], json!(["integrations", "data", 0, "coreLogic"]));
}
