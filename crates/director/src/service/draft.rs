//! Objects as a trial sees them: reads go through to the store, writes stay here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_model::{AuditEntry, Change, Error, Object, ObjectId, ObjectType, Page, PageOf, TenantId, TypeName};
use tidegate_storage::Store;
use tidegate_storage::contract::{ObjectWrite, WriteConflict};

use super::shelf::Shelf;

/// The place in a list after which the objects stand that were made here: no store counts so far.
const MADE_HERE: i64 = i64::MAX / 2;

/// What a run would have done to an object.
#[derive(Clone, Debug)]
pub(crate) struct Drafted {
    pub(crate) object_type: TypeName,
    pub(crate) object_id: ObjectId,
    pub(crate) change: Change,
}

/// One trial's view of one tenant's objects.
pub(crate) struct Draft {
    store: Arc<dyn Store>,
    written: Mutex<Written>,
}

type Key = (TypeName, ObjectId);

#[derive(Clone, Default)]
struct Written {
    /// The states of all that was written; `None` is deleted.
    states: HashMap<Key, Option<Object>>,
    /// What was made here and is still there, in this order.
    made: Vec<Key>,
    changes: Vec<Drafted>,
}

impl Draft {
    pub(crate) fn of(store: Arc<dyn Store>) -> Self {
        Self { store, written: Mutex::default() }
    }

    /// What was written, in its order.
    pub(crate) fn changes(&self) -> Vec<Drafted> {
        self.written().changes.clone()
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Shelf for Draft {
    async fn object_type(&self, tenant: &TenantId, name: &TypeName) -> Result<Option<ObjectType>, Error> {
        self.store.object_type(tenant, name).await
    }

    async fn object(&self, tenant: &TenantId, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        let written = self.written().states.get(&(object_type.clone(), id.clone())).cloned();
        match written {
            Some(state) => Ok(state),
            None => self.store.object(tenant, object_type, id).await,
        }
    }

    /// The store's pages, with the states written here; behind them what was made here.
    async fn objects(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        page: PageOf<i64>,
    ) -> Result<Page<(i64, Object)>, Error> {
        let mut after = page.after;
        // A page whose objects are all deleted here would be an empty one that is not the last.
        while after.is_none_or(|key| key < MADE_HERE) {
            let real = self.store.objects(tenant, object_type, PageOf { after, ..page }).await?;
            after = real.data.last().map_or(Some(MADE_HERE), |(key, _)| Some(*key));
            let has_next = real.has_next;
            let total = real.total;
            let written = self.written();
            let seen = |(place, object): (i64, Object)| {
                let key = (object_type.clone(), object.id.clone());
                match written.states.get(&key) {
                    None => Some((place, object)),
                    Some(_) if written.made.contains(&key) => None,
                    Some(state) => state.clone().map(|object| (place, object)),
                }
            };
            let mut data: Vec<_> = real.data.into_iter().filter_map(seen).collect();
            if !has_next {
                data.extend(written.made_of(object_type, MADE_HERE));
            }
            if !data.is_empty() || !has_next {
                return Ok(Page { data, has_next, total });
            }
        }
        let rest = self.written().made_of(object_type, after.unwrap_or(MADE_HERE));
        let total = rest.len() as u64;
        Ok(Page { data: rest, has_next: false, total })
    }

    /// Nothing is changed, and nothing is told.
    async fn write_objects(&self, writes: &[ObjectWrite], _: Vec<AuditEntry>) -> Result<WriteConflict, Error> {
        let mut before = HashMap::new();
        for ObjectWrite { object, .. } in writes {
            let real = self.object(&object.tenant, &object.object_type, &object.id).await?;
            before.insert((object.object_type.clone(), object.id.clone()), real.map(|o| o.version));
        }
        let mut written = self.written();
        let mut after = written.clone();
        for (i, write) in writes.iter().enumerate() {
            let key = (write.object.object_type.clone(), write.object.id.clone());
            if before.get(&key).copied().flatten() != write.expected {
                return Ok(WriteConflict::At(i));
            }
            let state = (!write.delete).then(|| write.object.clone());
            before.insert(key.clone(), state.as_ref().map(|o| o.version));
            after.write(key, state, &write.event.change);
        }
        *written = after;
        Ok(WriteConflict::None)
    }
}

impl Written {
    fn write(&mut self, key: Key, state: Option<Object>, change: &Change) {
        if matches!(change, Change::Create { .. }) {
            self.made.push(key.clone());
        }
        if state.is_none() {
            self.made.retain(|made| *made != key);
        }
        let (object_type, object_id) = key.clone();
        self.changes.push(Drafted { object_type, object_id, change: change.clone() });
        self.states.insert(key, state);
    }

    /// What was made here of this type, with places after `after`.
    fn made_of(&self, object_type: &TypeName, after: i64) -> Vec<(i64, Object)> {
        let places = MADE_HERE + 1..;
        let made = self.made.iter().filter(|(of, _)| of == object_type);
        let states = made.filter_map(|key| self.states.get(key).cloned().flatten());
        places.zip(states).filter(|(place, _)| *place > after).collect()
    }
}
