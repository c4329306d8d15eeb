//! That the streams are there: made where they are missing, by one process at a time.
//!
//! nats-server 2.9 minds neither of two things by itself, and what it acknowledges after either can be lost: several requests for one stream at
//! once, and one while a stream of that name is still being deleted (it takes away the new one's files).

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{Context, ErrorCode};
use async_trait::async_trait;

use super::streams::check;
use super::{Link, NatsFault};
use crate::standing::{Standing, with_causes};

/// Between two looks at the streams, however many doubt.
const REST: Duration = Duration::from_secs(2);

/// Between two looks by who can make them: the others' doubts are not heard here.
const ROUND: Duration = Duration::from_secs(10);

/// So long a stream must have been missing before it is made again: whoever hears of a deletion first hears of it before it is over.
const DELETION: Duration = Duration::from_secs(5);

/// Tells processes when each may make streams. Turns are kept where all of them see it, and a turn ends by itself some time after its process died.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Whether it is this process's turn now, for longer than three requests to the broker take.
    async fn begin(&self) -> bool;
    /// Leaves the rest of the turn to others.
    async fn end(&self);
}

/// There are no others.
pub(super) struct Always;

#[async_trait]
impl Turns for Always {
    async fn begin(&self) -> bool {
        true
    }

    async fn end(&self) {}
}

/// The streams of a process, and whether it makes those that are missing.
pub(super) struct Streams {
    pub(super) needed: [Config; 3],
    pub(super) turns: Option<Arc<dyn Turns>>,
}

impl Streams {
    /// Checks the streams, and makes what is missing if that is for this process to do and its turn has come. Answers what it made.
    pub(super) async fn prepare(&self, jetstream: &Context) -> Result<Vec<&str>, NatsFault> {
        let missing = self.missing(jetstream).await?;
        let Some(first) = missing.first() else { return Ok(Vec::new()) };
        let gone = NatsFault::Missing(first.name.clone());
        let Some(turns) = &self.turns else { return Err(gone) };
        if !turns.begin().await {
            return Err(gone);
        }
        let made = self.make(jetstream).await;
        turns.end().await;
        made
    }

    /// Looks again: whose turn was before has perhaps made them.
    async fn make(&self, jetstream: &Context) -> Result<Vec<&str>, NatsFault> {
        let mut made = Vec::new();
        for missing in self.missing(jetstream).await? {
            let stream = jetstream.create_stream(missing).await.map_err(|source| fault(missing, source))?;
            check(missing, &stream.cached_info().config)?;
            made.push(missing.name.as_str());
        }
        Ok(made)
    }

    /// Those that are not there; the others are as they must be.
    async fn missing(&self, jetstream: &Context) -> Result<Vec<&Config>, NatsFault> {
        let mut missing = Vec::new();
        for needed in &self.needed {
            match jetstream.get_stream(&needed.name).await {
                Ok(found) => check(needed, &found.cached_info().config)?,
                Err(cause) if is_missing(&cause.kind()) => missing.push(needed),
                Err(cause) => return Err(fault(needed, cause)),
            }
        }
        Ok(missing)
    }

    /// Looks after each reconnection, and when the broker did not do what it was asked for: what is gone is said, and made again.
    pub(super) async fn watch(self, link: Link) {
        let (standing, mut connections) = (Standing::default(), link.changes.connections());
        let round = if self.turns.is_some() { ROUND } else { Duration::MAX };
        let mut is_open = false;
        loop {
            if !is_open {
                tokio::select! {
                    _ = connections.changed() => {}
                    () = link.changes.doubted() => {}
                    () = tokio::time::sleep(round) => {}
                }
            }
            is_open = true;
            if link.client.connection_state() == State::Connected {
                if self.turns.is_some() && self.missing(&link.jetstream).await.is_ok_and(|missing| !missing.is_empty())
                {
                    tokio::time::sleep(DELETION).await;
                }
                match self.prepare(&link.jetstream).await {
                    Ok(made) => {
                        is_open = false;
                        for stream in made {
                            tracing::error!(stream, "ALARM: a stream was gone, with what it held: it is made again");
                        }
                        if standing.works() {
                            tracing::info!("the streams are as they must be");
                        }
                    }
                    Err(fault) => {
                        if let Some(cause) = standing.fails(with_causes(&fault)) {
                            tracing::error!(cause, "ALARM: a stream is not as it must be");
                        }
                    }
                }
            }
            tokio::time::sleep(REST).await;
        }
    }
}

fn fault(stream: &Config, source: impl Into<async_nats::Error>) -> NatsFault {
    let source = source.into();
    if is_unanswered(&source) {
        NatsFault::NoJetStream
    } else {
        NatsFault::Stream { stream: stream.name.clone(), source }
    }
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Whether the broker is there, and nobody at it hears requests to JetStream.
fn is_unanswered(fault: &async_nats::Error) -> bool {
    if let Some(fault) = fault.downcast_ref::<CreateStreamError>() {
        return fault.kind() == CreateStreamErrorKind::JetStreamUnavailable;
    }
    let request = fault.source().and_then(|source| source.downcast_ref::<RequestError>());
    request.is_some_and(|request| request.kind() == RequestErrorKind::NoResponders)
}

/// Whether JetStream may do it later: its servers have not agreed on who leads them, or are too few.
pub(super) fn is_not_ready(fault: &async_nats::Error) -> bool {
    const FOR_NOW: [ErrorCode; 3] =
        [ErrorCode::CLUSTER_NOT_AVAILABLE, ErrorCode::CLUSTER_NO_PEERS, ErrorCode::INSUFFICIENT_RESOURCES];
    let refusal = match (fault.downcast_ref::<CreateStreamError>(), fault.downcast_ref::<GetStreamError>()) {
        (Some(fault), _) => match fault.kind() {
            CreateStreamErrorKind::TimedOut => return true,
            CreateStreamErrorKind::JetStream(refusal) => refusal,
            _ => return false,
        },
        (_, Some(fault)) => match fault.kind() {
            GetStreamErrorKind::Request => return true,
            GetStreamErrorKind::JetStream(refusal) => refusal,
            _ => return false,
        },
        _ => return false,
    };
    FOR_NOW.contains(&refusal.error_code())
}
