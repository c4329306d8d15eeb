//! Three brokers that keep everything thrice.

use std::process::{Command, Stdio};

use async_nats::jetstream::{self, stream};

use super::process::Process;
use super::servers::nats_server;
use super::{eventually, ports};

pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    /// Where clients are listened to, and where the others.
    ports: [(u16, u16); 3],
    nodes: [Process; 3],
}

impl Cluster {
    /// Starts it, and waits until it keeps a stream thrice.
    pub(crate) async fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), std::array::from_fn(|_| (ports::free(), ports::free())));
        let nodes = [0, 1, 2].map(|which| start(folder.path(), &ports, which));
        let cluster = Self { folder, ports, nodes };
        eventually("a cluster that keeps a stream thrice", || async {
            let streams = cluster.streams().await?;
            let name = "READY".to_owned();
            streams.create_stream(stream::Config { name, num_replicas: 3, ..stream::Config::default() }).await.ok()?;
            streams.delete_stream("READY").await.ok()
        })
        .await;
        cluster
    }

    /// All of them, as `bus.url` has them.
    pub(crate) fn url(&self) -> String {
        self.urls().join(",")
    }

    fn urls(&self) -> [String; 3] {
        self.ports.map(|(port, _)| format!("nats://127.0.0.1:{port}"))
    }

    /// What is asked of the streams, of whichever answers.
    pub(crate) async fn streams(&self) -> Option<jetstream::Context> {
        async_nats::connect(&self.urls()[..]).await.ok().map(jetstream::new)
    }

    /// Which of them leads this stream.
    pub(crate) async fn leader_of(&self, stream: &str) -> usize {
        eventually("a leader", || async {
            let mut stream = self.streams().await?.get_stream(stream).await.ok()?;
            let leader = stream.info().await.ok()?.cluster.as_ref()?.leader.clone()?;
            (0..self.nodes.len()).find(|which| leader == name(*which))
        })
        .await
    }

    pub(crate) fn kill(&mut self, which: usize) {
        self.nodes[which].kill();
    }

    /// Starts it again on what it had stored.
    pub(crate) fn resume(&mut self, which: usize) {
        self.nodes[which] = start(self.folder.path(), &self.ports, which);
    }
}

fn name(which: usize) -> String {
    format!("broker-{which}")
}

fn start(folder: &std::path::Path, ports: &[(u16, u16); 3], which: usize) -> Process {
    let name = name(which);
    let (own, routes) = (ports[which], ports.map(|(_, port)| format!("nats://127.0.0.1:{port}")).join(","));
    let mut command = Command::new(nats_server());
    command.args(["-a", "127.0.0.1", "-p", &own.0.to_string(), "--name", &name, "-js", "-sd"]).arg(folder.join(&name));
    command.args(["--cluster_name", "tidegate", "--cluster", &format!("nats://127.0.0.1:{}", own.1)]);
    Process::start(command.args(["--routes", &routes]).stdin(Stdio::null()))
}
