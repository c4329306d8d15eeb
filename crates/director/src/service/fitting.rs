//! Whether an object is what its type's schema says.

use std::sync::Arc;

use tidegate_model::contract::Actor;
use tidegate_model::schema::{self, Schema};
use tidegate_model::{Error, Json, TypeName};

use super::{ObjectsService, found};

/// What objects of a type must be; nothing where the type does not say.
pub(super) struct Rule(Option<Arc<Schema>>);

impl ObjectsService {
    /// `NotFound` when there is no such type.
    pub(super) async fn rule(&self, actor: &Actor, object_type: &TypeName) -> Result<Rule, Error> {
        let object_type = found("ObjectType", object_type, self.store.object_type(&actor.tenant, object_type).await?)?;
        let Some(text) = &object_type.schema else { return Ok(Rule(None)) };
        match self.schemas.compiled(text) {
            Ok(schema) => Ok(Rule(Some(schema))),
            // Saved by a version that took any object for a schema.
            Err(invalid) => {
                let name = &object_type.name;
                Err(Error::InvalidOperation(format!(
                    "objects of {name} cannot be checked; its schema has to be {invalid}"
                )))
            }
        }
    }
}

impl Rule {
    /// Refuses attributes that do not fit, with the place of each.
    pub(super) async fn fits(&self, data: &Json) -> Result<(), Error> {
        let Some(schema) = &self.0 else { return Ok(()) };
        let value = data.to_value();
        let checked = if schema.is_quick(&value) {
            schema.check(&value)
        } else {
            let schema = schema.clone();
            let checked = tokio::task::spawn_blocking(move || schema.check(&value)).await;
            checked.map_err(|error| {
                tracing::error!(%error, "a check of an object ended without a result");
                Error::Internal { id: "schema".to_owned() }
            })?
        };
        checked.map_err(|misfits| schema::refused("data", misfits))
    }
}
