use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::enums::ReplayState;
use super::executions::ExecutionFilter;
use super::of;
use super::page::{Page, asked, told};
use super::scalars::{DateTime, PageCursor};
use crate::service;

/// A replay of all that a filter finds, worked off step by step, the oldest first.
pub(super) struct Replay(tidegate_model::Replay);

#[Object]
impl Replay {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn state(&self) -> ReplayState {
        self.0.state.into()
    }

    /// How many runs there were to replay when it was begun.
    async fn count(&self) -> i32 {
        told(self.0.count)
    }

    /// How many have been replayed.
    async fn replayed(&self) -> i32 {
        told(self.0.replayed)
    }

    /// How many could not be: their Integration is deleted, or their event is no longer kept.
    async fn refused(&self) -> i32 {
        told(self.0.refused)
    }

    async fn rate_per_second(&self) -> u32 {
        self.0.rate_per_second
    }

    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }
}

/// What a replay by filter came to.
#[derive(SimpleObject)]
pub(super) struct ReplayedExecutions {
    /// How many runs it finds that can be replayed.
    count: i32,
    /// Null when they were only counted, and when there is none.
    replay: Option<Replay>,
}

impl From<service::ReplayedExecutions> for ReplayedExecutions {
    fn from(answer: service::ReplayedExecutions) -> Self {
        Self { count: told(answer.count), replay: answer.replay.map(Replay) }
    }
}

#[derive(Default)]
pub(super) struct ReplayQuery;

#[Object]
impl ReplayQuery {
    async fn replay(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Replay>> {
        let (services, access) = of(ctx)?;
        Ok(services.replay(access, &id).await?.map(Replay))
    }

    /// Newest first.
    async fn replays(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100)] first: Option<i32>,
        after: Option<PageCursor>,
    ) -> Result<Page<Replay>> {
        let (services, access) = of(ctx)?;
        Ok(Page::of(services.replays(access, asked(first, after)).await?, Replay))
    }
}

#[derive(Default)]
pub(super) struct ReplayMutation;

#[Object]
impl ReplayMutation {
    /// Begins to replay all ended OUTGOING runs that the filter finds, the oldest first; those of INCOMING Integrations are passed over. At
    /// most 1000 in a second, by default 50. A filter must narrow something.
    async fn replay_executions(
        &self,
        ctx: &Context<'_>,
        filter: ExecutionFilter,
        #[graphql(default = false)] dry_run: bool,
        rate_per_second: Option<i32>,
    ) -> Result<ReplayedExecutions> {
        let (services, access) = of(ctx)?;
        Ok(services.replay_executions(access, filter.into(), dry_run, rate_per_second).await?.into())
    }

    /// What was replayed stays so; one that has ended stays as it is.
    async fn stop_replay(&self, ctx: &Context<'_>, id: ID) -> Result<Replay> {
        let (services, access) = of(ctx)?;
        Ok(Replay(services.stop_replay(access, &id).await?))
    }
}
