use async_trait::async_trait;
use tidegate_model::contract::{Claimed, Position};
use tidegate_model::{
    AsideId, Delivery, Error, Event, EventId, Execution, ExecutionFilter, ExecutionId, IntegrationId, Page, PageOf,
    Pause, Replay, ReplayId, Slice, TenantId, Timestamp,
};
use uuid::Uuid;

use super::super::{
    Database, aside, bookkeeping, claims, deliveries, executions, intake, orphans, outbox, pauses, repeats, replays,
};
use crate::contract::{
    Aside, AsideEntry, Bookkeeping, Deliveries, Executions, Hold, Intake, Kept, Outbox, Pauses, RepeatStep,
    RepeatedCalls, ReplayStep, Replays, Settled, Whose,
};

#[async_trait]
impl Outbox for Database {
    async fn outbox_wake(&self) {
        outbox::wake(self).await;
    }

    async fn outbox_claim(&self, holder: Uuid, now: Timestamp, max: u32) -> Result<Option<Vec<(i64, Event)>>, Error> {
        self.run("outbox_claim", || outbox::claim(self, holder, now, max)).await
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), Error> {
        self.run("outbox_done", || outbox::done(self, ids)).await
    }
}

#[async_trait]
impl Deliveries for Database {
    async fn intake_position(&self) -> Result<Position, Error> {
        self.run("intake_position", || intake::position(self)).await
    }

    async fn intake_log(&self) -> Result<Option<Timestamp>, Error> {
        self.run("intake_log", || intake::log(self)).await
    }

    async fn begin_log(&self, made: Timestamp, from: Position, to: Position) -> Result<bool, Error> {
        self.run("begin_log", || intake::begin_log(self, made, (from, to))).await
    }

    async fn take_in(
        &self,
        from: Position,
        to: Position,
        intake: &Intake,
        holder: Uuid,
        leased_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Vec<ExecutionId>>, Error> {
        self.run("take_in", || intake::take_in(self, (from, to), intake, holder, leased_until, now)).await
    }

    async fn insert_delivery(&self, delivery: &Delivery) -> Result<(), Error> {
        self.run("insert_delivery", || deliveries::insert(self, delivery)).await
    }

    async fn event(&self, tenant: &TenantId, id: &EventId) -> Result<Option<Event>, Error> {
        self.run("event", || intake::event(self, tenant, id)).await
    }

    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        leased_until: Timestamp,
        max: u32,
        whose: Whose<'_>,
    ) -> Result<Vec<Delivery>, Error> {
        self.run("claim", || claims::claim(self, holder, now, leased_until, max, whose)).await
    }

    async fn save(&self, delivery: &Delivery, holder: Uuid, leased_until: Timestamp) -> Result<bool, Error> {
        self.run("save", || deliveries::save(self, delivery, holder, Hold::Leased(leased_until))).await
    }

    async fn release(&self, delivery: &Delivery, holder: Uuid) -> Result<bool, Error> {
        self.run("release", || deliveries::save(self, delivery, holder, Hold::Due)).await
    }

    async fn finish(&self, records: &[Execution], holder: Uuid) -> Result<bool, Error> {
        let settled = self.run("finish", || deliveries::settle(self, records, &[], holder)).await?;
        Ok(settled.freed)
    }

    async fn settle(&self, ended: &[Execution], kept: &[Kept<'_>], holder: Uuid) -> Result<Settled, Error> {
        self.run("settle", || deliveries::settle(self, ended, kept, holder)).await
    }

    async fn cancel(
        &self,
        tenant: &TenantId,
        ids: &[ExecutionId],
        error: &str,
        now: Timestamp,
    ) -> Result<Vec<Execution>, Error> {
        self.run("cancel", || deliveries::cancel(self, tenant, ids, error, now)).await
    }

    async fn park(&self, of: &[IntegrationId], now: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("park", || claims::park(self, of, now, max)).await
    }

    async fn waiting_lanes(&self) -> Result<Vec<IntegrationId>, Error> {
        self.run("waiting_lanes", || claims::waiting_lanes(self)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.run("next_due", || claims::next_due(self)).await
    }

    async fn release_all(&self) -> Result<u64, Error> {
        self.run("release_all", || claims::release_all(self)).await
    }
}

#[async_trait]
impl Pauses for Database {
    async fn pause(&self, tenant: &TenantId, id: IntegrationId, pause: Pause, event: &Event) -> Result<bool, Error> {
        self.run("pause", || pauses::pause(self, tenant, id, pause, event)).await
    }

    async fn resume(&self, tenant: &TenantId, id: IntegrationId, event: &Event) -> Result<bool, Error> {
        self.run("resume", || pauses::resume(self, tenant, id, event)).await
    }

    async fn note_failure(
        &self,
        tenant: &TenantId,
        id: IntegrationId,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        self.run("note_failure", || pauses::note_failure(self, tenant, id, at)).await
    }

    async fn note_arrival(&self, tenant: &TenantId, id: IntegrationId) -> Result<(), Error> {
        self.run("note_arrival", || pauses::note_arrival(self, tenant, id)).await
    }

    async fn paused(&self, ids: &[IntegrationId]) -> Result<Vec<IntegrationId>, Error> {
        self.run("paused", || pauses::paused(self, ids)).await
    }
}

#[async_trait]
impl Executions for Database {
    async fn append_executions(&self, executions: &[Execution]) -> Result<(), Error> {
        self.run("append_executions", || executions::append(self, executions)).await
    }

    async fn execution(&self, tenant: &TenantId, id: ExecutionId) -> Result<Option<Execution>, Error> {
        self.run("execution", || executions::find(self, tenant, id)).await
    }

    async fn executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        page: PageOf<ExecutionId>,
    ) -> Result<Slice<Execution>, Error> {
        self.run("executions", || executions::list(self, tenant, filter, page)).await
    }

    async fn ended_executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        after: ExecutionId,
        before: ExecutionId,
        max: u16,
    ) -> Result<Vec<Execution>, Error> {
        self.run("ended_executions", || executions::ended(self, tenant, filter, (after, before), max)).await
    }

    async fn count_replayable(&self, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Error> {
        self.run("count_replayable", || executions::count_replayable(self, tenant, filter)).await
    }

    async fn count_executions(&self, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Error> {
        self.run("count_executions", || executions::count(self, tenant, filter)).await
    }
}

#[async_trait]
impl Aside for Database {
    async fn aside_entries(&self, whose: Option<&TenantId>, page: PageOf<AsideId>) -> Result<Page<AsideEntry>, Error> {
        self.run("aside_entries", || aside::list(self, whose, page)).await
    }

    async fn aside_entry(&self, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Error> {
        self.run("aside_entry", || aside::find(self, whose, id)).await
    }

    async fn delete_aside_entry(&self, whose: Option<&TenantId>, id: AsideId) -> Result<Option<AsideEntry>, Error> {
        self.run("delete_aside_entry", || aside::delete(self, whose, id)).await
    }
}

#[async_trait]
impl Replays for Database {
    async fn insert_replay(&self, replay: &Replay) -> Result<(), Error> {
        self.run("insert_replay", || replays::insert(self, replay)).await
    }

    async fn replay(&self, tenant: &TenantId, id: ReplayId) -> Result<Option<Replay>, Error> {
        self.run("replay", || replays::find(self, tenant, id)).await
    }

    async fn replays(&self, tenant: &TenantId, page: PageOf<ReplayId>) -> Result<Page<Replay>, Error> {
        self.run("replays", || replays::list(self, tenant, page)).await
    }

    async fn stop_replay(&self, tenant: &TenantId, id: ReplayId, now: Timestamp) -> Result<Option<Replay>, Error> {
        self.run("stop_replay", || replays::stop(self, tenant, id, now)).await
    }

    async fn next_replay(&self) -> Result<Option<(Replay, ExecutionId, Timestamp)>, Error> {
        self.run("next_replay", || replays::next(self)).await
    }

    async fn take_replay_step(&self, replay: &Replay, step: &ReplayStep) -> Result<bool, Error> {
        self.run("take_replay_step", || replays::take_step(self, replay, step)).await
    }
}

#[async_trait]
impl RepeatedCalls for Database {
    async fn take_repeat_steps(&self, steps: &[RepeatStep]) -> Result<Vec<Claimed>, Error> {
        self.run("take_repeat_steps", || repeats::take(self, steps)).await
    }

    async fn prune_repeats(&self, now: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_repeats", || repeats::prune(self, now, max)).await
    }
}

#[async_trait]
impl Bookkeeping for Database {
    async fn ping(&self) -> Result<(), Error> {
        self.run("ping", || bookkeeping::ping(self)).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        self.run("time", || bookkeeping::time(self)).await
    }

    async fn make_days(&self, now: Timestamp) -> Result<u64, Error> {
        self.run("make_days", || bookkeeping::make_days(self, now)).await
    }

    async fn drop_days(&self, before: Timestamp) -> Result<u64, Error> {
        self.run("drop_days", || bookkeeping::drop_days(self, before)).await
    }

    async fn prune_executions(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_executions", || bookkeeping::prune_executions(self, before, max)).await
    }

    async fn end_orphans(&self, now: Timestamp, max: u32) -> Result<u64, Error> {
        let max = u64::from(max);
        let mut ended = 0;
        for (tenant, integration) in self.run("orphans", || orphans::integrations(self)).await? {
            let left = max - ended;
            if left == 0 {
                break;
            }
            ended += self.run("end_orphans", || orphans::end_more(self, &tenant, integration, now, left)).await?;
        }
        Ok(ended)
    }

    async fn prune_events(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_events", || bookkeeping::prune_events(self, before, max)).await
    }

    async fn prune_aside(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_aside", || aside::prune(self, before, max)).await
    }

    async fn prune_replays(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_replays", || replays::prune(self, before, max)).await
    }

    async fn lease(&self, what: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
        self.run("lease", || bookkeeping::lease(self, what, holder, now, until)).await
    }

    async fn installation(&self, candidate: Uuid) -> Result<Uuid, Error> {
        self.run("installation", || bookkeeping::installation(self, candidate)).await
    }

    async fn close(&self) {
        bookkeeping::close(self).await;
    }
}
