use tidegate_model::Error;
use tidegate_storage::contract::AsideEntry;
use tidegate_wire::api::v1::{self, EventService};

use super::Face;
use super::convert::{asked, event_type_of, instant, optional_json, page, required};
use crate::access::Access;
use crate::service::EventInput;
use crate::shown::{MAX_PAYLOAD, payload};

fn message(kept: AsideEntry) -> v1::AsideEvent {
    let entry = kept.entry;
    v1::AsideEvent {
        id: kept.id.to_string(),
        subject: entry.subject,
        reason: entry.reason,
        time: Some(instant(entry.time)),
        payload: payload(&entry.payload),
        payload_truncated: entry.payload.len() > MAX_PAYLOAD,
    }
}

impl EventService for Face {
    async fn publish_event(
        &self,
        access: &Access,
        request: v1::PublishEventRequest,
    ) -> Result<v1::PublishEventResponse, Error> {
        let input = required("in", request.input)?;
        let input = EventInput {
            id: input.id,
            object_type: input.object_type,
            event_type: event_type_of("in.eventType", input.event_type)?,
            object_id: input.object_id,
            old: optional_json("in.old", input.old)?,
            new: optional_json("in.new", input.new)?,
        };
        let id = self.services.publish_event(access, input).await?;
        Ok(v1::PublishEventResponse { id: id.to_string() })
    }

    async fn list_aside_events(
        &self,
        access: &Access,
        request: v1::ListAsideEventsRequest,
    ) -> Result<v1::ListAsideEventsResponse, Error> {
        let listed = self.services.aside_events(access, asked(request.first, request.after)).await?;
        let (data, page_info, total_count) = page(listed, message);
        Ok(v1::ListAsideEventsResponse { data, page_info, total_count })
    }

    async fn get_aside_event(
        &self,
        access: &Access,
        request: v1::GetAsideEventRequest,
    ) -> Result<v1::GetAsideEventResponse, Error> {
        let kept = self.services.aside_event(access, &request.id).await?;
        Ok(v1::GetAsideEventResponse { aside_event: kept.map(message) })
    }

    async fn resend_aside_event(
        &self,
        access: &Access,
        request: v1::ResendAsideEventRequest,
    ) -> Result<v1::ResendAsideEventResponse, Error> {
        let id = self.services.resend_aside_event(access, &request.id, request.payload.as_deref()).await?;
        Ok(v1::ResendAsideEventResponse { id: id.to_string() })
    }

    async fn delete_aside_event(
        &self,
        access: &Access,
        request: v1::DeleteAsideEventRequest,
    ) -> Result<v1::DeleteAsideEventResponse, Error> {
        let kept = self.services.delete_aside_event(access, &request.id).await?;
        Ok(v1::DeleteAsideEventResponse { aside_event: Some(message(kept)) })
    }
}
