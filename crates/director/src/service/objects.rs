//! A tenant's domain objects: read, changed on the version that was read, each change with its event in one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{Actor, ObjectChange, Objects};
use tidegate_model::schema::Schemas;
use tidegate_model::{
    AuditEntry, Change, Clock, Error, Json, Made, Object, ObjectId, PageOf, Randomness, Trace, TypeName,
};
use tidegate_storage::contract::{ObjectWrite, WriteConflict};

use super::fitting::Rule;
use super::shelf::Shelf;
use super::{Services, found, shown};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};

/// How often a change is tried on a newer version before its caller is told to come back.
const MAX_TRIES: usize = 64;

/// How many objects a search looks at.
const MAX_SEARCHED: usize = 10_000;

/// Objects over a shelf: the one place that changes them, for scripts and for callers.
pub(crate) struct ObjectsService {
    pub(crate) store: Arc<dyn Shelf>,
    /// The schemas of object types.
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Who changes objects, where it is not the script that each call names.
    pub(crate) caller: Option<Trace>,
}

impl ObjectsService {
    /// The same objects, changed by this caller.
    fn on_behalf_of(&self, caller: Trace) -> Self {
        Self {
            store: self.store.clone(),
            schemas: self.schemas.clone(),
            clock: self.clock.clone(),
            randomness: self.randomness.clone(),
            caller: Some(caller),
        }
    }

    /// What these writes leave in the audit log.
    pub(super) fn told(&self, actor: &Actor, writes: &[ObjectWrite]) -> Vec<AuditEntry> {
        let told = |write: &ObjectWrite| {
            let operation = match write.event.change {
                Change::Create { .. } => "createObject",
                Change::Update { .. } => "updateObject",
                Change::Delete { .. } => "deleteObject",
            };
            let by_script = || Trace::of_script(actor.attribution.clone(), operation);
            let trace = self.caller.clone().unwrap_or_else(by_script);
            AuditEntry::of(&*self.clock, &*self.randomness, Some(&actor.tenant), trace, Made::from(&write.event))
        };
        writes.iter().map(told).collect()
    }

    pub(super) async fn known(&self, actor: &Actor, object_type: &TypeName) -> Result<(), Error> {
        found("ObjectType", object_type, self.store.object_type(&actor.tenant, object_type).await?).map(drop)
    }

    /// Makes one write; `false` when the object is no longer as it was read.
    async fn write(&self, actor: &Actor, write: ObjectWrite) -> Result<bool, Error> {
        let writes = [write];
        Ok(self.store.write_objects(&writes, self.told(actor, &writes)).await? == WriteConflict::None)
    }

    /// Makes an object; `None` when there is one already.
    async fn insert(
        &self,
        rule: &Rule,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
    ) -> Result<Option<Object>, Error> {
        let write = self.insertion(actor, object_type, id, data)?;
        rule.fits(&write.object.data).await?;
        let object = write.object.clone();
        Ok(self.write(actor, write).await?.then_some(object))
    }

    /// Assigns attributes to the version that was read; `None` when it is no longer the newest.
    async fn assign(&self, rule: &Rule, actor: &Actor, before: Object, data: &Json) -> Result<Option<Object>, Error> {
        let Some(write) = self.assignment(actor, &before, data)? else { return Ok(Some(before)) };
        rule.fits(&write.object.data).await?;
        let object = write.object.clone();
        Ok(self.write(actor, write).await?.then_some(object))
    }

    /// Reads the object that a change is about, on the version that the caller expects.
    async fn expected(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        found("Object", id, self.store.object(&actor.tenant, object_type, id).await?)?.at_version(if_version)
    }
}

#[async_trait]
impl Objects for ObjectsService {
    async fn get(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error> {
        self.known(actor, object_type).await?;
        self.store.object(&actor.tenant, object_type, id).await
    }

    async fn find(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        matching: &Json,
        limit: u32,
    ) -> Result<Vec<Object>, Error> {
        if !(1..=1000).contains(&limit) {
            return Err(Error::invalid("limit", "1 to 1000"));
        }
        let limit = usize::try_from(limit).unwrap_or(1000);
        let wanted = matching.attributes().ok_or_else(|| Error::invalid("matching", "a JSON object"))?;
        let wanted: Vec<_> = wanted.into_iter().map(|(key, value)| (key, value.to_value())).collect();
        self.known(actor, object_type).await?;
        if let Some((_, id)) = wanted.iter().find(|(key, _)| key == "id") {
            let Some(id) = id.as_str().and_then(|id| id.parse().ok()) else { return Ok(Vec::new()) };
            let object = self.store.object(&actor.tenant, object_type, &id).await?;
            return Ok(object.into_iter().filter(|o| o.matches(&wanted)).collect());
        }
        let mut all = Vec::new();
        let mut after = None;
        let mut searched = 0;
        loop {
            let page = self.store.objects(&actor.tenant, object_type, PageOf { first: 100, after }).await?;
            after = page.data.last().map(|(key, _)| *key);
            searched += page.data.len();
            all.extend(page.data.into_iter().map(|(_, object)| object).filter(|o| o.matches(&wanted)));
            if all.len() >= limit || !page.has_next {
                all.truncate(limit);
                return Ok(all);
            }
            if searched >= MAX_SEARCHED {
                let what =
                    format!("find looks at the first {MAX_SEARCHED} of a type; {object_type} has more: get it by id");
                return Err(Error::InvalidOperation(what));
            }
        }
    }

    async fn create(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: Option<ObjectId>,
        data: &Json,
    ) -> Result<Object, Error> {
        let rule = self.rule(actor, object_type).await?;
        let id = id.unwrap_or_else(|| ObjectId::generate(&*self.clock, &*self.randomness));
        self.insert(&rule, actor, object_type, &id, data).await?.ok_or_else(|| Error::not_unique("Object", &id))
    }

    async fn update(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let rule = self.rule(actor, object_type).await?;
        for _ in 0..MAX_TRIES {
            let before = self.expected(actor, object_type, id, if_version).await?;
            if let Some(object) = self.assign(&rule, actor, before, data).await? {
                return Ok(object);
            }
        }
        Err(TOO_MANY_WRITERS)
    }

    async fn upsert(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error> {
        let rule = self.rule(actor, object_type).await?;
        for _ in 0..MAX_TRIES {
            let before = self.store.object(&actor.tenant, object_type, id).await?;
            let done = match before {
                Some(before) => self.assign(&rule, actor, before, data).await?,
                None => self.insert(&rule, actor, object_type, id, data).await?,
            };
            if let Some(object) = done {
                return Ok(object);
            }
        }
        Err(TOO_MANY_WRITERS)
    }

    async fn delete(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        self.known(actor, object_type).await?;
        for _ in 0..MAX_TRIES {
            let object = self.expected(actor, object_type, id, if_version).await?;
            if self.write(actor, self.deletion(&object)).await? {
                return Ok(object);
            }
        }
        Err(TOO_MANY_WRITERS)
    }

    async fn apply(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error> {
        self.apply_all(actor, changes).await
    }
}

const TOO_MANY_WRITERS: Error = Error::Unavailable("an object that this many change at once");

impl Services {
    /// In the order they were made.
    pub(crate) async fn objects(
        &self,
        access: &Access,
        object_type: &str,
        asked: Asked,
    ) -> Result<Listed<Object>, Error> {
        let actor = actor(access, Operation::ReadObjects)?;
        let object_type = type_name(object_type)?;
        self.objects.known(&actor, &object_type).await?;
        let list = List::new(&self.sealer, &format!("objects/{object_type}"), Some(&actor.tenant));
        let page = self.store.objects(&actor.tenant, &object_type, list.page(&asked)?).await?;
        Ok(list.listed(asked, page, |(key, _)| *key)?.map(|(_, object)| object))
    }

    /// `None` too when there is no such type.
    pub(crate) async fn object(&self, access: &Access, object_type: &str, id: &str) -> Result<Option<Object>, Error> {
        let actor = actor(access, Operation::ReadObjects)?;
        let (Ok(object_type), Ok(id)) = (object_type.parse(), id.parse()) else { return Ok(None) };
        self.store.object(&actor.tenant, &object_type, &id).await
    }

    pub(crate) async fn create_object(
        &self,
        access: &Access,
        object_type: &str,
        id: Option<String>,
        data: &Json,
    ) -> Result<Object, Error> {
        let actor = actor(access, Operation::WriteObjects)?;
        let object_type = type_name(object_type)?;
        let id = id.map(ObjectId::try_from).transpose().map_err(|e| Error::invalid("id", e.rule))?;
        self.objects.on_behalf_of(access.trace("createObject")).create(&actor, &object_type, id, data).await
    }

    pub(crate) async fn update_object(
        &self,
        access: &Access,
        object_type: &str,
        id: &str,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let actor = actor(access, Operation::WriteObjects)?;
        let object_type = type_name(object_type)?;
        let objects = self.objects.on_behalf_of(access.trace("updateObject"));
        objects.update(&actor, &object_type, &super::known_id("Object", id)?, data, if_version).await
    }

    pub(crate) async fn delete_object(
        &self,
        access: &Access,
        object_type: &str,
        id: &str,
        if_version: Option<i32>,
    ) -> Result<Object, Error> {
        let actor = actor(access, Operation::WriteObjects)?;
        let object_type = type_name(object_type)?;
        let objects = self.objects.on_behalf_of(access.trace("deleteObject"));
        objects.delete(&actor, &object_type, &super::known_id("Object", id)?, if_version).await
    }
}

fn actor(access: &Access, operation: Operation) -> Result<Actor, Error> {
    let tenant = access.within(operation)?.clone();
    Ok(Actor { tenant, attribution: access.attribution() })
}

fn type_name(text: &str) -> Result<TypeName, Error> {
    text.parse().map_err(|_| Error::not_found("ObjectType", shown(text)))
}
