//! GraphQL and gRPC say the same: what the schema has, `proto/tidegate/v1` has, and the other way round.
//!
//! Each is read as a set of facts in the words of `proto/`: one for every RPC, field and value. The rules of translation stand in
//! `graphql.rs`; what does not follow them stands here, with the reason.

mod graphql;
mod proto;

use std::collections::BTreeSet;

use graphql::Expected;

/// What gRPC does not say yet: `Mutation.<operation>`, `Query.<operation>`, or `<Type>.<field>`. Keep it empty.
const NOT_YET: &[&str] = &[];

/// What GraphQL says, and how gRPC says it.
const OTHERWISE: &[(&str, &str)] = &[
    // `from` is a reserved word in Python.
    ("ExecutionFilter.from: optional Timestamp", "ExecutionFilter.from_time: optional Timestamp"),
    ("ExecutionFilter.to: optional Timestamp", "ExecutionFilter.to_time: optional Timestamp"),
    ("AuditFilter.from: optional Timestamp", "AuditFilter.from_time: optional Timestamp"),
    ("AuditFilter.to: optional Timestamp", "AuditFilter.to_time: optional Timestamp"),
    // Left out, it would be `false`: an update that says nothing of it is refused instead.
    ("IntegrationUpdateInput.active: bool", "IntegrationUpdateInput.active: optional bool"),
    // In GraphQL null once the Integration is deleted; its id stays known.
    ("Execution.integration_id: optional string", "Execution.integration_id: string"),
    // GraphQL has no larger integer.
    ("TriedLogic.memory_bytes: int32", "TriedLogic.memory_bytes: int64"),
];

/// In GraphQL a field is there when it is asked for; what costs a scope of its own, or much, has to be asked for here too.
const ASKED_FOR: &[&str] = &[
    "GetApplicationRequest.with_auths: bool",
    "GetIntegrationRequest.with_interface: bool",
    "GetIntegrationSystemRequest.with_auths: bool",
    "GetRuntimeRequest.with_auths: bool",
    "ListApplicationsRequest.with_auths: bool",
    "ListIntegrationSystemsRequest.with_auths: bool",
    "ListRuntimesRequest.with_auths: bool",
];

#[test]
fn neither_face_has_an_operation_a_field_or_a_value_that_the_other_lacks() {
    let Expected { mut facts, unknown } = graphql::expected(&tidegate_director::sdl(), NOT_YET);
    assert!(unknown.is_empty(), "NOT_YET is stale, the schema does not have: {unknown:#?}");
    for (graphql, proto) in OTHERWISE {
        assert!(facts.remove(*graphql), "OTHERWISE is stale: {graphql}");
        facts.insert((*proto).to_owned());
    }
    facts.extend(ASKED_FOR.iter().map(|fact| (*fact).to_owned()));
    let there = proto::facts(tidegate_wire::api::DESCRIPTORS);
    assert!(there.len() > 300, "the descriptors were not read: {} facts", there.len());
    let missing: BTreeSet<_> = facts.difference(&there).collect();
    let surplus: BTreeSet<_> = there.difference(&facts).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "GraphQL says it, proto/tidegate/v1 does not (add it there, or list its GraphQL name in NOT_YET):\n{missing:#?}\n\
         proto/tidegate/v1 says it, GraphQL does not (or NOT_YET is stale):\n{surplus:#?}"
    );
}

#[test]
fn what_only_one_face_has_is_seen() {
    let schema = "type Query { thing(id: ID!): Thing } type Mutation { makeThing(in: ThingInput!): Thing! }
        input ThingInput { kind: Kind! } type Thing { id: ID! size: Int } enum Kind { A B }";
    let all = graphql::expected(schema, &[]).facts;
    for fact in [
        "rpc GetThing",
        "GetThingRequest.id: string",
        "GetThingResponse.thing: optional Thing",
        "MakeThingRequest.input: ThingInput",
        "ThingInput.kind: Kind",
        "Thing.size: optional int32",
        "Kind.B",
    ] {
        assert!(all.contains(fact), "{fact} is not in {all:#?}");
    }
    let fewer = graphql::expected(schema, &["Mutation.makeThing", "Thing.size", "Thing.weight"]);
    assert_eq!(fewer.unknown, ["Thing.weight"]);
    assert!(!fewer.facts.iter().any(|fact| fact.contains("MakeThing") || fact.contains("size") || fact == "Kind.B"));
}
