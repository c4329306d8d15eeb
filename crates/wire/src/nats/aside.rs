//! Records that cannot be stored: kept in the same stream under another subject, out of the way of the others.

use std::fmt::Display;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;

use super::Link;
use crate::standing::{Standing, with_causes};

/// What a message's id takes besides its payload, and more.
const ID: usize = 100;

pub(super) struct Aside {
    link: Link,
    room: Standing,
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
        cause: &(dyn Display + Sync),
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
                tracing::error!(%cause, %subject, "a record was set aside");
                Ok(true)
            }
            Err(fault) if matches!(fault.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe) => {
                Err(fault.into())
            }
            Err(fault) => {
                if let Some(fault) = self.room.fails(with_causes(&fault)) {
                    tracing::error!(
                        fault,
                        %cause,
                        %subject,
                        "ALARM: a record can neither be stored nor be set aside; it is tried again"
                    );
                }
                Ok(false)
            }
        }
    }

    /// Where the copy of a record is kept. What of its subject no client could take does not come along.
    fn place(&self, subject: &str) -> String {
        let names = &self.link.names;
        let below = subject.strip_prefix(names.records.as_str()).and_then(|below| below.strip_prefix('.'));
        let is_plain = |below: &&str| below.bytes().all(|byte| byte.is_ascii_graphic());
        format!("{}.{}", names.unreadable, below.filter(is_plain).unwrap_or("unknown"))
    }
}
