//! Events, records and notices between Tidegate's processes, over NATS with JetStream (2.9 or newer).
//!
//! [`Nats`] is one connection, which mends itself for as long as the process lives. On it:
//!
//! - an [`EventLog`] on the stream `TIDEGATE_EVENTS`: other publishers may write there too (CONTRACT section 9);
//! - a [`Recorder`] into the stream `TIDEGATE_RECORDS`, and [`Nats::drain_records`], which carries the records on to where they stay;
//! - [`Repeats`] in the stream `TIDEGATE_REPEATS`, which the broker empties by age;
//! - [`Notices`], which are not kept: who misses one learns by the age of what it holds.
//!
//! The streams are made where they are missing, at the start and later, by the processes that have [`Turns`] at it. One that is there with settings under
//! which events or records could be lost is refused.

mod aside;
mod consumer;
mod detour;
mod drain;
mod entrance;
mod event_log;
mod fitting;
mod leftovers;
mod making;
mod notices;
mod raw;
mod received;
mod recorder;
mod repeats;
mod streams;
mod undeliverable;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use tidegate_model::Secret;
use tidegate_model::contract::{EventLog, Notices, Recorder, Repeats};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::drain::Drain;
pub use self::drain::RecordSink;
use self::entrance::reach;
use self::event_log::NatsEventLog;
pub use self::making::Turns;
use self::making::{Always, Streams, has_leader, has_room};
use self::notices::{Changes, NatsNotices};
use self::recorder::NatsRecorder;
use self::repeats::NatsRepeats;
use self::streams::Names;

/// For one request to the broker.
const DEADLINE: Duration = Duration::from_secs(5);

/// How to reach the broker, and what to find there.
#[derive(Clone)]
pub struct NatsOptions {
    /// `nats://host:port` or `tls://host:port`, several with commas; with `user:password@` or `token@` where the broker wants it.
    pub url: String,
    /// What is in a `.creds` file: a user's JWT and the seed of its key. It counts instead of what is in the URL.
    pub credentials: Option<Secret>,
    /// By what the broker is known over TLS, and knows this process. With any of it a connection without TLS is refused.
    pub tls: NatsTls,
    /// Stands first in every subject, and in capitals in the names of the streams. Letters, digits, `_`.
    pub prefix: String,
    /// Events older than this leave the log, read or not.
    pub events_max_age: Duration,
    /// On how many servers of a cluster each stream is kept, when it is made.
    pub replicas: usize,
    /// How long to try for the first connection.
    pub patience: Duration,
    /// What tells this installation from others: streams that were made by another one are refused. Without any, whose they are is not asked.
    pub installation: Option<Uuid>,
    /// When this process may make streams that are missing; without any, another one makes them.
    pub turns: Option<Arc<dyn Turns>>,
}

impl NatsOptions {
    /// The defaults, for the only process at the broker at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            tls: NatsTls::default(),
            prefix: "tidegate".to_owned(),
            events_max_age: Duration::from_hours(7 * 24),
            replicas: 1,
            patience: Duration::from_secs(10),
            installation: None,
            turns: Some(Arc::new(Always)),
        }
    }
}

/// PEM files; they are read anew for each connection.
#[derive(Clone, Debug, Default)]
pub struct NatsTls {
    /// Who signs the broker's certificate; nothing: whom this machine believes.
    pub ca: Option<PathBuf>,
    /// A certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Shows no password.
impl fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, credentials, tls, prefix, events_max_age, replicas, patience, installation, turns } = self;
        let hosts: Vec<_> = url.split(',').filter_map(|url| url.rsplit(['@', '/']).next()).collect();
        f.debug_struct("NatsOptions")
            .field("hosts", &hosts)
            .field("credentials", credentials)
            .field("tls", tls)
            .field("prefix", prefix)
            .field("events_max_age", events_max_age)
            .field("replicas", replicas)
            .field("patience", patience)
            .field("installation", installation)
            .field("turns", &turns.is_some())
            .finish()
    }
}

/// Why the broker cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NatsFault {
    /// The prefix cannot stand in a subject.
    #[error("the prefix {0:?} has other characters than letters, digits and _")]
    Prefix(String),
    /// The URL is none.
    #[error("the broker's URL cannot be read: write nats://host:port")]
    Url,
    /// The credentials are none.
    #[error("the broker's credentials cannot be read: write what is in a .creds file")]
    Credentials,
    /// Nobody answers there.
    #[error("cannot connect to the broker")]
    Unreachable(#[source] async_nats::ConnectError),
    /// It does not let us in.
    #[error("the broker does not let this process in")]
    Refused(#[source] async_nats::ConnectError),
    /// The broker is there without JetStream, or before it.
    #[error("nobody answers for JetStream there: it is on with `jetstream: enabled`, or `nats-server -js`")]
    NoJetStream,
    /// JetStream refuses: its account, its replicas, subjects that another stream has.
    #[error("cannot prepare the stream {stream}")]
    Stream {
        /// Which stream.
        stream: String,
        /// What the broker said.
        #[source]
        source: async_nats::Error,
    },
    /// It is not there, and another process makes it.
    #[error("the stream {0} is not there; a process with a database makes it")]
    Missing(String),
    /// Two installations on one prefix would take from each other.
    #[error(
        "the stream {0} was made for another installation, on another database: choose another prefix, or remove the streams"
    )]
    Foreign(String),
    /// Too few of a cluster's servers are there.
    #[error("the stream {0} has no leader: too few of the servers that keep it are there")]
    NoLeader(String),
    /// Something takes no message as large as an event may be.
    #[error("the broker's {setting} is {room} bytes, and needs to be {needed}: an event may be as large")]
    Room {
        /// What limits it.
        setting: &'static str,
        /// To how many bytes.
        room: usize,
        /// How many it must be.
        needed: usize,
    },
    /// The broker does not let us listen.
    #[error("cannot listen to {subject}")]
    Subscribe {
        /// To what.
        subject: String,
        /// What the broker said.
        #[source]
        source: async_nats::Error,
    },
    /// The stream was made by somebody else, for something else.
    #[error("the stream {stream} has {setting} {found}, and needs {needed}: change it, or remove the stream")]
    Setting {
        /// Which stream.
        stream: String,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        needed: String,
    },
}

impl NatsFault {
    /// Whether it may be over by itself after a while: nobody answers there, JetStream is not ready, or who makes the streams has not
    /// come to it. Everything else is for somebody to change.
    pub fn may_pass(&self) -> bool {
        use async_nats::ConnectErrorKind::{Dns, Io, TimedOut};
        match self {
            Self::Unreachable(fault) => {
                matches!(fault.kind(), Dns | Io | TimedOut) && !entrance::is_about_certificates(fault)
            }
            Self::Stream { source, .. } => making::is_not_ready(source),
            Self::NoJetStream | Self::Missing(_) | Self::NoLeader(_) => true,
            _ => false,
        }
    }
}

/// A connection to the broker, with its streams.
pub struct Nats {
    link: Link,
    notices: Arc<NatsNotices>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What everything on one connection shares.
#[derive(Clone)]
struct Link {
    client: Client,
    jetstream: Context,
    names: Arc<Names>,
    changes: Arc<Changes>,
}

impl Nats {
    /// Connects, and checks the streams or makes them. From then on the connection is made anew whenever it is lost.
    pub async fn connect(options: NatsOptions) -> Result<Self, NatsFault> {
        let names = Arc::new(Names::new(&options.prefix)?);
        let changes = Arc::new(Changes::new());
        let client = reach(&options, &changes).await?;
        let jetstream = ContextBuilder::new().timeout(DEADLINE).ack_timeout(DEADLINE).build(client.clone());
        let streams = Streams {
            needed: streams::needed(&names, &options),
            installation: options.installation,
            turns: options.turns,
        };
        has_room(&client)?;
        streams.prepare(&jetstream, |stream| tracing::info!(stream, "a stream was made")).await?;
        streams.mark(&jetstream).await;

        let link = Link { client, jetstream, names, changes };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let notices = NatsNotices::subscribe(link.clone(), &tasks, stop.clone()).await?;
        tasks.spawn(stop.clone().run_until_cancelled_owned(streams.watch(link.clone())));
        Ok(Self { link, notices: Arc::new(notices), stop, tasks })
    }

    /// The bus.
    pub fn event_log(&self) -> Arc<dyn EventLog> {
        Arc::new(NatsEventLog::new(self.link.clone()))
    }

    /// What tells caches of changes, in this process and in others.
    pub fn notices(&self) -> Arc<dyn Notices> {
        self.notices.clone()
    }

    /// Where the gateway's records go.
    pub fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::new(NatsRecorder::new(self.link.clone()))
    }

    /// Which calls came before, for all gateways on this broker.
    pub fn repeats(&self) -> Arc<dyn Repeats> {
        Arc::new(NatsRepeats::new(self.link.clone()))
    }

    /// Carries records to `sink` until `stop`: each at least once, in batches of what is waiting. Several processes may do so.
    pub async fn drain_records(&self, sink: Arc<dyn RecordSink>, stop: CancellationToken) {
        Drain::new(self.link.clone(), sink).run(stop).await;
    }

    /// Whether there is a stream for records that takes some: without one no webhook can be answered.
    pub async fn can_record(&self) -> bool {
        let stream = self.link.jetstream.get_stream(&self.link.names.record_stream).await;
        let there = stream.is_ok_and(|stream| has_leader(stream.cached_info()));
        if !there {
            self.link.changes.doubt();
        }
        there
    }

    /// Whether the broker is connected at this moment.
    pub fn is_connected(&self) -> bool {
        self.link.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Ends what runs here, after what was sent has gone out.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let _ = tokio::time::timeout(DEADLINE, self.link.client.flush()).await;
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_show_no_password() {
        let shown = format!("{:?}", NatsOptions::at("nats://me:pass/w@rd@one:4222,tls://token@two"));
        assert!(shown.contains(r#"["one:4222", "two"]"#), "{shown}");
        assert!(!shown.contains("rd@") && !shown.contains("pass") && !shown.contains("token"), "{shown}");
    }
}
