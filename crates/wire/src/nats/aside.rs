//! Records that cannot be stored: kept in the same stream under another subject, out of the way of the others.

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tidegate_model::Error;

use super::drain::RecordSink;
use super::{Link, raw};
use crate::standing::{Standing, with_causes};

/// What a message's id takes besides its payload, and more.
const ID: usize = 100;

/// How long to wait with what was set aside, after the broker or the sink was away.
const LATER: Duration = Duration::from_secs(10);

pub(super) struct Aside {
    link: Link,
    room: Standing,
}

/// How far going through what was set aside has come.
#[derive(Default)]
struct Round {
    after: u64,
    end: Option<u64>,
    stored: usize,
    left: usize,
}

impl Aside {
    pub(super) fn new(link: Link) -> Self {
        Self { link, room: Standing::default() }
    }

    /// Keeps a copy of a record until a person looks at it, or a version that can store it. Whether the broker took it: a stream that is full does not.
    pub(super) async fn keep(
        &self,
        subject: &str,
        sequence: u64,
        payload: Bytes,
        cause: &str,
    ) -> Result<bool, async_nats::Error> {
        let subject = self.place(subject);
        let fits = payload.len() + ID < self.link.client.max_payload();
        let copy = PublishMessage::build().payload(payload);
        let copy = if fits { copy.message_id(format!("unreadable-{sequence}")) } else { copy };
        let published = async { self.link.jetstream.send_publish(subject.clone(), copy).await?.await };
        match published.await {
            Ok(_) => {
                if self.room.works() {
                    tracing::info!("records can be set aside again");
                }
                tracing::error!(cause, %subject, "a record was set aside");
                Ok(true)
            }
            Err(fault) if matches!(fault.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe) => {
                Err(fault.into())
            }
            Err(fault) => {
                if let Some(fault) = self.room.fails(with_causes(&fault)) {
                    tracing::error!(
                        fault,
                        cause,
                        %subject,
                        "ALARM: a record can neither be stored nor be set aside; it is tried again"
                    );
                }
                Ok(false)
            }
        }
    }

    /// Tries once more to store what was set aside before now: perhaps by a version that could not read it. What still cannot be stored stays there.
    pub(super) async fn try_again(&self, sink: &dyn RecordSink) {
        let mut round = Round::default();
        while let Err(cause) = self.go_through(sink, &mut round).await {
            tracing::debug!(%cause, "what was set aside cannot be tried again now");
            tokio::time::sleep(LATER).await;
        }
        let Round { stored, left, .. } = round;
        if stored > 0 {
            tracing::info!(stored, "records that had been set aside were stored");
        }
        if left > 0 {
            tracing::warn!(left, "records that were set aside cannot be stored by this version either");
        }
    }

    async fn go_through(&self, sink: &dyn RecordSink, round: &mut Round) -> Result<(), async_nats::Error> {
        let Link { jetstream, names, .. } = &self.link;
        let stream = jetstream.get_stream(&names.record_stream).await?;
        let end = *round.end.get_or_insert(stream.cached_info().state.last_sequence);
        let subject = format!("{}.>", names.unreadable);
        while let Some(message) = raw::next(jetstream, &names.record_stream, &subject, round.after + 1).await? {
            if message.sequence > end {
                break;
            }
            let stored = match serde_json::from_slice(&message.payload) {
                Ok(record) => sink.store(&[record]).await,
                Err(_) => Err(Error::invalid("payload", "a record")),
            };
            match stored {
                Ok(()) => {
                    round.stored += 1;
                    if let Err(cause) = stream.delete_message(message.sequence).await {
                        tracing::debug!(%cause, "a record that had been set aside is removed by somebody else");
                    }
                }
                Err(away @ Error::Unavailable(_)) => return Err(away.into()),
                Err(_) => round.left += 1,
            }
            round.after = message.sequence;
        }
        Ok(())
    }

    /// Where the copy of a record is kept. What of its subject no client could take does not come along.
    fn place(&self, subject: &str) -> String {
        let names = &self.link.names;
        let below = subject.strip_prefix(names.records.as_str()).and_then(|below| below.strip_prefix('.'));
        let is_plain = |below: &&str| below.bytes().all(|byte| byte.is_ascii_graphic());
        format!("{}.{}", names.unreadable, below.filter(is_plain).unwrap_or("unknown"))
    }
}
