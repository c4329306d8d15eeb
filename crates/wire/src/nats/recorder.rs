//! [`Recorder`] into a JetStream stream, from which [`super::Nats::drain_records`] takes.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use tidegate_model::contract::Recorder;
use tidegate_model::{Error, Execution};
use tokio::time::timeout;

use super::fitting::fit;
use super::{DEADLINE, Link};
use crate::fault;

/// What is missing when no record can be kept.
const RECORDS: &str = "the record stream";

/// For one try. A restarted broker is back well within [`DEADLINE`], which bounds all tries together.
const TRY: Duration = Duration::from_secs(2);

/// What a message has besides its payload: headers of known length, and room to spare.
const HEADERS: usize = 1024;

pub(super) struct NatsRecorder(Link);

impl NatsRecorder {
    pub(super) fn new(link: Link) -> Self {
        Self(link)
    }

    async fn publish(&self, message: PublishMessage, subject: &str) -> Result<(), async_nats::Error> {
        self.0.jetstream.send_publish(subject.to_owned(), message).await?.await?;
        Ok(())
    }
}

#[async_trait]
impl Recorder for NatsRecorder {
    async fn append(&self, execution: Execution) -> Result<(), Error> {
        let subject = format!("{}.{}", self.0.names.records, execution.tenant);
        let id = execution.id.to_string();
        let room = self.0.client.max_payload().saturating_sub(HEADERS);
        let payload = fit(execution, room).map_err(|cause| fault::internal("write a record as JSON", cause))?;
        let message =
            PublishMessage::build().message_id(id).expected_stream(&self.0.names.record_stream).payload(payload.into());
        let tries = async {
            loop {
                // The same id each time: a try that was stored but not answered leaves one record.
                match timeout(TRY, self.publish(message.clone(), &subject)).await {
                    Ok(Ok(())) => return,
                    Ok(Err(cause)) => {
                        tracing::warn!(%cause, "the broker did not take a record");
                        tokio::time::sleep(Duration::from_millis(250)).await;
                    }
                    Err(_) => {}
                }
            }
        };
        timeout(DEADLINE, tries).await.map_err(|_| Error::Unavailable(RECORDS))
    }
}
