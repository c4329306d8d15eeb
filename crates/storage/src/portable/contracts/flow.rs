use async_trait::async_trait;
use tidegate_model::contract::Position;
use tidegate_model::{
    Delivery, Error, Event, EventId, Execution, ExecutionFilter, ExecutionId, PageOf, Slice, TenantId, Timestamp,
};
use uuid::Uuid;

use super::super::{Database, bookkeeping, claims, deliveries, executions, intake, outbox};
use crate::contract::{Bookkeeping, Deliveries, Executions, Intake, Outbox, Whose};

#[async_trait]
impl Outbox for Database {
    async fn outbox_wake(&self) {
        outbox::wake(self).await;
    }

    async fn outbox_claim(&self, holder: Uuid, now: Timestamp, max: u32) -> Result<Option<Vec<(i64, Event)>>, Error> {
        self.run("outbox_claim", outbox::claim(self, holder, now, max)).await
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), Error> {
        self.run("outbox_done", outbox::done(self, ids)).await
    }
}

#[async_trait]
impl Deliveries for Database {
    async fn intake_position(&self) -> Result<Position, Error> {
        self.run("intake_position", intake::position(self)).await
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
        self.run("take_in", intake::take_in(self, (from, to), intake, holder, leased_until, now)).await
    }

    async fn insert_delivery(&self, delivery: &Delivery) -> Result<(), Error> {
        self.run("insert_delivery", deliveries::insert(self, delivery)).await
    }

    async fn event(&self, tenant: &TenantId, id: &EventId) -> Result<Option<Event>, Error> {
        self.run("event", intake::event(self, tenant, id)).await
    }

    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        leased_until: Timestamp,
        max: u32,
        whose: Whose<'_>,
    ) -> Result<Vec<Delivery>, Error> {
        self.run("claim", claims::claim(self, holder, now, leased_until, max, whose)).await
    }

    async fn save(&self, delivery: &Delivery, holder: Uuid, leased_until: Timestamp) -> Result<bool, Error> {
        self.run("save", deliveries::save(self, delivery, holder, Some((holder, leased_until)))).await
    }

    async fn release(&self, delivery: &Delivery, holder: Uuid) -> Result<bool, Error> {
        self.run("release", deliveries::save(self, delivery, holder, None)).await
    }

    async fn finish(&self, records: &[Execution], holder: Uuid) -> Result<bool, Error> {
        self.run("finish", deliveries::finish(self, records, holder)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.run("next_due", claims::next_due(self)).await
    }

    async fn release_all(&self) -> Result<u64, Error> {
        self.run("release_all", claims::release_all(self)).await
    }
}

#[async_trait]
impl Executions for Database {
    async fn append_executions(&self, executions: &[Execution]) -> Result<(), Error> {
        self.run("append_executions", executions::append(self, executions)).await
    }

    async fn execution(&self, tenant: &TenantId, id: ExecutionId) -> Result<Option<Execution>, Error> {
        self.run("execution", executions::find(self, tenant, id)).await
    }

    async fn executions(
        &self,
        tenant: &TenantId,
        filter: &ExecutionFilter,
        page: PageOf<ExecutionId>,
    ) -> Result<Slice<Execution>, Error> {
        self.run("executions", executions::list(self, tenant, filter, page)).await
    }

    async fn count_executions(&self, tenant: &TenantId, filter: &ExecutionFilter) -> Result<u64, Error> {
        self.run("count_executions", executions::count(self, tenant, filter)).await
    }
}

#[async_trait]
impl Bookkeeping for Database {
    async fn ping(&self) -> Result<(), Error> {
        self.run("ping", bookkeeping::ping(self)).await
    }

    async fn prune_executions(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_executions", bookkeeping::prune_executions(self, before, max)).await
    }

    async fn prune_events(&self, before: Timestamp, max: u32) -> Result<u64, Error> {
        self.run("prune_events", bookkeeping::prune_events(self, before, max)).await
    }

    async fn close(&self) {
        bookkeeping::close(self).await;
    }
}
