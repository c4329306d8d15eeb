//! Where the gateway's records go.

use async_trait::async_trait;

use crate::{Error, Execution};

/// Keeps execution records.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Returns once the record is durable. Appending the same id again changes nothing. `Unavailable` when it is full or away:
    /// then the record is not kept, and the caller must be told.
    async fn append(&self, execution: Execution) -> Result<(), Error>;
}
