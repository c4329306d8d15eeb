//! [`Recorder`] into a JetStream stream, from which [`super::Nats::drain_records`] takes.

use std::fmt::Display;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use tidegate_model::contract::Recorder;
use tidegate_model::{Error, Execution};
use tokio::time::timeout;

use super::fitting::fit;
use super::{DEADLINE, Link};
use crate::fault;
use crate::standing::Standing;

/// What is missing when no record can be kept.
const RECORDS: &str = "the record stream";

/// For one try. A restarted broker is back well within [`DEADLINE`], which bounds all tries together.
const TRY: Duration = Duration::from_secs(2);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// What a message has besides its payload: headers of known length, and room to spare.
const HEADERS: usize = 1024;

pub(super) struct NatsRecorder {
    link: Link,
    standing: Standing,
}

impl NatsRecorder {
    pub(super) fn new(link: Link) -> Self {
        Self { link, standing: Standing::default() }
    }

    async fn publish(&self, message: PublishMessage, subject: &str) -> Result<(), async_nats::Error> {
        self.link.jetstream.send_publish(subject.to_owned(), message).await?.await?;
        Ok(())
    }

    fn refused(&self, cause: &dyn Display) {
        self.link.changes.doubt();
        if let Some(cause) = self.standing.fails(cause) {
            tracing::error!(cause, "the broker takes no records: webhooks are answered 503");
        }
    }
}

#[async_trait]
impl Recorder for NatsRecorder {
    async fn append(&self, execution: Execution) -> Result<(), Error> {
        let subject = format!("{}.{}", self.link.names.records, execution.tenant);
        let id = execution.id.to_string();
        let room = self.link.client.max_payload().saturating_sub(HEADERS);
        let payload = fit(execution, room).map_err(|cause| fault::internal("write a record as JSON", cause))?;
        let message = PublishMessage::build().message_id(id).expected_stream(&self.link.names.record_stream);
        let message = message.payload(payload.into());
        let tries = async {
            loop {
                // The same id each time: a try that was stored but not answered leaves one record.
                match timeout(TRY, self.publish(message.clone(), &subject)).await {
                    Ok(Ok(())) => {
                        if self.standing.works() {
                            tracing::info!("the broker takes records again");
                        }
                        return;
                    }
                    Ok(Err(cause)) => {
                        self.refused(&cause);
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(_) => self.refused(&"it does not answer"),
                }
            }
        };
        timeout(DEADLINE, tries).await.map_err(|_| Error::Unavailable(RECORDS))
    }
}
