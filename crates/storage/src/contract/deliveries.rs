use std::collections::HashSet;

use async_trait::async_trait;
use tidegate_model::contract::Position;
use tidegate_model::{Delivery, Error, Event, Execution, ExecutionId, IntegrationId, Timestamp};
use uuid::Uuid;

use super::AsideEntry;

/// What one batch of the log becomes.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// Each event of the batch, in the order of the log, with one delivery per matching Integration (perhaps none). Deliveries are inserted
    /// leased to `holder`, but for those that wait for another one of their order, or in their lane.
    pub events: Vec<(Event, Vec<Delivery>)>,
    /// Those of the deliveries for which there is no place in hand: they are not leased, and wait in their Integrations' lanes.
    pub waiting: HashSet<ExecutionId>,
    /// Entries that are no events; kept aside.
    pub aside: Vec<AsideEntry>,
}

/// Whose deliveries a claim takes. What waits in a lane is taken for that lane alone, so that no backlog stands in the way of others.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Every Integration's, but for those that wait in lanes.
    Anybodys,
    /// These Integrations', at most so many of each, those that wait in their lanes among them.
    Of(&'a [(IntegrationId, u32)]),
}

/// What becomes of a delivery that stays open.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Its plan and record so far.
    pub delivery: &'a Delivery,
    /// What of it is kept besides.
    pub hold: Hold,
}

/// Who has a delivery from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Its holder still, until then.
    Leased(Timestamp),
    /// Nobody: it is due again at its `next_at`, for whoever claims.
    Due,
    /// Nobody: it waits in its Integration's lane.
    Waiting,
}

/// What [`Deliveries::settle`] came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Whether others are due now that waited for those that ended.
    pub freed: bool,
    /// Which of the others were stored; of the rest the holder no longer has the lease.
    pub kept: HashSet<ExecutionId>,
}

/// The debts. A delivery is open while its row is here; its record takes its place when it ends.
///
/// Where an Integration keeps an order, a delivery waits while an earlier one about the same object is open: it is not due, and nobody can
/// lease it. Its turn comes in the transaction that ends the one before, whatever that one ended as.
#[async_trait]
pub trait Deliveries {
    /// How far the intake has read; 0 at first.
    async fn intake_position(&self) -> Result<Position, Error>;

    /// When the log was made that the position is a place in; `None` before anybody said so.
    async fn intake_log(&self) -> Result<Option<Timestamp>, Error>;

    /// Says so, and moves the position `from` -> `to`, in one transaction. `false` when the position is no longer `from`: nothing was stored.
    async fn begin_log(&self, made: Timestamp, from: Position, to: Position) -> Result<bool, Error>;

    /// Stores a batch and moves the position `from` -> `to`, in one transaction. `None` when the position is no longer `from`: another
    /// intake was faster, nothing was stored. Otherwise the ids of the deliveries that are new and leased: an event id that its tenant
    /// has seen before adds nothing. Refused, with nothing stored, when the tenant of an event is not there.
    async fn take_in(
        &self,
        from: Position,
        to: Position,
        intake: &Intake,
        holder: Uuid,
        leased_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Vec<ExecutionId>>, Error>;

    /// Adds a delivery of an event that was taken in before (a replay), not leased; due at once, or at the end of its order.
    async fn insert_delivery(&self, delivery: &Delivery) -> Result<(), Error>;

    /// The event of a record, while it is kept.
    async fn event(
        &self,
        tenant: &tidegate_model::TenantId,
        id: &tidegate_model::EventId,
    ) -> Result<Option<Event>, Error>;

    /// Leases up to `max` of these deliveries that are due and not leased (or whose lease ran out), the longest due first.
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        leased_until: Timestamp,
        max: u32,
        whose: Whose<'_>,
    ) -> Result<Vec<Delivery>, Error>;

    /// Marks up to `max` of these Integrations' deliveries that are due and not leased, the longest due first: from now on they wait in their
    /// lanes, where claims for everybody do not see them. Answers how many it marked.
    async fn park(&self, of: &[IntegrationId], now: Timestamp, max: u32) -> Result<u64, Error>;

    /// Integrations in whose lanes deliveries wait.
    async fn waiting_lanes(&self) -> Result<Vec<IntegrationId>, Error>;

    /// Stores plan and record so far, and holds the lease until `leased_until`. `false` when `holder` no longer has it, or the Integration was
    /// deleted: then nothing was stored, and the call must not be made.
    async fn save(&self, delivery: &Delivery, holder: Uuid, leased_until: Timestamp) -> Result<bool, Error>;

    /// Stores plan and record so far, and gives the lease back: due again at `delivery.next_at`, or at once where the Integration was deleted.
    /// `false` when `holder` no longer has it.
    async fn release(&self, delivery: &Delivery, holder: Uuid) -> Result<bool, Error>;

    /// Ends deliveries: removes their rows and inserts these records, each in the same transaction. Those whose lease `holder` no
    /// longer has are left alone. Those that waited for one of these are due now; answers whether there are any.
    async fn finish(&self, records: &[Execution], holder: Uuid) -> Result<bool, Error>;

    /// What [`Deliveries::finish`], [`Deliveries::save`] and [`Deliveries::release`] do, for many in one transaction.
    async fn settle(&self, ended: &[Execution], kept: &[Kept<'_>], holder: Uuid) -> Result<Settled, Error>;

    /// Ends those of these deliveries that nobody has a lease of: as FAILED, with this error on record. Answers their records. Those that
    /// waited for one of these are due now.
    async fn cancel(
        &self,
        tenant: &tidegate_model::TenantId,
        ids: &[ExecutionId],
        error: &str,
        now: Timestamp,
    ) -> Result<Vec<Execution>, Error>;

    /// When the next delivery is due; `None` when there is none that is neither leased nor waits for another one, or in its lane.
    async fn next_due(&self) -> Result<Option<Timestamp>, Error>;

    /// Gives back every lease, of whichever holder: right only where no other process can hold one (one process on its own file).
    async fn release_all(&self) -> Result<u64, Error>;
}
