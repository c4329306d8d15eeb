use async_graphql::{Context, ID, InputObject, Object, Result};

use super::enums::EventType;
use super::of;
use super::scalars::Json;
use crate::service;

#[derive(InputObject)]
pub(super) struct EventInput {
    /// Unique in the tenant: an id that was published before adds nothing. Absent: a new one.
    id: Option<ID>,
    object_type: String,
    event_type: EventType,
    object_id: ID,
    /// UPDATE and DELETE: the former state, whole or in part.
    old: Option<Json>,
    /// CREATE and UPDATE: the state now.
    new: Option<Json>,
}

#[derive(Default)]
pub(super) struct EventMutation;

#[Object]
impl EventMutation {
    /// Answers the event's id once the event is durable.
    async fn publish_event(&self, ctx: &Context<'_>, r#in: EventInput) -> Result<ID> {
        let (services, access) = of(ctx)?;
        let input = service::EventInput {
            id: r#in.id.map(|id| id.0),
            object_type: r#in.object_type,
            event_type: r#in.event_type.into(),
            object_id: r#in.object_id.0,
            old: r#in.old.map(|j| j.0),
            new: r#in.new.map(|j| j.0),
        };
        Ok(ID::from(services.publish_event(access, input).await?))
    }
}
