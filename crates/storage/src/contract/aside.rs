use async_trait::async_trait;
use tidegate_model::contract::{Incomprehensible, Position};
use tidegate_model::{AsideId, Error, Page, PageOf, TenantId};

/// An entry of the log that became no event, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideEntry {
    /// Sorts by when it was kept.
    pub id: AsideId,
    /// Its place in the log.
    pub position: Position,
    /// What it is. Its tenant is one that there is, or none.
    pub entry: Incomprehensible,
}

/// Entries that are kept aside. They are a tenant's, or, asked for with `None`, nobody's: those whose tenant is not known.
#[async_trait]
pub trait Aside {
    /// The newest first.
    async fn aside_entries(&self, whose: Option<&TenantId>, page: PageOf<AsideId>) -> Result<Page<AsideEntry>, Error>;

    /// Finds one.
    async fn aside_entry(&self, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Error>;

    /// Deletes one, and answers it.
    async fn delete_aside_entry(&self, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Error>;
}
