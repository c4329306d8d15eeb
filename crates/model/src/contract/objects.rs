//! A tenant's domain objects, as scripts and callers work with them.

use async_trait::async_trait;

use crate::{Error, Json, Object, ObjectId, TenantId, TypeName};

/// Who acts, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// In this tenant alone.
    pub tenant: TenantId,
    /// `client:<id>` or `user:<username>`; stands in `createdBy` and `updatedBy`.
    pub attribution: String,
}

/// How many changes [`Objects::apply`] takes at once.
pub const MAX_CHANGES: usize = 100;

/// One of several changes that are made together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// Its type.
    pub object_type: TypeName,
    /// Which one.
    pub id: ObjectId,
    /// The version that the object had when whoever asks for the changes first read it, before all of them; `None` where there was none.
    pub base: Option<i32>,
    /// What becomes of it.
    pub action: ObjectAction,
}

/// What a change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAction {
    /// Assigns these top-level attributes (a JSON object) and leaves the others; where there is no object it makes one of them.
    Assign(Json),
    /// Deletes it.
    Delete,
}

/// Reads and changes objects. Each change is one transaction with its domain event; `data` is a JSON object in every call.
///
/// An unknown object type is `NotFound` in every call.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Finds one.
    async fn get(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error>;

    /// Lists up to `limit` (1..=1000) whose attributes equal all of those in `matching` (a JSON object; `{}` is any), oldest first.
    async fn find(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        matching: &Json,
        limit: u32,
    ) -> Result<Vec<Object>, Error>;

    /// Makes one; without an id it gets a new UUID. `NotUnique` when there is one with that id.
    async fn create(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: Option<ObjectId>,
        data: &Json,
    ) -> Result<Object, Error>;

    /// Assigns the given top-level attributes and leaves the others. `NotFound` when there is none; `InvalidOperation` when
    /// `if_version` is another one than it has. An update that changes nothing makes no version and no event.
    async fn update(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        data: &Json,
        if_version: Option<i32>,
    ) -> Result<Object, Error>;

    /// Updates it, or makes it.
    async fn upsert(&self, actor: &Actor, object_type: &TypeName, id: &ObjectId, data: &Json) -> Result<Object, Error>;

    /// Deletes it and answers its last state. `NotFound` when there is none; `InvalidOperation` when `if_version` is another one.
    async fn delete(
        &self,
        actor: &Actor,
        object_type: &TypeName,
        id: &ObjectId,
        if_version: Option<i32>,
    ) -> Result<Object, Error>;

    /// Makes all changes (at most [`MAX_CHANGES`]), in this order and with their events in this order, or none of them. A later change
    /// of an object is made on what the earlier ones leave of it. `InvalidOperation`, which names the object, when one is no longer at
    /// its `base`; `NotFound` when one deletes what is not there. An assignment that changes nothing makes no version and no event.
    async fn apply(&self, actor: &Actor, changes: &[ObjectChange]) -> Result<(), Error>;
}
