//! Which calls came, for the tests: shared by the gateways of one world.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use tidegate_model::contract::{Claim, Claimed, ContentHash, RepeatKey, Repeats};
use tidegate_model::{Error, ExecutionId, Json, TenantId, Timestamp};

/// Which calls came, in memory.
#[derive(Default)]
pub(crate) struct MemoryRepeats {
    kept: Mutex<HashMap<(TenantId, RepeatKey), Entry>>,
    pub(crate) is_away: AtomicBool,
    asked: AtomicUsize,
}

struct Entry {
    content: ContentHash,
    holder: ExecutionId,
    until: Timestamp,
    answer: Option<Json>,
}

impl MemoryRepeats {
    /// How many claims were made.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// All that is kept, as text.
    pub(crate) fn dump(&self) -> String {
        let kept = self.kept.lock().unwrap();
        kept.values().filter_map(|entry| entry.answer.as_ref()).map(Json::to_string).collect()
    }

    fn here(&self) -> Result<(), Error> {
        if self.is_away.load(Ordering::SeqCst) { Err(Error::Unavailable("the repeats")) } else { Ok(()) }
    }
}

#[async_trait]
impl Repeats for MemoryRepeats {
    async fn claim(&self, claim: &Claim, now: Timestamp, until: Timestamp) -> Result<Claimed, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.here()?;
        let mut kept = self.kept.lock().unwrap();
        let place = (claim.tenant.clone(), claim.key);
        if let Some(entry) = kept.get(&place).filter(|entry| entry.until > now) {
            return Ok(match &entry.answer {
                _ if entry.content != claim.content => Claimed::OtherContent,
                Some(answer) => Claimed::Answered(answer.clone()),
                None if entry.holder == claim.holder => Claimed::First,
                None => Claimed::Running,
            });
        }
        kept.insert(place, Entry { content: claim.content, holder: claim.holder, until, answer: None });
        Ok(Claimed::First)
    }

    async fn settle(&self, claim: &Claim, answer: &Json, until: Timestamp) -> Result<(), Error> {
        self.here()?;
        let mut kept = self.kept.lock().unwrap();
        if let Some(entry) = kept.get_mut(&(claim.tenant.clone(), claim.key)).filter(|e| e.holder == claim.holder) {
            (entry.answer, entry.until) = (Some(answer.clone()), until);
        }
        Ok(())
    }

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        self.here()?;
        let mut kept = self.kept.lock().unwrap();
        let place = (claim.tenant.clone(), claim.key);
        if kept.get(&place).is_some_and(|entry| entry.holder == claim.holder) {
            kept.remove(&place);
        }
        Ok(())
    }
}
