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
    assert_eq!(desk.ok(None, "{ tenants { totalCount } }", json!({})).await["tenants"]["totalCount"], 1);
}
