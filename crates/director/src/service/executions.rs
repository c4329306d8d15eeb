use tidegate_model::{Delivery, Error, Execution, ExecutionFilter, ExecutionId, Slice, Status, Timestamp, Trigger};

use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};

/// Which records to list, as the caller wrote it.
#[derive(Default)]
pub(crate) struct ExecutionFilterInput {
    pub integration_id: Option<String>,
    pub statuses: Vec<Status>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub object_type: Option<String>,
    pub object_id: Option<String>,
    pub event_id: Option<String>,
    pub text: Option<String>,
}

impl Services {
    /// Newest first. The total is told only to who asks for it: counting takes longer the more there are, a page does not.
    pub(crate) async fn executions(
        &self,
        access: &Access,
        filter: ExecutionFilterInput,
        asked: Asked,
        counted: bool,
    ) -> Result<Listed<Execution>, Error> {
        let tenant = access.within(Operation::ReadExecutions)?;
        if filter.text.as_ref().is_some_and(|t| t.chars().count() > 256) {
            return Err(Error::invalid("filter.text", "at most 256 characters"));
        }
        let list = List::new(&self.sealer, "executions", Some(tenant));
        let of = list.page(&asked)?;
        let (page, total) = match known(filter) {
            Some(filter) => {
                let page = self.store.executions(tenant, &filter, of).await?;
                (page, if counted { self.store.count_executions(tenant, &filter).await? } else { 0 })
            }
            None => (Slice::empty(), 0),
        };
        list.listed(asked, page.of_list(total), |e| e.id)
    }

    pub(crate) async fn execution(&self, access: &Access, id: &str) -> Result<Option<Execution>, Error> {
        let tenant = access.within(Operation::ReadExecutions)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        self.store.execution(tenant, id).await
    }

    /// Runs an ended outgoing run again, on the same event and with the Integration as it is now; the record stays.
    pub(crate) async fn replay_execution(&self, access: &Access, id: &str) -> Result<Execution, Error> {
        let tenant = access.within(Operation::WriteExecutions)?;
        let id: ExecutionId = known_id("Execution", id)?;
        let before = found("Execution", id, self.store.execution(tenant, id).await?)?;
        let refused = |why: &str| Error::InvalidOperation(format!("execution {id} cannot be replayed: {why}"));
        if before.status.is_open() {
            return Err(refused("it has not ended"));
        }
        let Some(about) = before.event else {
            return Err(refused("only runs of OUTGOING Integrations can be"));
        };
        let Some(integration) = self.store.integration(tenant, before.integration).await? else {
            return Err(refused("its Integration is deleted"));
        };
        let Some(event) = self.store.event(tenant, &about.id).await? else {
            return Err(refused("its event is no longer kept"));
        };
        let now = self.clock.now();
        let execution = Execution {
            id: ExecutionId::generate(&*self.clock, &*self.randomness),
            tenant: tenant.clone(),
            integration: integration.id,
            trigger: Trigger::Replay,
            status: Status::Pending,
            skip_reason: None,
            started_at: now,
            finished_at: None,
            request: None,
            event: Some(about),
            attempts: Vec::new(),
            next_attempt_at: Some(now),
            calls: Vec::new(),
            enable_result: None,
            core_result: None,
            log: Vec::new(),
            error: None,
            core_logic_version: None,
            enable_logic_version: None,
            execution_user: integration.execution_user,
            replay_of: Some(id),
        };
        let ordering = integration.settings.outgoing.ordering;
        let delivery = Delivery { execution: execution.clone(), event, plan: None, next_at: now, ordering };
        self.store.insert_delivery(&delivery).await?;
        Ok(execution)
    }
}

/// The filter in the platform's own terms; `None` where it names what cannot exist, so that nothing matches.
fn known(filter: ExecutionFilterInput) -> Option<ExecutionFilter> {
    Some(ExecutionFilter {
        integration: filter.integration_id.map(|id| id.parse()).transpose().ok()?,
        statuses: filter.statuses,
        from: filter.from,
        to: filter.to,
        object_type: filter.object_type.map(TryInto::try_into).transpose().ok()?,
        object_id: filter.object_id.map(TryInto::try_into).transpose().ok()?,
        event_id: filter.event_id.map(TryInto::try_into).transpose().ok()?,
        text: filter.text.filter(|t| !t.is_empty()),
    })
}
