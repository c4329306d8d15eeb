//! What each operation, and each field that shows another noun, asks of a token. The tables name all of them: one that is missing fails.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tidegate_model::{ClientOwner, Scope};
use tonic::Code;

use crate::desk::Desk;
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;
use crate::walk::world::World;

/// What each scope opens.
const OPERATIONS: [(&str, &str); 22] = [
    ("integration_system:read", "integrationSystems integrationSystem"),
    (
        "integration_system:write",
        "registerIntegrationSystem updateIntegrationSystem unregisterIntegrationSystem requestClientCredentialsForIntegrationSystem \
         addClientSecretForIntegrationSystem removeClientSecretForIntegrationSystem deleteSystemAuthForIntegrationSystem",
    ),
    ("tenant:read", "tenants tenant"),
    ("tenant:write", "createTenant deleteTenant"),
    ("application:read", "applications application"),
    ("application:write", "registerApplication updateApplication unregisterApplication"),
    ("runtime:read", "runtimes runtime"),
    ("runtime:write", "registerRuntime updateRuntime unregisterRuntime"),
    ("credential:read", "credentials credential"),
    (
        "credential:write",
        "requestClientCredentialsForApplication addClientSecretForApplication removeClientSecretForApplication deleteSystemAuthForApplication \
         requestClientCredentialsForRuntime addClientSecretForRuntime removeClientSecretForRuntime deleteSystemAuthForRuntime \
         createCredential updateCredential deleteCredential addSigningSecret removeSigningSecret",
    ),
    ("logic:read", "logics logic"),
    ("logic:write", "createLogic updateLogic deleteLogic tryLogic compareLogic"),
    ("integration:read", "integrations integration"),
    (
        "integration:write",
        "createIntegration updateIntegration deleteIntegration resumeIntegration regenerateWebhookUrls",
    ),
    ("execution:read", "executions execution replay replays"),
    ("execution:write", "replayExecution cancelExecution cancelExecutions replayExecutions stopReplay"),
    ("object:read", "objectTypes objects object"),
    ("object:write", "createObjectType updateObjectType deleteObjectType createObject updateObject deleteObject"),
    ("event:read", "asideEvents asideEvent"),
    ("event:write", "publishEvent resendAsideEvent deleteAsideEvent"),
    ("audit_log:read", "auditLog auditEntry"),
    // Nothing by itself; see the fields.
    ("integration_system.auths:read", ""),
];

/// What a field of one noun asks for before it shows another one.
const FIELDS: [(&str, &str); 6] = [
    ("IntegrationSystem.auths", "integration_system.auths:read"),
    ("Application.auths", "credential:read"),
    ("Runtime.auths", "credential:read"),
    ("Integration.coreLogic", "logic:read"),
    ("Integration.enableLogic", "logic:read"),
    ("Execution.integration", "integration:read"),
];

/// All scopes but this one.
fn others(scope: &str) -> BTreeSet<Scope> {
    let mut others = Scope::all();
    assert!(others.remove(&scope.parse().unwrap()), "{scope}");
    others
}

#[tokio::test]
async fn every_operation_asks_for_the_scope_that_the_table_names_and_none_is_missing() {
    let (desk, schema, protos) = (Desk::with_tenants().await, Schema::read(), Protos::read());
    let table: BTreeMap<&str, &str> = OPERATIONS
        .iter()
        .flat_map(|(scope, all)| all.split_whitespace().map(|operation| (operation, *scope)))
        .collect();
    let known = ["Query", "Mutation"].into_iter().flat_map(|root| schema.operations(root));
    let known: BTreeSet<&str> = known.map(|operation| operation.name.node.as_str()).collect();
    assert_eq!(table.keys().copied().collect::<BTreeSet<_>>(), known, "each operation stands in the table, once");
    for (operation, scope) in table {
        desk.grant("others", ClientOwner::Administrator, others(scope));
        let arguments = schema.sample(operation);
        let request = schema.request(operation, &arguments);
        let answer = desk.ask_as("others", Some("acme"), &request, arguments.clone()).await;
        let (code, message) = answer.refusal();
        assert_eq!((code, message.contains(scope)), (23, true), "{operation}: {message}");
        let refused =
            protos.call(&desk, ("others", Some("acme")), protos.rpc_of(operation), &arguments).await.unwrap_err();
        assert_eq!((refused.code(), refused.message().contains(scope)), (Code::PermissionDenied, true), "{refused}");
    }
}

#[tokio::test]
async fn every_field_that_shows_another_noun_asks_for_the_scope_that_the_table_names() {
    let (desk, schema) = (Desk::with_tenants().await, Schema::read());
    let shown = schema.shown_nouns();
    assert_eq!(FIELDS.iter().map(|(field, _)| (*field).to_owned()).collect::<BTreeSet<_>>(), shown);
    let mut world = World::furnish(&desk, &schema, "acme").await;
    let register = "mutation { made: registerIntegrationSystem(in: {name: \"system\"}) { id } }";
    let system = crate::desk::text(&desk.ok(None, register, json!({})).await["made"]["id"]);
    world
        .ids
        .extend([("integrationSystem".to_owned(), system), ("integration".to_owned(), world.ids["incoming"].clone())]);
    world.ids.insert("execution".to_owned(), world.ids["ended"].clone());
    for (field, scope) in FIELDS {
        let (noun, field) = field.split_once('.').unwrap();
        let query = format!("{}{}", noun[..1].to_lowercase(), &noun[1..]);
        let arguments = json!({ "id": world.ids[&query] });
        let ask = |what: &str| format!("query($id: ID!) {{ it: {query}(id: $id) {{ id {what} }} }}");
        desk.grant("others", ClientOwner::Administrator, others(scope));
        let plain = desk.ask_as("others", Some("acme"), &ask(""), arguments.clone()).await.data();
        assert!(plain["it"]["id"].is_string(), "{noun}: {plain}");
        let nested = ask(&format!("{field} {{ id }}"));
        let (code, message) = desk.ask_as("others", Some("acme"), &nested, arguments.clone()).await.refusal();
        assert_eq!((code, message.contains(scope)), (23, true), "{noun}.{field}: {message}");
        desk.ok(Some("acme"), &nested, arguments).await;
    }
}
