//! Objects as they will be: what is changed is seen by whoever changes it, and written by nobody yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_model::contract::{Actor, MAX_CHANGES, ObjectAction, ObjectChange, Objects};
use tidegate_model::{Clock, Error, Json, Object, ObjectId, Randomness, TypeName, assigned};

/// How many bytes all changes may have together: they are kept until they are made, outside of the script's memory.
const MAX_SIZE: usize = 8 << 20;

/// A search of the objects below answers no more.
const MAX_FOUND: u32 = 1000;

type Key = (TypeName, ObjectId);

/// Changes over other objects, of one actor. Each object is noted with the version that it had when it was first read; once it is
/// found with another one every call answers the conflict, and so do the changes.
pub(crate) struct Overlay {
    below: Arc<dyn Objects>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The versions as they were first read; `None` where there was no object.
    read: HashMap<Key, Option<i32>>,
    /// The objects that are changed, as they will be; `None` where there will be none.
    changed: HashMap<Key, Option<Object>>,
    changes: Vec<ObjectChange>,
    size: usize,
    conflict: Option<Error>,
}

impl State {
    /// Notes what was read of an object.
    fn note(&mut self, key: Key, version: Option<i32>) -> Result<(), Error> {
        if let Some(conflict) = &self.conflict {
            return Err(conflict.clone());
        }
        let (object_type, id) = &key;
        let conflict = format!("{object_type} {id} was changed by somebody else meanwhile");
        if *self.read.entry(key).or_insert(version) != version {
            let conflict = Error::InvalidOperation(conflict);
            self.conflict = Some(conflict.clone());
            return Err(conflict);
        }
        Ok(())
    }

    /// Adds a change of an object that was read, after which it is `now`.
    fn change(&mut self, key: Key, action: ObjectAction, now: Option<Object>) -> Result<(), Error> {
        if self.changes.len() >= MAX_CHANGES {
            let what = format!("the limit of changes in one transaction is reached ({MAX_CHANGES})");
            return Err(Error::InvalidOperation(what));
        }
        if let ObjectAction::Assign(data) = &action {
            let size = self.size + data.as_str().len();
            if size > MAX_SIZE {
                let what = format!("the size limit of one transaction's changes is reached ({} MiB)", MAX_SIZE >> 20);
                return Err(Error::InvalidOperation(what));
            }
            self.size = size;
        }
        let (object_type, id) = key.clone();
        let base = self.read.get(&key).copied().flatten();
        self.changes.push(ObjectChange { object_type, id, base, action });
        self.changed.insert(key, now);
        Ok(())
    }
}

impl Overlay {
    pub(crate) fn new(below: Arc<dyn Objects>, clock: Arc<dyn Clock>, randomness: Arc<dyn Randomness>) -> Self {
        Self { below, clock, randomness, state: Mutex::default() }
    }

    /// All changes so far, in their order; the conflict, where one was found.
    pub(crate) fn changes(&self) -> Result<Vec<ObjectChange>, Error> {
        let state = self.state();
        state.conflict.clone().map_or_else(|| Ok(state.changes.clone()), Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, actor: &Actor, (object_type, id): Key, before: Option<Object>, data: &Json) -> Result<Object, Error> {
        let given = data.attributes().ok_or_else(|| Error::invalid("data", "a JSON object"))?;
        let now = self.clock.now();
        let by = actor.attribution.clone();
        let object = match before {
            Some(before) => Object {
                data: assigned(&before.data, given),
                version: before.version + 1,
                updated_at: now,
                updated_by: by,
                ..before
            },
            None => Object {
                tenant: actor.tenant.clone(),
                object_type: object_type.clone(),
                id: id.clone(),
                data: assigned(&Json::empty_object(), given),
                version: 1,
                created_at: now,
                updated_at: now,
                created_by: by.clone(),
                updated_by: by,
            },
        };
        self.state().change((object_type, id), ObjectAction::Assign(data.clone()), Some(object.clone()))?;
        Ok(object)
    }

    async fn existing(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let object = self.get(actor, object_type, id).await?;
        object.ok_or_else(|| Error::not_found("Object", id))?.at_version(if_version)
    }
}

#[async_trait]
impl Objects for Overlay {
    async fn get(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        let key = (object_type.clone(), id.clone());
        if let Some(now) = self.state().changed.get(&key) {
            return Ok(now.clone());
        }
        let object = self.below.get(actor, object_type, id).await?;
        self.state().note(key, object.as_ref().map(|object| object.version))?;
        Ok(object)
    }

    async fn find(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        matching: &Json,
        limit: u32,
    ) -> Result<Vec<Object>, Error> {
        let changed: HashMap<Key, Option<Object>> = {
            let state = self.state();
            let of_type = state.changed.iter().filter(|((of, _), _)| of == object_type);
            of_type.map(|(key, now)| (key.clone(), now.clone())).collect()
        };
        // As many more as may have changed so that they are not among those wanted.
        let more = u32::try_from(changed.len()).unwrap_or(MAX_FOUND);
        let asked = limit.saturating_add(more).min(MAX_FOUND);
        let below = self.below.find(actor, object_type, matching, asked).await?;
        let exhausted = below.len() < asked as usize;
        let mut found = Vec::new();
        for object in below {
            let key = (object.object_type.clone(), object.id.clone());
            if !changed.contains_key(&key) {
                self.state().note(key, Some(object.version))?;
                found.push(object);
            }
        }
        let wanted = matching.attributes().ok_or_else(|| Error::invalid("matching", "a JSON object"))?;
        let wanted: Vec<_> = wanted.into_iter().map(|(key, value)| (key, value.to_value())).collect();
        let mut added: Vec<Object> = changed.into_values().flatten().filter(|o| o.matches(&wanted)).collect();
        added.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        for object in added {
            let place = found.iter().position(|o| o.created_at > object.created_at).unwrap_or(found.len());
            found.insert(place, object);
        }
        let limit = limit as usize;
        if found.len() < limit && !exhausted {
            let what = format!("a search in a transaction that changed {more} of the type answers fewer than {limit}");
            return Err(Error::InvalidOperation(what));
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn create(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: Option<ObjectId>,
        data: &Json,
    ) -> Result<Object, Error> {
        let id = id.unwrap_or_else(|| ObjectId::generate(&*self.clock, &*self.randomness));
        if self.get(actor, object_type, &id).await?.is_some() {
            return Err(Error::not_unique("Object", &id));
        }
        self.put(actor, (object_type.clone(), id), None, data)
    }

    async fn update(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let before = self.existing(actor, object_type, id, if_version).await?;
        self.put(actor, (object_type.clone(), id.clone()), Some(before), data)
    }

    async fn upsert(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error> {
        let before = self.get(actor, object_type, id).await?;
        self.put(actor, (object_type.clone(), id.clone()), before, data)
    }

    async fn delete(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let object = self.existing(actor, object_type, id, if_version).await?;
        self.state().change((object_type.clone(), id.clone()), ObjectAction::Delete, None)?;
        Ok(object)
    }

    async fn apply(&self, _: &Actor, _: &[ObjectChange]) -> Result<(), Error> {
        Err(Error::InvalidOperation("a transaction within another is not possible".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changes_of_one_transaction_are_bounded_in_size_together() {
        let mut state = State::default();
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_SIZE / 2));
        let mut change = |id: &str, text: &str| {
            let key = ("Order".parse().unwrap(), id.parse().unwrap());
            state.change(key, ObjectAction::Assign(Json::trusted(text)), None)
        };
        assert_eq!(change("1", &text), Ok(()));
        let refused = change("2", &text).unwrap_err().to_string();
        assert_eq!(refused, "the size limit of one transaction's changes is reached (8 MiB)");
        assert_eq!(change("3", "{}"), Ok(()));
        assert_eq!(state.changes.len(), 2);
    }
}
