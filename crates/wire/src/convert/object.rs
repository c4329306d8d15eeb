//! [`Object`] and [`Actor`].

use tidegate_model::Object;
use tidegate_model::contract::Actor;

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
