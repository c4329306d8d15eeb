//! What a change of an object writes, and several of them as one.

use std::collections::HashMap;

use tidegate_model::contract::{Actor, MAX_CHANGES, ObjectAction, ObjectChange};
use tidegate_model::{
    Change, Error, Event, EventId, Json, Object, ObjectId, TypeName, Violation, assigned, former_state, means_the_same,
};
use tidegate_storage::contract::{ObjectWrite, WriteConflict};

use super::ObjectsService;
use super::attributes::{bounded, given};
use super::fitting::Rule;

impl ObjectsService {
    /// Makes an object.
    pub(super) fn insertion(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
    ) -> Result<ObjectWrite, Error> {
        let data = bounded(assigned(&Json::empty_object(), given(data, id)?))?;
        let now = self.clock.now();
        let object = Object {
            tenant: actor.tenant.clone(),
            object_type: object_type.clone(),
            id: id.clone(),
            data: data.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
            created_by: actor.attribution.clone(),
            updated_by: actor.attribution.clone(),
        };
        let event = self.event(&object, Change::Create { new: data });
        Ok(ObjectWrite { object, expected: None, delete: false, event })
    }

    /// Assigns attributes; `None` when that changes nothing.
    pub(super) fn assignment(&self, actor: &Actor, before: &Object, data: &Json) -> Result<Option<ObjectWrite>, Error> {
        let data = bounded(assigned(&before.data, given(data, &before.id)?))?;
        if means_the_same(&before.data, &data) {
            return Ok(None);
        }
        let change = Change::Update { old: former_state(&before.data, &data), new: data.clone() };
        let object = Object {
            data,
            version: before.version + 1,
            updated_at: self.clock.now(),
            updated_by: actor.attribution.clone(),
            ..before.clone()
        };
        let event = self.event(&object, change);
        Ok(Some(ObjectWrite { object, expected: Some(before.version), delete: false, event }))
    }

    /// Deletes an object.
    pub(super) fn deletion(&self, object: &Object) -> ObjectWrite {
        let change = Change::Delete { old: object.data.clone() };
        let event = Event { time: self.clock.now(), ..self.event(object, change) };
        ObjectWrite { object: object.clone(), expected: Some(object.version), delete: true, event }
    }

    fn event(&self, object: &Object, change: Change) -> Event {
        Event {
            id: EventId::generate(&*self.clock, &*self.randomness),
            tenant: object.tenant.clone(),
            object_type: object.object_type.clone(),
            object_id: object.id.clone(),
            change,
            time: object.updated_at,
        }
    }

    /// Makes all changes or none. A conflict is not tried again: whoever asks has decided on what it read.
    pub(super) async fn apply_all(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        if changes.len() > MAX_CHANGES {
            return Err(Error::invalid("changes", format!("at most {MAX_CHANGES}")));
        }
        let mut now: HashMap<(&TypeName, &ObjectId), Option<Object>> = HashMap::new();
        let mut rules: HashMap<&TypeName, Rule> = HashMap::new();
        let mut writes = Vec::new();
        for change in changes {
            let (object_type, id) = (&change.object_type, &change.id);
            let state = match now.entry((object_type, id)) {
                std::collections::hash_map::Entry::Occupied(state) => state.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    if !rules.contains_key(object_type) {
                        rules.insert(object_type, self.rule(actor, object_type).await?);
                    }
                    let object = self.store.object(&actor.tenant, object_type, id).await?;
                    if object.as_ref().map(|object| object.version) != change.base {
                        return Err(conflict(object_type, id));
                    }
                    place.insert(object)
                }
            };
            let write = match (&change.action, &*state) {
                (ObjectAction::Assign(data), None) => self.insertion(actor, object_type, id, data).map(Some),
                (ObjectAction::Assign(data), Some(before)) => self.assignment(actor, before, data),
                (ObjectAction::Delete, Some(object)) => Ok(Some(self.deletion(object))),
                (ObjectAction::Delete, None) => Err(Error::not_found("Object", id)),
            };
            if let Some(write) = write.map_err(|e| of_object(object_type, id, e))? {
                if let (Some(rule), false) = (rules.get(object_type), write.delete) {
                    rule.fits(&write.object.data).await.map_err(|e| of_object(object_type, id, e))?;
                }
                *state = (!write.delete).then(|| write.object.clone());
                writes.push(write);
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        match self.store.write_objects(&writes, self.told(actor, &writes)).await? {
            WriteConflict::None => Ok(()),
            WriteConflict::At(index) => {
                let object = &writes[index].object;
                Err(conflict(&object.object_type, &object.id))
            }
        }
    }
}

fn conflict(object_type: &TypeName, id: &ObjectId) -> Error {
    Error::InvalidOperation(format!("{object_type} {id} was changed by somebody else meanwhile"))
}

/// The same refusal, with the object that it is about among several.
fn of_object(object_type: &TypeName, id: &ObjectId, error: Error) -> Error {
    match error {
        Error::InvalidData(violations) => {
            let named = |v: Violation| Violation { field: format!("{object_type} {id}: {}", v.field), ..v };
            Error::InvalidData(violations.into_iter().map(named).collect())
        }
        other => other,
    }
}
