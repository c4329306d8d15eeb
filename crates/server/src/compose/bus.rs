//! The bus: a table of the same SQLite file, or NATS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tidegate_model::contract::{EventLog, Notices, Recorder, Repeats};
use tidegate_model::{Clock, Error, Execution};
use tidegate_storage::{Opened, Store};
use tidegate_wire::LocalNotices;
use tidegate_wire::nats::{Nats, NatsFault, NatsOptions, NatsTls, RecordSink, Turns};
use uuid::Uuid;

use super::Sources;
use super::waiting::Waiting;
use crate::config::{self, Config, Fault};

/// What travels between roles besides calls.
pub(super) struct Bus {
    pub(super) events: Option<Arc<dyn EventLog>>,
    pub(super) notices: Arc<dyn Notices>,
    pub(super) recorder: Option<Arc<dyn Recorder>>,
    pub(super) repeats: Option<Arc<dyn Repeats>>,
    pub(super) nats: Option<Arc<Nats>>,
}

/// Who makes streams is written down in the database, for all who share it.
struct InTurn {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    holder: Uuid,
}

/// What is leased to who makes streams.
const STREAMS: &str = "streams";

/// A turn of somebody who died in it. Longer than three streams take to be made.
const TURN: TimeDelta = TimeDelta::seconds(60);

/// Keeps the records of gateways that live elsewhere.
pub(super) struct Kept(pub(super) Arc<dyn Store>);

impl Bus {
    /// The bus of the configuration, for a process with this store.
    pub(super) async fn reach(
        config: &Config,
        opened: Option<&Opened>,
        sources: &Sources,
        waiting: &Waiting,
    ) -> anyhow::Result<Self> {
        let config::Bus::Nats(broker) = &config.bus else {
            let local = opened.and_then(|opened| opened.local_log.clone());
            return Ok(Self { events: local, ..Self::none() });
        };
        let installation = match opened {
            Some(opened) => Some(opened.store.installation(sources.randomness.uuid()).await?),
            None => None,
        };
        let turns = opened.map(|opened| InTurn::new(opened.store.clone(), sources) as Arc<dyn Turns>);
        let config::Broker { url, prefix, replicas, credentials, ca, identity } = broker.clone();
        let tls = NatsTls { ca, identity };
        // One that is away is waited for here.
        let patience = Duration::from_secs(3);
        let options =
            NatsOptions { prefix, replicas, credentials, tls, patience, installation, turns, ..NatsOptions::at(url) };
        let connect = || async { Nats::connect(options.clone()).await };
        let nats = waiting.for_it("bus.url", connect, NatsFault::may_pass).await.map_err(unreached)?;
        let nats = Arc::new(nats);
        Ok(Self {
            events: Some(nats.event_log()),
            notices: nats.notices(),
            recorder: Some(nats.recorder()),
            repeats: Some(nats.repeats()),
            nats: Some(nats),
        })
    }

    /// For roles that hear and say nothing.
    pub(super) fn none() -> Self {
        Self { events: None, notices: Arc::new(LocalNotices::new()), recorder: None, repeats: None, nats: None }
    }
}

impl InTurn {
    fn new(store: Arc<dyn Store>, sources: &Sources) -> Arc<Self> {
        Arc::new(Self { store, clock: sources.clock.clone(), holder: sources.randomness.uuid() })
    }
}

#[async_trait]
impl Turns for InTurn {
    async fn begin(&self) -> bool {
        let now = self.clock.now();
        self.store.lease(STREAMS, self.holder, now, now + TURN).await.unwrap_or(false)
    }

    async fn end(&self) {
        let now = self.clock.now();
        // One that is not ended ends by its time.
        let _ = self.store.lease(STREAMS, self.holder, now, now).await;
    }
}

#[async_trait]
impl RecordSink for Kept {
    async fn store(&self, records: &[Execution]) -> Result<(), Error> {
        self.0.append_executions(records).await
    }
}

fn unreached(fault: NatsFault) -> anyhow::Error {
    match &fault {
        NatsFault::Url => Fault::new("bus.url", fault.to_string(), "nats://HOST:4222").into(),
        NatsFault::Prefix(_) => Fault::new("bus.prefix", fault.to_string(), "tidegate, for instance").into(),
        NatsFault::Foreign(_) => Fault::new("bus.prefix", fault.to_string(), "one prefix for each database").into(),
        NatsFault::Credentials => {
            Fault::new("bus.credentials", fault.to_string(), "what `nsc generate creds` writes").into()
        }
        NatsFault::Refused(cause) => {
            let wrong = format!("{fault}: {cause}");
            Fault::new(
                "bus.url",
                wrong,
                "nats://USER:PASSWORD@HOST:4222, or what the broker asks for in bus.credentials",
            )
            .into()
        }
        _ => anyhow::Error::new(fault).context("bus.url"),
    }
}
