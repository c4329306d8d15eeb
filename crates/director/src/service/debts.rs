//! Runs of the past again, and open deliveries ended, one by one or all that a filter finds.

use serde_json::json;
use tidegate_model::{
    Delivery, Error, Execution, ExecutionFilter, ExecutionId, Json, Made, PageOf, Replay, ReplayId, ReplayState, Status,
};

use super::executions::{ExecutionFilterInput, known};
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};

/// How many replays in a second, where nobody says.
const RATE: u32 = 50;
/// The most that somebody can say.
const MAX_RATE: u32 = 1000;
/// How many one call cancels at most: so long it takes some seconds.
const MAX_CANCELLED: u64 = 10_000;

/// What a replay by filter came to.
pub(crate) struct ReplayedExecutions {
    pub count: u64,
    /// `None` when it was only counted.
    pub replay: Option<Replay>,
}

/// What cancelling by filter came to.
#[derive(Default)]
pub(crate) struct CancelledExecutions {
    pub count: u64,
    pub cancelled: u64,
    /// Those that an attempt is being made of.
    pub in_hand: u64,
}

impl Services {
    /// Runs an ended outgoing run again, on the same event and with the Integration as it is now; the record stays.
    pub(crate) async fn replay_execution(&self, access: &Access, id: &str) -> Result<Execution, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let id: ExecutionId = known_id("Execution", id)?;
        let before = found("Execution", id, self.store.execution(tenant, id).await?)?;
        let refused = |why: &str| Error::InvalidOperation(format!("execution {id} cannot be replayed: {why}"));
        if before.status.is_open() {
            return Err(refused("it has not ended"));
        }
        let Some(about) = &before.event else {
            return Err(refused("only runs of OUTGOING Integrations can be"));
        };
        let Some(integration) = self.store.integration(tenant, before.integration).await? else {
            return Err(refused("its Integration is deleted"));
        };
        let Some(event) = self.store.event(tenant, &about.id).await? else {
            return Err(refused("its event is no longer kept"));
        };
        let new = ExecutionId::generate(&*self.clock, &*self.randomness);
        let delivery = Delivery::open(event, &integration, new, self.clock.now()).replay_of(id);
        let made = Made::to("Execution", id).noting("replayedAs", &Json::of(&new));
        self.audited(access, tenant, "replayExecution", [made]).insert_delivery(&delivery).await?;
        Ok(delivery.execution)
    }

    /// Begins to replay all ended outgoing runs that the filter finds; or only counts them.
    pub(crate) async fn replay_executions(
        &self,
        access: &Access,
        filter: ExecutionFilterInput,
        dry_run: bool,
        rate_per_second: Option<i32>,
    ) -> Result<ReplayedExecutions, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let rate = rate_per_second.map_or(Some(RATE), |rate| u32::try_from(rate).ok());
        let rate = rate.filter(|rate| (1..=MAX_RATE).contains(rate));
        let rate_per_second = rate.ok_or_else(|| Error::invalid("ratePerSecond", format!("1 to {MAX_RATE}")))?;
        let Some(filter) = narrowing(filter)? else {
            return Ok(ReplayedExecutions { count: 0, replay: None });
        };
        let count = self.store.count_replayable(tenant, &filter).await?;
        if dry_run || count == 0 {
            return Ok(ReplayedExecutions { count, replay: None });
        }
        let replay = Replay {
            id: ReplayId::generate(&*self.clock, &*self.randomness),
            tenant: tenant.clone(),
            state: ReplayState::Running,
            filter,
            rate_per_second,
            count,
            replayed: 0,
            refused: 0,
            created_by: access.attribution(),
            created_at: self.clock.now(),
            ended_at: None,
        };
        let told = json!({ "filter": replay.filter, "ratePerSecond": rate_per_second, "count": count });
        let made = Made::to("Replay", replay.id).to_state(Json::of(&told));
        self.audited(access, tenant, "replayExecutions", [made]).insert_replay(&replay).await?;
        self.replay_begun.notify_one();
        Ok(ReplayedExecutions { count, replay: Some(replay) })
    }

    pub(crate) async fn replay(&self, access: &Access, id: &str) -> Result<Option<Replay>, Error> {
        let tenant = access.within(Operation::ReadExecutions)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.replay(tenant, id).await
    }

    /// Newest first.
    pub(crate) async fn replays(&self, access: &Access, asked: Asked) -> Result<Listed<Replay>, Error> {
        let tenant = access.within(Operation::ReadExecutions)?;
        let list = List::new(&self.sealer, "replays", Some(tenant));
        let page = self.store.replays(tenant, list.page(&asked)?).await?;
        list.listed(asked, page, |replay| replay.id)
    }

    /// What was replayed stays so.
    pub(crate) async fn stop_replay(&self, access: &Access, id: &str) -> Result<Replay, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let id: ReplayId = known_id("Replay", id)?;
        let store = self.audited(access, tenant, "stopReplay", [Made::to("Replay", id)]);
        found("Replay", id, store.stop_replay(tenant, id, self.clock.now()).await?)
    }

    /// Ends an open delivery as FAILED. Refused while an attempt is being made: what it will have come to is not known yet.
    pub(crate) async fn cancel_execution(&self, access: &Access, id: &str) -> Result<Execution, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let id: ExecutionId = known_id("Execution", id)?;
        let store = self.audited(access, tenant, "cancelExecution", [Made::to("Execution", id)]);
        let cancelled = store.cancel(tenant, &[id], &cancelled_by(access), self.clock.now()).await?;
        if let Some(record) = cancelled.into_iter().next() {
            return Ok(record);
        }
        let there = found("Execution", id, self.store.execution(tenant, id).await?)?;
        let why = if there.status.is_open() {
            "an attempt is being made; ask again when it has ended"
        } else {
            "it has ended"
        };
        Err(Error::InvalidOperation(format!("execution {id} cannot be cancelled: {why}")))
    }

    /// Ends all open deliveries that the filter finds, the newest first; or only counts them.
    pub(crate) async fn cancel_executions(
        &self,
        access: &Access,
        filter: ExecutionFilterInput,
        dry_run: bool,
    ) -> Result<CancelledExecutions, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let Some(mut filter) = narrowing(filter)? else { return Ok(CancelledExecutions::default()) };
        if filter.statuses.is_empty() {
            filter.statuses = vec![Status::Pending, Status::Retrying];
        }
        filter.statuses.retain(|status| status.is_open());
        if filter.statuses.is_empty() {
            return Ok(CancelledExecutions::default());
        }
        let mut answer =
            CancelledExecutions { count: self.store.count_executions(tenant, &filter).await?, ..Default::default() };
        if dry_run {
            return Ok(answer);
        }
        let (error, mut after) = (cancelled_by(access), None);
        loop {
            let page = self.store.executions(tenant, &filter, PageOf { first: 100, after }).await?;
            let ids: Vec<_> = page.data.iter().map(|execution| execution.id).collect();
            let each = ids.iter().map(|id| Made::to("Execution", id));
            let store = self.audited(access, tenant, "cancelExecutions", each);
            let cancelled = store.cancel(tenant, &ids, &error, self.clock.now()).await?;
            let (seen, cancelled) = (count_of(&ids), count_of(&cancelled));
            answer.cancelled += cancelled;
            answer.in_hand += seen - cancelled;
            after = ids.last().copied();
            if !page.has_next || answer.cancelled + answer.in_hand >= MAX_CANCELLED {
                return Ok(answer);
            }
        }
    }
}

/// The filter in the platform's own terms; `None` where nothing can match. One that narrows nothing is refused: it would mean everything.
fn narrowing(filter: ExecutionFilterInput) -> Result<Option<ExecutionFilter>, Error> {
    filter.check()?;
    let filter = known(filter);
    if filter.as_ref().is_some_and(|filter| *filter == ExecutionFilter::default()) {
        return Err(Error::invalid("filter", "at least one field that narrows"));
    }
    Ok(filter)
}

fn cancelled_by(access: &Access) -> String {
    format!("cancelled by {}", access.attribution())
}

fn count_of<T>(things: &[T]) -> u64 {
    u64::try_from(things.len()).unwrap_or(u64::MAX)
}
