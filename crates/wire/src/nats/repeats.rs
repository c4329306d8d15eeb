//! [`Repeats`] in a JetStream stream: one subject for each key, of which the last message is kept and counts.
//!
//! A message is written only where the last one of its subject is the one that was read (the broker compares and sets), so that of two gateways
//! one is first. The broker forgets what is older than any entry may be; whether an entry's time is over is told by its own instant.

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tidegate_model::contract::{Claim, Claimed, Repeats};
use tidegate_model::{Error, ExecutionId, Json, Timestamp};
use tokio::time::timeout;

use super::{DEADLINE, Link};
use crate::fault;
use crate::standing::Standing;

/// What is missing when nothing can be told.
const REPEATS: &str = "what is known of repeated calls";

/// For one try. A restarted broker is back well within [`DEADLINE`], which bounds all tries together.
const TRY: Duration = Duration::from_secs(2);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct NatsRepeats {
    link: Link,
    standing: Standing,
}

/// What is kept of a key; nothing at all where it was let go.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    holder: ExecutionId,
    content: [u8; 32],
    until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Json>,
}

/// Somebody else wrote first.
struct Overtaken;

impl Entry {
    /// What this is to a call that claims the same key.
    fn found_by(self, claim: &Claim) -> Claimed {
        match self.answer {
            _ if self.content != claim.content.0 => Claimed::OtherContent,
            Some(answer) => Claimed::Answered(answer),
            // A try of its own that was stored and not acknowledged.
            None if self.holder == claim.holder => Claimed::First,
            None => Claimed::Running,
        }
    }

    fn write(&self) -> Result<Bytes, Error> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|cause| fault::internal("write a claim as JSON", cause))
    }
}

impl NatsRepeats {
    pub(super) fn new(link: Link) -> Self {
        Self { link, standing: Standing::default() }
    }

    fn subject(&self, claim: &Claim) -> String {
        use std::fmt::Write as _;
        let mut subject = format!("{}.{}.", self.link.names.repeats, claim.tenant);
        for byte in claim.key.0 {
            // Writing to a string does not fail.
            let _ = write!(subject, "{byte:02x}");
        }
        subject
    }

    /// The last message of a subject: its sequence, and the entry that it holds, if any.
    async fn last(&self, subject: &str) -> Result<Option<(u64, Option<Entry>)>, async_nats::Error> {
        let stream = self.link.jetstream.get_stream_no_info(&self.link.names.repeat_stream).await?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) if message.payload.is_empty() => Ok(Some((message.sequence, None))),
            Ok(message) => Ok(Some((message.sequence, Some(serde_json::from_slice(&message.payload)?)))),
            Err(fault) if fault.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Writes where the last message of the subject is still this one; 0 is none.
    async fn put(&self, subject: &str, payload: Bytes, last: u64) -> Result<Result<(), Overtaken>, async_nats::Error> {
        let message = PublishMessage::build()
            .expected_stream(&self.link.names.repeat_stream)
            .expected_last_subject_sequence(last)
            .payload(payload);
        match self.link.jetstream.send_publish(subject.to_owned(), message).await?.await {
            Ok(_) => Ok(Ok(())),
            Err(fault) if fault.kind() == PublishErrorKind::WrongLastSequence => Ok(Err(Overtaken)),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Most keys are new: it is written first, and read only where something is there.
    async fn try_claim(&self, claim: &Claim, payload: &Bytes, now: Timestamp) -> Result<Claimed, async_nats::Error> {
        let subject = self.subject(claim);
        let mut last = 0;
        loop {
            if let Ok(()) = self.put(&subject, payload.clone(), last).await? {
                return Ok(Claimed::First);
            }
            last = match self.last(&subject).await? {
                None => 0,
                Some((_, Some(entry))) if entry.until > now => return Ok(entry.found_by(claim)),
                Some((sequence, _)) => sequence,
            };
        }
    }

    /// Writes over what this call holds, as long as it does.
    async fn try_replace(&self, claim: &Claim, payload: &Bytes) -> Result<(), async_nats::Error> {
        let subject = self.subject(claim);
        loop {
            match self.last(&subject).await? {
                Some((last, Some(Entry { holder, answer: None, .. }))) if holder == claim.holder => {
                    if let Ok(()) = self.put(&subject, payload.clone(), last).await? {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    async fn replace(&self, claim: &Claim, payload: Bytes) -> Result<(), Error> {
        self.until_it_works(|| self.try_replace(claim, &payload)).await
    }

    /// Tries again while the broker is away, within the deadline: each step is one that may be taken twice.
    async fn until_it_works<T, F>(&self, step: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, async_nats::Error>>,
    {
        let tries = async {
            loop {
                match timeout(TRY, step()).await {
                    Ok(Ok(done)) => {
                        if self.standing.works() {
                            tracing::info!("the broker tells of repeated calls again");
                        }
                        return done;
                    }
                    Ok(Err(cause)) => {
                        self.link.changes.doubt();
                        if let Some(cause) = self.standing.fails(&cause) {
                            tracing::error!(cause, "the broker does not tell of repeated calls");
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(_) => {}
                }
            }
        };
        timeout(DEADLINE, tries).await.map_err(|_| Error::Unavailable(REPEATS))
    }
}

#[async_trait]
impl Repeats for NatsRepeats {
    async fn claim(&self, claim: &Claim, now: Timestamp, until: Timestamp) -> Result<Claimed, Error> {
        let entry = Entry { holder: claim.holder, content: claim.content.0, until, answer: None };
        let payload = entry.write()?;
        self.until_it_works(|| self.try_claim(claim, &payload, now)).await
    }

    async fn settle(&self, claim: &Claim, answer: &Json, until: Timestamp) -> Result<(), Error> {
        let answer = Some(answer.clone());
        let entry = Entry { holder: claim.holder, content: claim.content.0, until, answer };
        self.replace(claim, entry.write()?).await
    }

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        self.replace(claim, Bytes::new()).await
    }
}
