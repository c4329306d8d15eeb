use async_trait::async_trait;
use tidegate_model::{Error, Event, Object, ObjectId, Page, PageOf, TenantId, TypeName};

/// One change of an object, made on the version that was read, with its event.
#[derive(Clone, Debug)]
pub struct ObjectWrite {
    /// The state afterwards; of a deletion the last state.
    pub object: Object,
    /// The version that it is made on: `None` inserts, `Some` replaces (or deletes) that version.
    pub expected: Option<i32>,
    /// Whether it deletes.
    pub delete: bool,
    /// What goes into the outbox in the same transaction.
    pub event: Event,
}

/// Whether a set of writes was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteConflict {
    /// All were.
    None,
    /// None was: this one (by index) was made on another version than there is, or inserts what is there already.
    At(usize),
}

/// Domain objects. The director holds the rules; this keeps the states.
#[async_trait]
pub trait Objects {
    /// Finds one.
    async fn object(&self, tenant: &TenantId, object_type: &TypeName, id: &ObjectId) -> Result<Option<Object>, Error>;
    /// In the order they were made, then by id. The key is a number that grows with each insert.
    async fn objects(
        &self,
        tenant: &TenantId,
        object_type: &TypeName,
        page: PageOf<i64>,
    ) -> Result<Page<(i64, Object)>, Error>;
    /// Makes all writes, in this order, or none; and puts their events into the outbox in this order. `NotFound` when the type (with the
    /// tenant) went away meanwhile.
    async fn write_objects(&self, writes: &[ObjectWrite]) -> Result<WriteConflict, Error>;
}
