//! Domain objects and what happens to them.

use serde::{Deserialize, Serialize};

use crate::{EventId, EventType, Json, ObjectId, TenantId, Timestamp, TypeName, means_the_same};

/// An instance of a tenant's object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its type.
    pub object_type: TypeName,
    /// Unique within tenant and type.
    pub id: ObjectId,
    /// Its attributes: a JSON object, without the id.
    pub data: Json,
    /// 1, 2, 3, ... with each change.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it: `client:<id>` or `user:<username>`.
    pub created_by: String,
    /// Who changed it last.
    pub updated_by: String,
}

/// What happened to an object, with the states that this leaves to tell. Each state is a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was made.
    Create {
        /// All attributes.
        new: Json,
    },
    /// It changed.
    Update {
        /// The former state: whole, or at least each attribute that changed.
        old: Json,
        /// All attributes.
        new: Json,
    },
    /// It is gone.
    Delete {
        /// All attributes it had.
        old: Json,
    },
}

impl Change {
    /// The kind of change.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Create { .. } => EventType::Create,
            Self::Update { .. } => EventType::Update,
            Self::Delete { .. } => EventType::Delete,
        }
    }

    /// The state that scripts see as `object`: the newest there is.
    pub fn object(&self) -> &Json {
        match self {
            Self::Create { new } | Self::Update { new, .. } => new,
            Self::Delete { old } => old,
        }
    }

    /// What scripts see as `oldObject`: of an update only the attributes that changed, of a deletion everything.
    pub fn old_object(&self) -> Option<Json> {
        match self {
            Self::Create { .. } => None,
            Self::Update { old, new } => Some(changed_attributes(old, new)),
            Self::Delete { old } => Some(old.clone()),
        }
    }
}

/// The attributes of `old` whose value is another one in `new`, or gone from it, with their former values.
///
/// Works on top-level attributes; values are compared by meaning, not by text. Two states that are no objects have none.
pub fn changed_attributes(old: &Json, new: &Json) -> Json {
    let olds = old.attributes().unwrap_or_default();
    let news: std::collections::HashMap<_, _> = new.attributes().unwrap_or_default().into_iter().collect();
    let changed = olds.iter().filter(|(key, value)| news.get(key).is_none_or(|now| !means_the_same(now, value)));
    Json::object(changed.map(|(key, value)| (key.as_str(), value)))
}

/// The former state that an update's event carries: `old` whole, and `null` for each attribute that `new` adds,
/// so that an added attribute is told as changed too.
pub fn former_state(old: &Json, new: &Json) -> Json {
    let mut olds = old.attributes().unwrap_or_default();
    let known: std::collections::HashSet<String> = olds.iter().map(|(key, _)| key.clone()).collect();
    let added = new.attributes().unwrap_or_default().into_iter().filter(|(key, _)| !known.contains(key));
    olds.extend(added.map(|(key, _)| (key, Json::trusted("null"))));
    Json::object(olds.iter().map(|(key, value)| (key.as_str(), value)))
}

/// A domain event: something happened to an object, here or in somebody else's database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Unique within the tenant: one that was seen before adds nothing.
    pub id: EventId,
    /// Whose.
    pub tenant: TenantId,
    /// The type of the object.
    pub object_type: TypeName,
    /// The object.
    pub object_id: ObjectId,
    /// What happened to it.
    pub change: Change,
    /// When, as the publisher says.
    pub time: Timestamp,
}
