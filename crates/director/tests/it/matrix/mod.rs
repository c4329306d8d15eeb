//! The wall between tenants, entry by entry: whatever names something, called with another tenant's id, answers as for what never was, and
//! changes nothing.
//!
//! The walk is over the schema and `proto/` themselves: an argument that names something and has no row here fails the test.

mod houses;
mod rows;
mod statements;

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tidegate_model::contract::Actor;
use tonic::{Code, Status};

use houses::{Houses, INTRUDER};
use rows::Answer::{Nothing, Own, Refused};
use rows::rows;

use crate::desk::tenant;
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;
use crate::walk::snake;

/// Runs each test on each store.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        on_both_stores!(@ on_sqlite $($test)+);
        on_both_stores!(@ on_postgresql $($test)+);
    };
    (@ $store:ident $($test:ident)+) => {
        mod $store {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(houses) = super::Houses::$store().await {
                    super::$test(&houses).await;
                }
            })+
        }
    };
}

on_both_stores!(
    over_graphql_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing,
    over_grpc_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing,
    a_client_of_one_tenant_that_names_another_finds_none_whatever_it_calls,
    over_plain_http_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing,
    a_script_of_one_tenant_finds_no_object_of_another,
);

/// An id of the same form that was never given out.
fn never(id: &str) -> String {
    if uuid::Uuid::parse_str(id).is_ok() {
        return "0195f3a0-0000-7000-8000-000000000000".to_owned();
    }
    let (start, end) = if id.len() > 60 { (&id[..5], &id[6..]) } else { (&id[..id.len() - 1], "") };
    // Others for others: an id that was never given out stays one, whatever rows make.
    let changed = match id.as_bytes()[start.len()] {
        digit @ b'0'..=b'9' => char::from(digit - b'0' + b'a'),
        b'z' => 'y',
        _ => 'z',
    };
    format!("{start}{changed}{end}")
}

/// The code of a refusal, and the whole answer without the id.
fn told(answer: &Value, id: &str) -> (Option<i64>, String) {
    (answer["errors"][0]["extensions"]["error_code"].as_i64(), answer.to_string().replace(id, "@"))
}

fn number(answer: &Result<Vec<u8>, Status>) -> Option<i64> {
    use tonic_types::StatusExt as _;
    let status = answer.as_ref().err()?;
    Some(status.get_details_error_info().unwrap().metadata["error_code"].parse().unwrap())
}

/// The bytes of the answer, or the code, text and details of the refusal, without the id.
fn told_over_grpc(answer: &Result<Vec<u8>, Status>, id: &str) -> (Code, Vec<u8>) {
    use tonic_types::StatusExt as _;
    let (code, bytes) = match answer {
        Ok(message) => (Code::Ok, message.clone()),
        Err(status) => {
            let info = status.get_details_error_info().unwrap();
            let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
            let (resource, request) = (status.get_details_resource_info(), status.get_details_bad_request());
            let told = format!("{} {} {metadata:?} {resource:?} {request:?}", status.message(), info.reason);
            (status.code(), told.into_bytes())
        }
    };
    (code, without(&bytes, id.as_bytes()))
}

fn without(bytes: &[u8], id: &[u8]) -> Vec<u8> {
    let (mut left, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        if rest.starts_with(id) {
            left.push(b'@');
            rest = &rest[id.len()..];
        } else {
            left.push(rest[0]);
            rest = &rest[1..];
        }
    }
    left
}

#[test]
fn every_argument_that_names_something_has_a_row() {
    let rows: BTreeSet<String> = rows().into_iter().map(|row| row.0.to_owned()).collect();
    let (schema, protos) = (Schema::read(), Protos::read());
    let references = schema.references();
    assert_eq!(
        references.difference(&rows).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no row says what becomes of it"
    );
    assert_eq!(
        rows.difference(&references).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "the schema has no such argument"
    );
    // The same over gRPC, in its own words.
    let spelled = |path: &String| {
        let (operation, rest) = path.split_once('.').unwrap();
        let rest: Vec<_> =
            rest.split('.').map(|part| if part == "in" { "input".to_owned() } else { snake(part) }).collect();
        format!("{}.{}", protos.rpc_of(operation), rest.join("."))
    };
    let expected: BTreeSet<String> = rows.iter().map(spelled).collect();
    let mut known = protos.references();
    // A third party's, which is no id of ours.
    known.retain(|path| !path.ends_with(".client_id"));
    assert_eq!(
        known.difference(&expected).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "no row says what becomes of it"
    );
    assert_eq!(expected.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "proto/ has no such field");
    let operations = ["Query", "Mutation"].map(|root| schema.operations(root).len()).iter().sum::<usize>();
    assert_eq!(protos.rpcs().len(), operations);
}

async fn over_graphql_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing(houses: &Houses) {
    let before = houses.theirs_now().await;
    assert!(before.len() > 15 && before["integration"].lines().count() == 2, "{:?}", before.keys());
    for row in rows() {
        let operation = row.0.split('.').next().unwrap();
        let (theirs, never) = houses.ids(&row);
        let mut answers = Vec::new();
        for id in [&theirs, &never] {
            let arguments = houses.arguments(&row, id);
            let request = houses.schema.request(operation, &arguments);
            let answer = houses.desk.ask_as(INTRUDER, None, &request, arguments).await;
            answers.push(told(&answer.body, id));
        }
        match row.3 {
            Refused(code) => assert_eq!(answers[0].0, Some(code), "{}: {}", row.0, answers[0].1),
            Nothing => assert_eq!(answers[0].0, None, "{}: {}", row.0, answers[0].1),
            Own => {}
        }
        assert!(row.3 == Own || answers[0] == answers[1], "{}:\n{}\n{}", row.0, answers[0].1, answers[1].1);
        assert_eq!(houses.theirs_now().await, before, "{} changed what is another tenant's", row.0);
    }
}

async fn over_grpc_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing(houses: &Houses) {
    let before = houses.theirs_now().await;
    for row in rows() {
        let rpc = houses.protos.rpc_of(row.0.split('.').next().unwrap());
        let (theirs, never) = houses.ids(&row);
        let mut answers = Vec::new();
        for id in [&theirs, &never] {
            let answer = houses.protos.call(&houses.desk, (INTRUDER, None), rpc, &houses.arguments(&row, id)).await;
            answers.push((number(&answer), told_over_grpc(&answer, id)));
        }
        match row.3 {
            Refused(code) => assert_eq!(answers[0].0, Some(code), "{}: {:?}", row.0, answers[0]),
            Nothing => assert_eq!(answers[0].0, None, "{}: {:?}", row.0, answers[0]),
            Own => {}
        }
        assert!(row.3 == Own || answers[0] == answers[1], "{}:\n{:?}\n{:?}", row.0, answers[0], answers[1]);
        assert_eq!(houses.theirs_now().await, before, "{} changed what is another tenant's", row.0);
    }
}

async fn a_client_of_one_tenant_that_names_another_finds_none_whatever_it_calls(houses: &Houses) {
    let before = houses.theirs_now().await;
    for row in rows() {
        let operation = row.0.split('.').next().unwrap();
        let (theirs, _) = houses.ids(&row);
        let arguments = houses.arguments(&row, &theirs);
        let request = houses.schema.request(operation, &arguments);
        let rpc = houses.protos.rpc_of(operation);
        let (mut graphql, mut grpc) = (Vec::new(), Vec::new());
        for named in ["acme", "acmf"] {
            let answer = houses.desk.ask_as(INTRUDER, Some(named), &request, arguments.clone()).await;
            graphql.push(told(&answer.body, named));
            let answer = houses.protos.call(&houses.desk, (INTRUDER, Some(named)), rpc, &arguments).await;
            grpc.push((number(&answer), told_over_grpc(&answer, named)));
        }
        assert!(graphql[0] == graphql[1] && graphql[0].0 == Some(25), "{}: {graphql:?}", row.0);
        assert!(grpc[0] == grpc[1] && grpc[0].0 == Some(25), "{}: {grpc:?}", row.0);
    }
    assert_eq!(houses.theirs_now().await, before);
}

async fn over_plain_http_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing(houses: &Houses) {
    let routes: BTreeSet<&str> = include_str!("../../../src/http/mod.rs")
        .split(".route(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let known = ["/graphql", "/v1/events", "/v1/integrations/{id}/openapi.json", "/v1/integrations/{id}/openapi.yaml"];
    assert_eq!(routes, BTreeSet::from(known), "a route that has no test here");
    let before = houses.theirs_now().await;
    let send = async |request: axum::http::request::Builder, named: Option<&str>, body: String| {
        let request = request.header("authorization", format!("Bearer {INTRUDER}"));
        let request = match named {
            Some(named) => request.header("tenant", named),
            None => request,
        };
        let answer = houses.desk.send(request.body(Body::from(body)).unwrap()).await;
        (answer.status.as_u16(), answer.body.to_string())
    };
    let theirs = &houses.theirs.ids["incoming"];
    let never = never(theirs);
    for kind in ["json", "yaml"] {
        let mut answers = Vec::new();
        for id in [theirs, &never] {
            let url = format!("/v1/integrations/{id}/openapi.{kind}");
            let (status, body) = send(Request::get(url), None, String::new()).await;
            answers.push((status, body.replace(id.as_str(), "@")));
        }
        assert!(answers[0] == answers[1] && answers[0].0 == 404, "{kind}: {answers:?}");
    }
    let event = |id: &str| {
        let data = json!({ "objectId": houses.theirs.ids["object"], "new": {} });
        let subject = &houses.theirs.ids["object"];
        let kind = format!("{}.create", houses.theirs.ids["type"]);
        json!({ "specversion": "1.0", "id": id, "source": "/", "type": kind, "subject": subject, "data": data })
            .to_string()
    };
    let post = || Request::post("/v1/events").header("content-type", "application/cloudevents+json");
    for named in ["acme", "acmf"] {
        let (status, body) = send(post(), Some(named), event("e")).await;
        assert_eq!((status, body.contains("TenantNotFound")), (404, true), "{body}");
    }
    // Under its own tenant the ids are its own.
    let theirs = houses.theirs.ids["event"].clone();
    let answers = [send(post(), None, event(&theirs)).await, send(post(), None, event("never")).await];
    assert_eq!(answers[0].1.replace(&theirs, "@"), answers[1].1.replace("never", "@"));
    assert_eq!(houses.theirs_now().await, before);
}

async fn a_script_of_one_tenant_finds_no_object_of_another(houses: &Houses) {
    let before = houses.theirs_now().await;
    let objects = houses.desk.director.objects();
    let actor = Actor { tenant: tenant("other"), attribution: "user:integration/out".to_owned() };
    let theirs = houses.theirs.ids["type"].parse().unwrap();
    let own = houses.own.ids["type"].parse().unwrap();
    let id = "acme-1".parse().unwrap();
    let data = tidegate_model::Json::empty_object();
    for (object_type, code) in [(&theirs, 20), (&own, 20)] {
        let refused = objects.update(&actor, object_type, &id, &data, None).await.unwrap_err();
        assert_eq!(refused.code().1, code, "{refused}");
        assert_eq!(objects.delete(&actor, object_type, &id, None).await.unwrap_err().code().1, code);
    }
    assert_eq!(objects.get(&actor, &theirs, &id).await.unwrap_err().code().1, 20);
    assert_eq!(objects.get(&actor, &own, &id).await.unwrap(), None);
    assert_eq!(objects.upsert(&actor, &theirs, &id, &data).await.unwrap_err().code().1, 20);
    assert_eq!(houses.theirs_now().await, before);
}
