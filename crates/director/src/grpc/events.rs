use tidegate_model::Error;
use tidegate_wire::api::v1::{self, EventService};

use super::Face;
use super::convert::{event_type_of, optional_json, required};
use crate::access::Access;
use crate::service::EventInput;

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
}
