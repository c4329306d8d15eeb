//! What names something, and what is answered.

use serde_json::{Value, json};

use Answer::{Nothing, Own, Refused};

/// What is answered to the id of another tenant's thing, and to one of nothing alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// A refusal of this code.
    Refused(i64),
    /// What there is: nothing.
    Nothing,
    /// It names something of the caller's own, or of nobody's: another tenant's does not matter.
    Own,
}

const NOT_FOUND: Answer = Refused(20);
const INVALID: Answer = Refused(22);
/// What is above tenants is not for a client that is bound to one.
const ABOVE: Answer = Refused(23);
const WHOLE: Answer = Refused(27);

pub(super) type Row = (&'static str, Value, &'static str, Answer);

/// The argument, the call with `@` in its place and `$label` for what is the caller's own, and which of the other tenant's things it names.
pub(super) fn rows() -> Vec<Row> {
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

#[expect(clippy::too_many_lines, reason = "one table")]
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
