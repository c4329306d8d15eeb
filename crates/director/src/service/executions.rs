use tidegate_model::{Error, Execution, ExecutionFilter, Slice, Status, Timestamp};

use super::Services;
use crate::access::{Access, Operation};
use crate::paging::{Asked, List, Listed};

/// Which records to list, as the caller wrote it.
#[derive(Default)]
pub(crate) struct ExecutionFilterInput {
    pub integration_id: Option<String>,
    pub statuses: Option<Vec<Status>>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub object_type: Option<String>,
    pub object_id: Option<String>,
    pub event_id: Option<String>,
    pub text: Option<String>,
}

impl ExecutionFilterInput {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.text.as_ref().is_some_and(|t| t.chars().count() > 256) {
            return Err(Error::invalid("filter.text", "at most 256 characters"));
        }
        // A list that somebody worked out and that came out empty means no record, not every one.
        if self.statuses.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid("filter.statuses", "at least one"));
        }
        Ok(())
    }
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
        filter.check()?;
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
}

/// The filter in the platform's own terms; `None` where it names what cannot exist, so that nothing matches.
pub(super) fn known(filter: ExecutionFilterInput) -> Option<ExecutionFilter> {
    Some(ExecutionFilter {
        integration: filter.integration_id.map(|id| id.parse()).transpose().ok()?,
        statuses: filter.statuses.unwrap_or_default(),
        from: filter.from,
        to: filter.to,
        object_type: filter.object_type.map(TryInto::try_into).transpose().ok()?,
        object_id: filter.object_id.map(TryInto::try_into).transpose().ok()?,
        event_id: filter.event_id.map(TryInto::try_into).transpose().ok()?,
        text: filter.text.filter(|t| !t.is_empty()),
    })
}
