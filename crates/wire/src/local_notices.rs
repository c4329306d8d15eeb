//! [`Notices`] within one process.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tidegate_model::contract::Notices;

/// Counts the changes announced here; nobody else makes any.
#[derive(Debug, Default)]
pub struct LocalNotices(AtomicU64);

impl LocalNotices {
    /// Begins at revision 0.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Notices for LocalNotices {
    fn revision(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    async fn announce(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
