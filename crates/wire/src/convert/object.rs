//! [`Object`], its changes, and [`Actor`].

use tidegate_model::Object;
use tidegate_model::contract::{Actor, ObjectAction, ObjectChange};

use super::{Malformed, id, instant, json_object, to_instant};
use crate::grpc::pb;

impl From<Object> for pb::Object {
    fn from(object: Object) -> Self {
        Self {
            tenant: object.tenant.into(),
            object_type: object.object_type.into(),
            id: object.id.into(),
            data: object.data.as_str().to_owned(),
            version: object.version,
            created_at: Some(to_instant(&object.created_at)),
            updated_at: Some(to_instant(&object.updated_at)),
            created_by: object.created_by,
            updated_by: object.updated_by,
        }
    }
}

impl TryFrom<pb::Object> for Object {
    type Error = Malformed;

    fn try_from(object: pb::Object) -> Result<Self, Malformed> {
        Ok(Self {
            tenant: id("tenant", &object.tenant)?,
            object_type: id("object_type", &object.object_type)?,
            id: id("id", &object.id)?,
            data: json_object("data", object.data)?,
            version: object.version,
            created_at: instant("created_at", object.created_at)?,
            updated_at: instant("updated_at", object.updated_at)?,
            created_by: object.created_by,
            updated_by: object.updated_by,
        })
    }
}

impl From<&Actor> for pb::Actor {
    fn from(actor: &Actor) -> Self {
        Self { tenant: actor.tenant.to_string(), attribution: actor.attribution.clone() }
    }
}

impl TryFrom<pb::Actor> for Actor {
    type Error = Malformed;

    fn try_from(actor: pb::Actor) -> Result<Self, Malformed> {
        Ok(Self { tenant: id("tenant", &actor.tenant)?, attribution: actor.attribution })
    }
}

impl From<&ObjectChange> for pb::ObjectChange {
    fn from(change: &ObjectChange) -> Self {
        let action = match &change.action {
            ObjectAction::Assign(data) => pb::object_change::Action::Assign(data.as_str().to_owned()),
            ObjectAction::Delete => pb::object_change::Action::Delete(pb::Deletion {}),
        };
        Self {
            object_type: change.object_type.to_string(),
            id: change.id.to_string(),
            base: change.base,
            action: Some(action),
        }
    }
}

impl TryFrom<pb::ObjectChange> for ObjectChange {
    type Error = Malformed;

    fn try_from(change: pb::ObjectChange) -> Result<Self, Malformed> {
        let action = match change.action.ok_or_else(|| Malformed::new("action", "to be set"))? {
            pb::object_change::Action::Assign(data) => ObjectAction::Assign(json_object("assign", data)?),
            pb::object_change::Action::Delete(pb::Deletion {}) => ObjectAction::Delete,
        };
        Ok(Self {
            object_type: id("object_type", &change.object_type)?,
            id: id("id", &change.id)?,
            base: change.base,
            action,
        })
    }
}
