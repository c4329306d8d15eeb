//! That the streams are there: made where they are missing, by one process at a time.
//!
//! nats-server 2.9 minds neither of two things by itself, and what it acknowledges after either can be lost: several requests for one stream at
//! once, and one while a stream of that name is still being deleted (it takes away the new one's files).

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::{Config, Info};
use async_nats::jetstream::{Context, ErrorCode};
use async_trait::async_trait;
use uuid::Uuid;

use super::streams::{LARGEST, check};
use super::{Link, NatsFault};
use crate::standing::{Standing, with_causes};

/// Between two looks at the streams, however many doubt.
const REST: Duration = Duration::from_secs(2);

/// Between two looks by who can make them: the others' doubts are not heard here.
const ROUND: Duration = Duration::from_secs(10);

/// So long a stream must have been missing before it is made again: whoever hears of a deletion first hears of it before it is over.
const DELETION: Duration = Duration::from_secs(5);

/// Stands in a stream's description before whose it is. Servers before 2.10 keep nothing else of their users.
const MARK: &str = " (installation ";

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
    pub(super) installation: Option<Uuid>,
    pub(super) turns: Option<Arc<dyn Turns>>,
}

/// What a look at the streams found.
struct Look<'a> {
    missing: Vec<&'a Config>,
    /// Those that do not say whose they are, as they are: made by a version that did not say it.
    unmarked: Vec<Config>,
    /// The first that is not as it must be. It keeps no other one from being made.
    wrong: Option<NatsFault>,
}

impl Streams {
    /// Checks the streams, and makes what is missing if that is for this process to do and its turn has come. What it made is told by `made`, also
    /// where something else is wrong.
    pub(super) async fn prepare(&self, jetstream: &Context, made: impl Fn(&str)) -> Result<(), NatsFault> {
        let Look { missing, wrong, .. } = self.look(jetstream).await?;
        if let Some(first) = missing.first() {
            let gone = NatsFault::Missing(first.name.clone());
            match &self.turns {
                Some(turns) if turns.begin().await => {
                    let done = self.make(jetstream, made).await;
                    turns.end().await;
                    done?;
                }
                // What is wrong is for somebody to change; what is missing is waited for.
                _ => return Err(wrong.unwrap_or(gone)),
            }
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Looks again: whose turn was before has perhaps made them.
    async fn make(&self, jetstream: &Context, made: impl Fn(&str)) -> Result<(), NatsFault> {
        for missing in self.look(jetstream).await?.missing {
            let marked =
                Config { description: Some(self.described(missing.description.as_deref())), ..missing.clone() };
            let stream = jetstream.create_stream(&marked).await.map_err(|source| fault(missing, source))?;
            made(&missing.name);
            check(missing, &stream.cached_info().config)?;
        }
        Ok(())
    }

    /// Has streams say whose they are that do not. One that may not be changed is used as it is.
    pub(super) async fn mark(&self, jetstream: &Context) {
        let Some(turns) = &self.turns else { return };
        let unmarked = self.look(jetstream).await.map_or_else(|_| Vec::new(), |look| look.unmarked);
        if unmarked.is_empty() || !turns.begin().await {
            return;
        }
        for found in unmarked {
            let marked = Config { description: Some(self.described(found.description.as_deref())), ..found };
            if let Err(cause) = jetstream.update_stream(&marked).await {
                let (stream, cause) = (&marked.name, with_causes(&cause));
                tracing::warn!(
                    stream,
                    cause,
                    "a stream cannot be made to say whose it is; another installation would not be noticed"
                );
            }
        }
        turns.end().await;
    }

    /// A description that says whose it is.
    fn described(&self, before: Option<&str>) -> String {
        let before = before.unwrap_or_default();
        self.installation.map_or_else(|| before.to_owned(), |id| format!("{before}{MARK}{id})"))
    }

    async fn look(&self, jetstream: &Context) -> Result<Look<'_>, NatsFault> {
        let mut look = Look { missing: Vec::new(), unmarked: Vec::new(), wrong: None };
        for needed in &self.needed {
            match jetstream.get_stream(&needed.name).await {
                Ok(found) if !has_leader(found.cached_info()) => return Err(NatsFault::NoLeader(needed.name.clone())),
                Ok(found) => {
                    let found = &found.cached_info().config;
                    match (self.installation, mark(found)) {
                        (Some(ours), Some(theirs)) if ours.to_string() != theirs => {
                            return Err(NatsFault::Foreign(needed.name.clone()));
                        }
                        (Some(_), None) => look.unmarked.push(found.clone()),
                        _ => {}
                    }
                    if let Err(fault) = check(needed, found) {
                        look.wrong.get_or_insert(fault);
                    }
                }
                Err(cause) if is_missing(&cause.kind()) => look.missing.push(needed),
                Err(cause) => return Err(fault(needed, cause)),
            }
        }
        Ok(look)
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
                match self.mend(&link).await {
                    Ok(()) => {
                        is_open = false;
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

    async fn mend(&self, link: &Link) -> Result<(), NatsFault> {
        has_room(&link.client)?;
        let Look { missing, wrong, .. } = self.look(&link.jetstream).await?;
        if missing.is_empty() {
            return wrong.map_or(Ok(()), Err);
        }
        if self.turns.is_some() {
            tokio::time::sleep(DELETION).await;
        }
        let tell =
            |stream: &str| tracing::error!(stream, "ALARM: a stream was gone, with what it held: it is made again");
        self.prepare(&link.jetstream, tell).await
    }
}

/// Which installation a stream was made for, if it says so.
fn mark(found: &Config) -> Option<&str> {
    let (_, mark) = found.description.as_deref()?.split_once(MARK)?;
    mark.strip_suffix(')')
}

/// Whether somebody takes what is written into a stream: of a cluster's, most servers must be there.
pub(super) fn has_leader(info: &Info) -> bool {
    info.cluster.as_ref().is_none_or(|cluster| cluster.leader.as_ref().is_some_and(|leader| !leader.is_empty()))
}

/// Whether the broker takes the largest event that is accepted, at 900 KiB and what stands around it.
pub(super) fn has_room(client: &Client) -> Result<(), NatsFault> {
    match client.max_payload() {
        room if room >= LARGEST => Ok(()),
        room => Err(NatsFault::Room { setting: "max_payload", room, needed: LARGEST }),
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
