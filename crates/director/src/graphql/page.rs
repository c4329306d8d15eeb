use async_graphql::{Interface, OutputType, SimpleObject};

use super::applications::Application;
use super::aside::AsideEvent;
use super::audit::AuditEntry;
use super::credentials::Credential;
use super::executions::Execution;
use super::integration_systems::IntegrationSystem;
use super::integrations::Integration;
use super::logics::Logic;
use super::objects::Object;
use super::replays::Replay;
use super::runtimes::Runtime;
use super::scalars::PageCursor;
use super::tenants::Tenant;
use crate::paging::{Asked, Listed};

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    start_cursor: PageCursor,
    end_cursor: PageCursor,
    has_next_page: bool,
}

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "TenantPage", params(Tenant)),
    concrete(name = "IntegrationSystemPage", params(IntegrationSystem)),
    concrete(name = "ApplicationPage", params(Application)),
    concrete(name = "RuntimePage", params(Runtime)),
    concrete(name = "LogicPage", params(Logic)),
    concrete(name = "IntegrationPage", params(Integration)),
    concrete(name = "CredentialPage", params(Credential)),
    concrete(name = "ExecutionPage", params(Execution)),
    concrete(name = "ReplayPage", params(Replay)),
    concrete(name = "AsideEventPage", params(AsideEvent)),
    concrete(name = "AuditEntryPage", params(AuditEntry)),
    concrete(name = "ObjectPage", params(Object))
)]
#[expect(clippy::struct_field_names, reason = "the fields are those of the interface Pageable")]
pub(super) struct Page<T: OutputType> {
    data: Vec<T>,
    page_info: PageInfo,
    total_count: i32,
}

/// What every page has.
#[derive(Interface)]
#[graphql(field(name = "page_info", ty = "&PageInfo"), field(name = "total_count", ty = "&i32"))]
pub(super) enum Pageable {
    Tenant(Page<Tenant>),
    IntegrationSystem(Page<IntegrationSystem>),
    Application(Page<Application>),
    Runtime(Page<Runtime>),
    Logic(Page<Logic>),
    Integration(Page<Integration>),
    Credential(Page<Credential>),
    Execution(Page<Execution>),
    Replay(Page<Replay>),
    AsideEvent(Page<AsideEvent>),
    AuditEntry(Page<AuditEntry>),
    Object(Page<Object>),
}

impl<T: OutputType> Page<T> {
    pub(super) fn of<U>(listed: Listed<U>, node: impl FnMut(U) -> T) -> Self {
        let listed = listed.map(node);
        Self {
            data: listed.data,
            page_info: PageInfo {
                start_cursor: PageCursor(listed.start_cursor),
                end_cursor: PageCursor(listed.end_cursor),
                has_next_page: listed.has_next,
            },
            total_count: told(listed.total),
        }
    }
}

/// A count: GraphQL has no larger integer.
pub(super) fn told(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn asked(first: Option<i32>, after: Option<PageCursor>) -> Asked {
    Asked { first, after: after.map(|c| c.0) }
}
