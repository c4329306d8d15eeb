//! The wall between tenants, entry by entry: whatever names something, called with another tenant's id, answers as for what never was, and
//! changes nothing.
//!
//! The walk is over the schema and `proto/` themselves: an argument that names something and has no row here fails the test.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sqlx::Row as _;
use tidegate_model::contract::Actor;
use tidegate_model::{ClientOwner, RuntimeId, Scope, SystemRandomness};
use tidegate_storage::DatabaseUrl;
use tonic::{Code, Status};

use crate::desk::{Desk, tenant};
use crate::walk::graphql::Schema;
use crate::walk::proto::Protos;
use crate::walk::world::World;
use crate::walk::{filled, snake};

/// What is answered to the id of another tenant's thing, and to one of nothing alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    /// A refusal of this code.
    Refused(i64),
    /// What there is: nothing.
    Nothing,
    /// It names something of the caller's own, or of nobody's: another tenant's does not matter.
    Own,
}

use Answer::{Nothing, Own, Refused};

const NOT_FOUND: Answer = Refused(20);
const INVALID: Answer = Refused(22);
/// What is above tenants is not for a client that is bound to one.
const ABOVE: Answer = Refused(23);
const WHOLE: Answer = Refused(27);

type Row = (&'static str, Value, &'static str, Answer);

/// The argument, the call with `@` in its place and `$label` for what is the caller's own, and which of the other tenant's things it names.
fn rows() -> Vec<Row> {
    let mut rows = queries();
    rows.extend(mutations());
    rows.extend(definitions("createIntegration", &json!({ "name": "n" })));
    rows.extend(definitions("updateIntegration", &json!({ "active": true })));
    rows
}

fn queries() -> Vec<Row> {
    vec![
        ("integrationSystems.after", json!({ "after": "@" }), "cursor of integrationSystems", ABOVE),
        ("integrationSystem.id", json!({ "id": "@" }), "system", ABOVE),
        ("tenants.after", json!({ "after": "@" }), "cursor of tenants", ABOVE),
        ("tenant.id", json!({ "id": "@" }), "tenant", ABOVE),
        ("applications.after", json!({ "after": "@" }), "cursor of applications", INVALID),
        ("application.id", json!({ "id": "@" }), "application", Nothing),
        ("runtimes.after", json!({ "after": "@" }), "cursor of runtimes", INVALID),
        ("runtime.id", json!({ "id": "@" }), "runtime", Nothing),
        ("logics.after", json!({ "after": "@" }), "cursor of logics", INVALID),
        ("logic.id", json!({ "id": "@" }), "core", Nothing),
        ("integrations.after", json!({ "after": "@" }), "cursor of integrations", INVALID),
        ("integration.id", json!({ "id": "@" }), "incoming", Nothing),
        ("credentials.after", json!({ "after": "@" }), "cursor of credentials", INVALID),
        ("credential.id", json!({ "id": "@" }), "basic", Nothing),
        ("executions.after", json!({ "after": "@" }), "cursor of executions", INVALID),
        ("executions.filter.integrationID", json!({ "filter": { "integrationID": "@" } }), "outgoing", Nothing),
        ("executions.filter.objectType", json!({ "filter": { "objectType": "@" } }), "type", Nothing),
        ("executions.filter.objectId", json!({ "filter": { "objectId": "@" } }), "object", Nothing),
        ("executions.filter.eventId", json!({ "filter": { "eventId": "@" } }), "event", Nothing),
        ("execution.id", json!({ "id": "@" }), "ended", Nothing),
        ("replay.id", json!({ "id": "@" }), "replay", Nothing),
        ("replays.after", json!({ "after": "@" }), "cursor of replays", INVALID),
        ("asideEvents.after", json!({ "after": "@" }), "cursor of asideEvents", INVALID),
        ("asideEvent.id", json!({ "id": "@" }), "aside", Nothing),
        ("auditLog.after", json!({ "after": "@" }), "cursor of auditLog", INVALID),
        ("auditLog.filter.objectId", json!({ "filter": { "objectId": "@" } }), "application", Nothing),
        ("auditEntry.id", json!({ "id": "@" }), "auditEntry", Nothing),
        ("objects.objectType", json!({ "objectType": "@" }), "type", NOT_FOUND),
        ("objects.after", json!({ "objectType": "$type", "after": "@" }), "cursor of objects", INVALID),
        ("object.objectType", json!({ "objectType": "@", "id": "$object" }), "type", Nothing),
        ("object.id", json!({ "objectType": "$type", "id": "@" }), "object", Nothing),
    ]
}

fn mutations() -> Vec<Row> {
    let app = json!({ "name": "renamed" });
    let (source, hosts) = (json!({ "source": "return {}" }), json!({ "allowedHosts": ["erp.example"] }));
    vec![
        ("updateIntegrationSystem.id", json!({ "id": "@", "in": app }), "system", ABOVE),
        ("unregisterIntegrationSystem.id", json!({ "id": "@" }), "system", ABOVE),
        ("requestClientCredentialsForIntegrationSystem.id", json!({ "id": "@" }), "system", ABOVE),
        ("addClientSecretForIntegrationSystem.id", json!({ "id": "@" }), "applicationAuth", ABOVE),
        ("removeClientSecretForIntegrationSystem.id", json!({ "id": "@", "secretID": "@" }), "applicationAuth", ABOVE),
        (
            "removeClientSecretForIntegrationSystem.secretID",
            json!({ "id": "$applicationAuth", "secretID": "@" }),
            "applicationAuth",
            ABOVE,
        ),
        ("deleteSystemAuthForIntegrationSystem.id", json!({ "id": "@" }), "applicationAuth", ABOVE),
        ("createTenant.in.id", json!({ "in": { "id": "@", "name": "mine" } }), "tenant", ABOVE),
        ("deleteTenant.id", json!({ "id": "@" }), "tenant", ABOVE),
        // Integration Systems are nobody's.
        (
            "registerApplication.in.integrationSystemID",
            json!({ "in": { "name": "a", "integrationSystemID": "@" } }),
            "system",
            Own,
        ),
        ("updateApplication.id", json!({ "id": "@", "in": app }), "application", NOT_FOUND),
        (
            "updateApplication.in.integrationSystemID",
            json!({ "id": "$application", "in": { "name": "crm", "integrationSystemID": "@" } }),
            "system",
            Own,
        ),
        ("unregisterApplication.id", json!({ "id": "@" }), "application", NOT_FOUND),
        ("requestClientCredentialsForApplication.id", json!({ "id": "@" }), "application", NOT_FOUND),
        ("addClientSecretForApplication.id", json!({ "id": "@" }), "applicationAuth", NOT_FOUND),
        ("removeClientSecretForApplication.id", json!({ "id": "@", "secretID": "@" }), "applicationAuth", NOT_FOUND),
        (
            "removeClientSecretForApplication.secretID",
            json!({ "id": "$applicationAuth", "secretID": "@" }),
            "applicationAuth",
            NOT_FOUND,
        ),
        ("deleteSystemAuthForApplication.id", json!({ "id": "@" }), "applicationAuth", NOT_FOUND),
        (
            "registerRuntime.in.integrationSystemID",
            json!({ "in": { "name": "r", "integrationSystemID": "@" } }),
            "system",
            Own,
        ),
        ("updateRuntime.id", json!({ "id": "@", "in": app }), "runtime", NOT_FOUND),
        (
            "updateRuntime.in.integrationSystemID",
            json!({ "id": "$runtime", "in": { "name": "cluster", "integrationSystemID": "@" } }),
            "system",
            Own,
        ),
        ("unregisterRuntime.id", json!({ "id": "@" }), "runtime", NOT_FOUND),
        ("requestClientCredentialsForRuntime.id", json!({ "id": "@" }), "runtime", NOT_FOUND),
        ("addClientSecretForRuntime.id", json!({ "id": "@" }), "runtimeAuth", NOT_FOUND),
        ("removeClientSecretForRuntime.id", json!({ "id": "@", "secretID": "@" }), "runtimeAuth", NOT_FOUND),
        (
            "removeClientSecretForRuntime.secretID",
            json!({ "id": "$runtimeAuth", "secretID": "@" }),
            "runtimeAuth",
            NOT_FOUND,
        ),
        ("deleteSystemAuthForRuntime.id", json!({ "id": "@" }), "runtimeAuth", NOT_FOUND),
        ("updateLogic.id", json!({ "id": "@", "in": source }), "core", NOT_FOUND),
        ("deleteLogic.id", json!({ "id": "@" }), "unused", NOT_FOUND),
        (
            "updateIntegration.id",
            json!({ "id": "@", "in": { "httpMethod": "POST", "active": false, "coreLogicID": "$core" } }),
            "incoming",
            NOT_FOUND,
        ),
        ("deleteIntegration.id", json!({ "id": "@" }), "incoming", NOT_FOUND),
        ("resumeIntegration.id", json!({ "id": "@" }), "outgoing", NOT_FOUND),
        ("regenerateWebhookUrls.ids", json!({ "ids": ["$incoming", "@"] }), "incoming", WHOLE),
        ("updateCredential.id", json!({ "id": "@", "in": hosts }), "basic", NOT_FOUND),
        ("deleteCredential.id", json!({ "id": "@" }), "basic", NOT_FOUND),
        ("addSigningSecret.id", json!({ "id": "@", "secret": "another one" }), "signing", NOT_FOUND),
        ("removeSigningSecret.id", json!({ "id": "@", "secretID": "$signingSecret" }), "signing", NOT_FOUND),
        ("removeSigningSecret.secretID", json!({ "id": "$signing", "secretID": "@" }), "signingSecret", NOT_FOUND),
        ("replayExecution.id", json!({ "id": "@" }), "ended", NOT_FOUND),
        ("cancelExecution.id", json!({ "id": "@" }), "open", NOT_FOUND),
        ("cancelExecutions.filter.integrationID", json!({ "filter": { "integrationID": "@" } }), "outgoing", Nothing),
        ("cancelExecutions.filter.objectType", json!({ "filter": { "objectType": "@" } }), "type", Nothing),
        ("cancelExecutions.filter.objectId", json!({ "filter": { "objectId": "@" } }), "openObject", Nothing),
        ("cancelExecutions.filter.eventId", json!({ "filter": { "eventId": "@" } }), "openEvent", Nothing),
        ("replayExecutions.filter.integrationID", json!({ "filter": { "integrationID": "@" } }), "outgoing", Nothing),
        ("replayExecutions.filter.objectType", json!({ "filter": { "objectType": "@" } }), "type", Nothing),
        ("replayExecutions.filter.objectId", json!({ "filter": { "objectId": "@" } }), "object", Nothing),
        ("replayExecutions.filter.eventId", json!({ "filter": { "eventId": "@" } }), "event", Nothing),
        ("stopReplay.id", json!({ "id": "@" }), "replay", NOT_FOUND),
        ("resendAsideEvent.id", json!({ "id": "@" }), "aside", NOT_FOUND),
        ("deleteAsideEvent.id", json!({ "id": "@" }), "aside", NOT_FOUND),
        ("updateObjectType.id", json!({ "id": "@", "in": {} }), "objectType", NOT_FOUND),
        ("deleteObjectType.id", json!({ "id": "@" }), "objectType", NOT_FOUND),
        ("createObject.objectType", json!({ "objectType": "@", "data": {} }), "type", NOT_FOUND),
        ("createObject.id", json!({ "objectType": "$type", "id": "@", "data": {} }), "object", Own),
        ("updateObject.objectType", json!({ "objectType": "@", "id": "$object", "data": {} }), "type", NOT_FOUND),
        ("updateObject.id", json!({ "objectType": "$type", "id": "@", "data": {} }), "onlyTheirs", NOT_FOUND),
        ("deleteObject.objectType", json!({ "objectType": "@", "id": "$object" }), "type", NOT_FOUND),
        ("deleteObject.id", json!({ "objectType": "$type", "id": "@" }), "onlyTheirs", NOT_FOUND),
        // Ids of events and of others' objects are the publisher's, in its own tenant.
        (
            "publishEvent.in.id",
            json!({ "in": { "id": "@", "objectType": "T", "eventType": "DELETE", "objectId": "1" } }),
            "event",
            Own,
        ),
        (
            "publishEvent.in.objectType",
            json!({ "in": { "objectType": "@", "eventType": "DELETE", "objectId": "1" } }),
            "type",
            Own,
        ),
        (
            "publishEvent.in.objectId",
            json!({ "in": { "objectType": "T", "eventType": "DELETE", "objectId": "@" } }),
            "object",
            Own,
        ),
        (
            "tryLogic.in.logicID",
            json!({ "in": { "logicID": "@", "type": "INCOMING", "sample": {} } }),
            "core",
            NOT_FOUND,
        ),
        (
            "tryLogic.in.executionID",
            json!({ "in": { "source": "return {}", "kind": "CORE", "executionID": "@" } }),
            "ended",
            NOT_FOUND,
        ),
        (
            "tryLogic.in.sample.objectType",
            json!({ "in": { "source": "return {}", "type": "OUTGOING", "sample": { "objectType": "@", "eventType": "CREATE", "objectId": "1", "new": {} } } }),
            "type",
            Own,
        ),
        (
            "tryLogic.in.sample.objectId",
            json!({ "in": { "source": "return {}", "type": "OUTGOING", "sample": { "objectType": "$type", "eventType": "CREATE", "objectId": "@", "new": {} } } }),
            "object",
            Own,
        ),
        ("compareLogic.logicID", json!({ "logicID": "@", "source": "return {}" }), "core", NOT_FOUND),
    ]
}

/// What an Integration names, as it is made or changed.
fn definitions(operation: &'static str, with: &Value) -> Vec<Row> {
    let definition = |incoming: bool, more: Value| {
        let mut input = json!({ "httpMethod": "POST", "coreLogicID": "$core" });
        if !incoming {
            input["url"] = json!("http://sink.example/in");
            input["subscriptions"] = json!([{ "objectType": "$type", "eventType": "CREATE" }]);
        }
        if operation == "createIntegration" {
            input["type"] = json!(if incoming { "INCOMING" } else { "OUTGOING" });
        }
        for (key, value) in [with, &more].into_iter().flat_map(|all| all.as_object().unwrap()) {
            input[key] = value.clone();
        }
        let id = if incoming { "$incoming" } else { "$outgoing" };
        if operation == "createIntegration" { json!({ "in": input }) } else { json!({ "id": id, "in": input }) }
    };
    let signature = json!({ "incoming": { "signature": { "scheme": "GITHUB", "credentials": ["@"] } } });
    let named = |name: &str| -> &'static str { Box::leak(format!("{operation}.in.{name}").into_boxed_str()) };
    vec![
        (named("coreLogicID"), definition(true, json!({ "coreLogicID": "@" })), "core", INVALID),
        (named("enableLogicID"), definition(true, json!({ "enableLogicID": "@" })), "enable", INVALID),
        (named("incoming.signature.credentials"), definition(true, signature), "signer", INVALID),
        (
            named("outgoing.credential"),
            definition(false, json!({ "outgoing": { "credential": "@" } })),
            "credential",
            INVALID,
        ),
        (
            named("outgoing.signingCredentials"),
            definition(false, json!({ "outgoing": { "signingCredentials": ["@"] } })),
            "signer",
            INVALID,
        ),
        // A type is listened to by its name, whether there is one or not; what is heard is the tenant's own.
        (
            named("subscriptions.objectType"),
            definition(false, json!({ "subscriptions": [{ "objectType": "@", "eventType": "CREATE" }] })),
            "type",
            Own,
        ),
    ]
}

/// Two tenants with one of everything, in a file that the test reads beside the director; and a client of the second one, with every scope.
struct Houses {
    desk: Desk,
    schema: Schema,
    protos: Protos,
    theirs: World,
    own: World,
    file: sqlx::SqlitePool,
    _folder: tempfile::TempDir,
}

const INTRUDER: &str = "intruder";

impl Houses {
    async fn build() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let desk = Desk::at(DatabaseUrl::file(&path)).await;
        let schema = Schema::read();
        let mut system = String::new();
        for (operation, arguments) in [
            ("createTenant", json!({ "in": { "id": "acme", "name": "Acme" } })),
            ("createTenant", json!({ "in": { "id": "other", "name": "Other" } })),
            ("registerIntegrationSystem", json!({ "in": { "name": "s1" } })),
            ("registerIntegrationSystem", json!({ "in": { "name": "s2" } })),
        ] {
            let made = desk.ok(None, &schema.request(operation, &arguments), arguments).await;
            system = crate::desk::text(&made[operation]["id"]);
        }
        let mut theirs = World::furnish(&desk, &schema, "acme").await;
        let own = World::furnish(&desk, &schema, "other").await;
        let open = theirs.delivery(&desk, false).await.event.unwrap();
        for (label, id) in [
            ("system", system),
            ("openEvent", open.id.to_string()),
            ("openObject", open.object_id.to_string()),
            ("onlyTheirs", "acme-1".to_owned()),
        ] {
            theirs.ids.insert(label.to_owned(), id);
        }
        let runtime = ClientOwner::Runtime(tenant("other"), RuntimeId::generate(&*desk.clock, &SystemRandomness));
        desk.grant(INTRUDER, runtime, Scope::all());
        let file = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        Self { desk, schema, protos: Protos::read(), theirs, own, file, _folder: folder }
    }

    /// Every row that is the first tenant's, by table.
    async fn theirs_now(&self) -> BTreeMap<String, String> {
        let all = "SELECT m.name AS \"table\", group_concat('quote(\"' || c.name || '\")', ' || ''|'' || ') AS columns, \
            max(c.name = 'tenant') AS has_tenant FROM sqlite_master m, pragma_table_info(m.name) c \
            WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' GROUP BY m.name";
        let mut dump = BTreeMap::new();
        for row in sqlx::query(all).fetch_all(&self.file).await.unwrap() {
            let (table, columns): (String, String) = (row.get("table"), row.get("columns"));
            let theirs = match (row.get::<bool, _>("has_tenant"), table.as_str()) {
                (true, _) => "tenant = 'acme'",
                (false, "tenant") => "id = 'acme'",
                (false, "integration_system") => "true",
                (false, _) => continue,
            };
            let rows = format!("SELECT {columns} FROM \"{table}\" WHERE {theirs} ORDER BY 1");
            let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_all(&self.file).await.unwrap();
            dump.insert(table, rows.iter().map(|row| row.get::<String, _>(0) + "\n").collect());
        }
        dump
    }

    fn arguments(&self, row: &Row, at: &str) -> Value {
        filled(&row.1, at, &|label| self.own.ids.get(label).unwrap_or_else(|| panic!("{label}?")).clone())
    }

    /// Theirs, and an id that was never given out.
    fn ids(&self, row: &Row) -> (String, String) {
        let theirs = self.theirs.ids.get(row.2).unwrap_or_else(|| panic!("{}?", row.2)).clone();
        let never = never(&theirs);
        (theirs, never)
    }
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_graphql_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing() {
    let houses = Houses::build().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_grpc_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing() {
    let houses = Houses::build().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_one_tenant_that_names_another_finds_none_whatever_it_calls() {
    let houses = Houses::build().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_plain_http_another_tenants_id_answers_as_one_that_never_was_and_changes_nothing() {
    let routes: BTreeSet<&str> = include_str!("../../src/http/mod.rs")
        .split(".route(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let known = ["/graphql", "/v1/events", "/v1/integrations/{id}/openapi.json", "/v1/integrations/{id}/openapi.yaml"];
    assert_eq!(routes, BTreeSet::from(known), "a route that has no test here");
    let houses = Houses::build().await;
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
        let subject = format!("{}", houses.theirs.ids["object"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_of_one_tenant_finds_no_object_of_another() {
    let houses = Houses::build().await;
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
