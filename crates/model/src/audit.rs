//! The audit log: who changed what, when and from where, and who was refused.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    AuditId, Caller, Change, ClientOwner, Clock, Event, Json, Randomness, TenantId, Timestamp, changed_attributes,
};

/// The longest state that an entry holds; of a longer one it holds the length.
const MAX_STATE: usize = 16 * 1024;

/// One change that was made, or calls that were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Sorts by when it was written.
    pub id: AuditId,
    /// Whose log it stands in; `None` is the platform's.
    pub tenant: Option<TenantId>,
    /// When it happened; of several calls, when the last one did.
    pub at: Timestamp,
    /// Who did it, and how.
    pub trace: Trace,
    /// What became of what.
    pub made: Made,
    /// The name of the error, where it was refused.
    pub refused: Option<String>,
    /// How many calls it tells of: several only where calls were refused.
    pub count: u64,
}

/// Who does something, from where, and which operation it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// `client:<id>`, `user:<username>`, `system`, or `stranger` for who showed no good token.
    pub actor: String,
    /// Whose client it is: `administrator`, `integration_system:<id>`, `application:<id>`, `runtime:<id>`.
    pub owner: Option<String>,
    /// Which way it came in.
    pub face: Face,
    /// The address that called, behind trusted proxies.
    pub address: Option<IpAddr>,
    /// As GraphQL names it.
    pub operation: String,
}

/// What was done to one thing, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The kind of thing: a built-in type or one of the tenant's.
    pub kind: String,
    /// Which one; `None` where several calls are told of, or none is named.
    pub id: Option<String>,
    /// Of an update the attributes that changed, with their former values; of a deletion all.
    pub before: Option<Json>,
    /// Of an update the attributes that changed, with their new values; of a creation all.
    pub after: Option<Json>,
}

/// Which way a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Face {
    /// GraphQL.
    Graphql,
    /// gRPC.
    Grpc,
    /// Plain HTTP.
    Http,
    /// A command of `tidegate`, on the database itself.
    Cli,
    /// A script.
    Script,
    /// None: the platform did it.
    System,
}

/// Which entries to list; every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who did it.
    pub actor: Option<String>,
    /// What it was done to.
    pub kind: Option<String>,
    /// Which one.
    pub id: Option<String>,
    /// Whether it was refused.
    pub refused: Option<bool>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl AuditEntry {
    /// A change that is made now.
    pub fn of(
        clock: &dyn Clock,
        randomness: &dyn Randomness,
        tenant: Option<&TenantId>,
        trace: Trace,
        made: Made,
    ) -> Self {
        let at = clock.now();
        let id = AuditId::generate(clock, randomness);
        Self { id, tenant: tenant.cloned(), at, trace, made, refused: None, count: 1 }
    }
}

impl Trace {
    /// A client's.
    pub fn of(caller: &Caller, face: Face, address: Option<IpAddr>, operation: impl Into<String>) -> Self {
        let owner = match &caller.owner {
            ClientOwner::Administrator => "administrator".to_owned(),
            ClientOwner::Service(name) => format!("service:{name}"),
            ClientOwner::IntegrationSystem(id) => format!("integration_system:{id}"),
            ClientOwner::Application(_, id) => format!("application:{id}"),
            ClientOwner::Runtime(_, id) => format!("runtime:{id}"),
        };
        Self { actor: caller.attribution(), owner: Some(owner), face, address, operation: operation.into() }
    }

    /// The platform's own.
    pub fn of_system(face: Face, operation: impl Into<String>) -> Self {
        Self { actor: "system".to_owned(), owner: None, face, address: None, operation: operation.into() }
    }

    /// An Integration's script's, which `attribution` names.
    pub fn of_script(attribution: impl Into<String>, operation: impl Into<String>) -> Self {
        Self { actor: attribution.into(), owner: None, face: Face::Script, address: None, operation: operation.into() }
    }
}

impl Made {
    /// Something was done to this thing; its states are not told.
    #[expect(clippy::needless_pass_by_value, reason = "ids are as short as references to them")]
    pub fn to(kind: impl Into<String>, id: impl ToString) -> Self {
        Self { kind: kind.into(), id: Some(id.to_string()), before: None, after: None }
    }

    /// With the state before.
    #[must_use]
    pub fn from_state(self, before: Json) -> Self {
        Self { before: Some(short(before)), ..self }
    }

    /// With the state after.
    #[must_use]
    pub fn to_state(self, after: Json) -> Self {
        Self { after: Some(short(after)), ..self }
    }

    /// With attributes beside those of the state after: of what is told without being shown, such as a new secret.
    #[must_use]
    pub fn noting(self, key: &str, note: &Json) -> Self {
        let mut all = self.after.as_ref().and_then(Json::attributes).unwrap_or_default();
        all.retain(|(known, _)| known != key);
        all.push((key.to_owned(), note.clone()));
        let after = Json::object(all.iter().map(|(key, value)| (key.as_str(), value)));
        Self { after: Some(after), ..self }
    }

    /// An update between two states: what changed, before and after.
    #[must_use]
    pub fn updated(self, old: &Json, new: &Json) -> Self {
        let (before, after) = (changed_attributes(old, new), changed_attributes(new, old));
        self.from_state(before).to_state(after)
    }
}

impl From<&Event> for Made {
    /// What the event of a change tells.
    fn from(event: &Event) -> Self {
        let made = Self::to(event.object_type.as_str(), &event.object_id);
        match &event.change {
            Change::Create { new } => made.to_state(new.clone()),
            Change::Update { old, new } => {
                let before = changed_attributes(old, new);
                let after = changed_attributes(new, old);
                made.from_state(before).to_state(after)
            }
            Change::Delete { old } => made.from_state(old.clone()),
        }
    }
}

impl Face {
    /// The name that GraphQL and the tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graphql => "GRAPHQL",
            Self::Grpc => "GRPC",
            Self::Http => "HTTP",
            Self::Cli => "CLI",
            Self::Script => "SCRIPT",
            Self::System => "SYSTEM",
        }
    }
}

/// A state that is too long is told by its length.
fn short(state: Json) -> Json {
    let bytes = state.as_str().len();
    if bytes <= MAX_STATE { state } else { Json::of(&serde_json::json!({ "leftOut": format!("{bytes} bytes") })) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn an_update_tells_what_changed_before_and_after() {
        let made = Made::to("Logic", 7)
            .updated(&json(r#"{"name":"a","gone":1,"n":1.0}"#), &json(r#"{"name":"b","new":[2],"n":1}"#));
        assert_eq!(
            made.before,
            Some(json(r#"{"name":"a","gone":1}"#)),
            "a number that is written differently has not changed"
        );
        assert_eq!(made.after, Some(json(r#"{"name":"b","new":[2]}"#)));
        assert_eq!(made.id.as_deref(), Some("7"));
    }

    #[test]
    fn a_long_state_is_told_by_its_length_and_a_note_stands_beside_a_state() {
        let long = json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_STATE)));
        let made = Made::to("Order", 1).to_state(long);
        assert_eq!(made.after, Some(json(r#"{"leftOut":"16392 bytes"}"#)));
        let noted = Made::to("Credential", 1).to_state(json(r#"{"name":"erp"}"#)).noting("secret", &Json::of(&"set"));
        assert_eq!(noted.after, Some(json(r#"{"name":"erp","secret":"set"}"#)));
    }
}
