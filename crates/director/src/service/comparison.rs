//! What a change of a script would have made of the last runs.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tidegate_model::{
    Error, Execution, ExecutionFilter, ExecutionId, IntegrationId, Json, Logic, LogicKind, Made, PageOf, Status,
    TenantId,
};

use super::trials::{Candidate, Difference, scripts_ran, status_of};
use super::{Services, found, known_id};
use crate::access::{Access, Operation};
use crate::rules::Rules;

/// So many trials go on side by side.
const AT_ONCE: usize = 2;

/// No trial is begun later than this: a caller does not wait for ever.
const TIME: Duration = Duration::from_secs(20);

/// What would have come of the last runs.
pub(crate) struct Comparison {
    /// How many runs were tried.
    pub tried: usize,
    /// How many were not, because their input is no longer kept or the time was over.
    pub not_tried: usize,
    /// Those that would have come out differently, newest first.
    pub different: Vec<Different>,
}

/// A run that would have come out differently.
#[derive(Clone)]
pub(crate) struct Different {
    pub execution: ExecutionId,
    pub status: Status,
    pub error: Option<String>,
    pub difference: Difference,
}

impl Services {
    /// Tries a source in the place of a Logic on the last runs of the Integrations that use it.
    pub(crate) async fn compare_logic(
        &self,
        access: &Access,
        logic: &str,
        source: String,
        last: i32,
    ) -> Result<Comparison, Error> {
        let tenant = access.within(Operation::WriteLogics)?;
        access.within(Operation::ReadExecutions)?;
        let last = u16::try_from(last).ok().filter(|n| (1..=100).contains(n));
        let last = last.ok_or_else(|| Error::invalid("last", "1 to 100"))?;
        let id = known_id("Logic", logic)?;
        let logic = found("Logic", id, self.store.logic(tenant, id, None).await?)?;
        self.check_logic(Rules::default(), None, &source)?;
        let candidate = Candidate::of_source(logic.name.clone(), logic.kind, source);
        let made = Made::to("Logic", id).noting("last", &Json::of(&last));
        self.tell(access, Some(tenant), "compareLogic", [made]).await?;
        let records = self.last_runs(tenant, &logic, last).await?;
        let began = Instant::now();
        let trials = records.into_iter().map(|record| {
            let candidate = &candidate;
            async move {
                if began.elapsed() > TIME {
                    return Ok(None);
                }
                match self.try_on(candidate, &record, false).await {
                    Ok(tried) => Ok(Some((record.id, tried))),
                    Err(Error::InvalidOperation(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        });
        let mut comparison = Comparison { tried: 0, not_tried: 0, different: Vec::new() };
        let mut trials = futures::stream::iter(trials).buffered(AT_ONCE);
        while let Some(tried) = trials.next().await {
            let Some((execution, tried)) = tried? else {
                comparison.not_tried += 1;
                continue;
            };
            comparison.tried += 1;
            if let Some(difference) = tried.difference.clone().filter(Difference::differs) {
                let status = status_of(&tried.tried);
                let error = tried.error().map(str::to_owned);
                comparison.different.push(Different { execution, status, error, difference });
            }
        }
        Ok(comparison)
    }

    /// The newest records of runs in which scripts ran, of all Integrations that use the Logic.
    async fn last_runs(&self, tenant: &TenantId, logic: &Logic, last: u16) -> Result<Vec<Execution>, Error> {
        let mut records = Vec::new();
        for integration in self.users_of(tenant, logic).await? {
            let filter = ExecutionFilter { integration: Some(integration), ..ExecutionFilter::default() };
            let page = self.store.executions(tenant, &filter, PageOf { first: last, after: None }).await?;
            records.extend(page.data.into_iter().filter(scripts_ran));
            records.sort_by_key(|record: &Execution| Reverse(record.id));
            records.truncate(usize::from(last));
        }
        Ok(records)
    }

    async fn users_of(&self, tenant: &TenantId, logic: &Logic) -> Result<Vec<IntegrationId>, Error> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.integrations(tenant, PageOf { first: 100, after }).await?;
            after = page.data.last().map(|integration| integration.id);
            let here = page.data.into_iter().filter(|integration| match logic.kind {
                LogicKind::Core => integration.core_logic == logic.id,
                LogicKind::Enable => integration.enable_logic == Some(logic.id),
            });
            all.extend(here.map(|integration| integration.id));
            if !page.has_next {
                return Ok(all);
            }
        }
    }
}
