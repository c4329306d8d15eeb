//! What stands in front of the replicas of a role: each new connection goes to one that says it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::api::http;

/// A balancer for TCP on a port of its own.
pub(crate) struct Balancer {
    pub(crate) port: u16,
    replicas: Arc<Replicas>,
    task: tokio::task::JoinHandle<()>,
}

struct Replicas {
    ports: Vec<u16>,
    /// How many connections each was given.
    given: Vec<AtomicUsize>,
    next: AtomicUsize,
}

impl Balancer {
    pub(crate) async fn before(ports: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let given = ports.iter().map(|_| AtomicUsize::new(0)).collect();
        let replicas = Arc::new(Replicas { ports, given, next: AtomicUsize::new(0) });
        let known = Arc::clone(&replicas);
        let task = tokio::task::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::task::spawn(carry(client, Arc::clone(&known)));
            }
        });
        Self { port, replicas, task }
    }

    /// How many connections each replica was given so far.
    pub(crate) fn given(&self) -> Vec<usize> {
        self.replicas.given.iter().map(|given| given.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, replicas: Arc<Replicas>) {
    // Whoever calls waits for as long as it likes for one to be ready.
    loop {
        for _ in &replicas.ports {
            let which = replicas.next.fetch_add(1, Ordering::Relaxed) % replicas.ports.len();
            let port = replicas.ports[which];
            if !is_ready(port).await {
                continue;
            }
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                replicas.given[which].fetch_add(1, Ordering::Relaxed);
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let _ = copy_bidirectional(&mut client, &mut server).await;
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_ready(port: u16) -> bool {
    let asked = http().get(format!("http://127.0.0.1:{port}/readyz")).timeout(Duration::from_secs(3)).send();
    asked.await.is_ok_and(|answer| answer.status() == 200)
}
