//! What callers notice of the line between roles: replicas that are stopped in order, silence, answers that do not come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tidegate_model::contract::{Actor, WebhookKeyHash};
use tidegate_model::{Error, Json};
use tidegate_wire::grpc::{Peer, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::harness::{acme, eventually, nothing, secret, serve};
use crate::memory::{MemoryObjects, MemoryRegistry};

/// A line to a role, which can lead to another replica for connections that are new, and go silent on those that are there.
struct Line {
    address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    silent: watch::Sender<bool>,
    _task: AbortOnDropHandle<()>,
}

impl Line {
    async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (target, silent) = (watch::channel(target).0, watch::channel(false).0);
        let (targets, silence) = (target.clone(), silent.clone());
        let task = async move {
            let tasks = TaskTracker::new();
            while let Ok((client, _)) = listener.accept().await {
                let target = *targets.borrow();
                // What was silent when the connection was made is silence of the others.
                let mut silence = silence.subscribe();
                tasks.spawn(async move {
                    let Ok(server) = TcpStream::connect(target).await else { return };
                    let ((from, back), (answers, to)) = (client.into_split(), server.into_split());
                    let silent = Arc::new(AtomicBool::new(false));
                    let hears = async {
                        let _ = silence.changed().await;
                        silent.store(true, Ordering::Relaxed);
                        std::future::pending::<()>().await;
                    };
                    tokio::select! {
                        () = carry(from, to, &silent) => {}
                        () = carry(answers, back, &silent) => {}
                        () = hears => {}
                    }
                });
            }
        };
        Self { address, target, silent, _task: AbortOnDropHandle::new(TaskTracker::new().spawn(task)) }
    }

    fn peer(&self) -> Peer {
        Peer::connect(&format!("http://{}", self.address), &secret(), None).unwrap()
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: &AtomicBool) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(read) = from.read(&mut bytes).await
        && read > 0
    {
        if !silent.load(Ordering::Relaxed) && to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// A replica that can be stopped in order.
async fn replica(server: Server) -> (SocketAddr, CancellationToken, AbortOnDropHandle<()>) {
    let (routes, _health) = server.routes().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let asked = stop.clone().cancelled_owned();
    let task = async move { axum::serve(listener, routes).with_graceful_shutdown(asked).await.unwrap() };
    (address, stop, AbortOnDropHandle::new(TaskTracker::new().spawn(task)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_stopped_in_order_cost_no_change_and_repeat_none() {
    let objects = MemoryObjects::new();
    let role = || Server { objects: Some(objects.clone()), ..nothing() };
    let (address, mut stop, mut running) = replica(role()).await;
    let line = Line::to(address).await;
    let (made, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (tasks, peer) = (TaskTracker::new(), line.peer().objects());
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (peer, made, done) = (peer.clone(), made.clone(), done.clone());
            tasks.spawn(async move {
                let (actor, order) =
                    (Actor { tenant: acme(), attribution: "client:1".into() }, "Order".parse().unwrap());
                for number in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("{caller}-{number}").parse().ok();
                    peer.create(&actor, &order, id, &Json::empty_object()).await?;
                    made.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<(), Error>(())
            })
        })
        .collect();
    for _ in 0..30 {
        let before = made.load(Ordering::Relaxed);
        let (address, next, successor) = replica(role()).await;
        line.target.send_replace(address);
        stop.cancel();
        running.await.unwrap();
        (stop, running) = (next, successor);
        eventually("calls", async || {
            (made.load(Ordering::Relaxed) > before + 20 || callers.iter().any(JoinHandle::is_finished)).then_some(())
        })
        .await;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(()));
    }
    assert_eq!(objects.told.load(Ordering::SeqCst), made.load(Ordering::Relaxed), "each was carried out once");
}

#[tokio::test]
async fn a_line_that_went_silent_is_found_out_and_left() {
    let registry = MemoryRegistry::new();
    let served = serve(Server { registry: Some(registry.clone()), ..nothing() }).await;
    let line = Line::to(served.address).await;
    let peer = line.peer().registry();
    peer.resolve(WebhookKeyHash::of("x")).await.unwrap();
    line.silent.send_replace(true);
    // Nobody tells that this connection is dead; a new one is not.
    assert_eq!(peer.resolve(WebhookKeyHash::of("x")).await, Err(Error::Unavailable("the director")));
    eventually("another connection", async || peer.resolve(WebhookKeyHash::of("x")).await.ok()).await;
}

#[tokio::test]
async fn a_call_that_gets_no_answer_ends_all_the_same() {
    let (registry, objects) = (MemoryRegistry::new(), MemoryObjects::new());
    registry.gate.forget_permits(usize::MAX);
    objects.gate.forget_permits(usize::MAX);
    let served = serve(Server { registry: Some(registry.clone()), objects: Some(objects.clone()), ..nothing() }).await;
    let (question, change) = (served.peer().registry(), served.peer().objects());
    let (actor, order) = (Actor { tenant: acme(), attribution: "client:1".into() }, "Order".parse().unwrap());
    let empty = Json::empty_object();
    let (told, made) =
        futures::join!(question.resolve(WebhookKeyHash::of("x")), change.create(&actor, &order, None, &empty));
    assert_eq!((told, made), (Err(Error::Unavailable("the director")), Err(Error::Unavailable("the director"))));
    assert_eq!(
        (registry.asked(), objects.told.load(Ordering::SeqCst)),
        (1, 1),
        "the peer was there, and is not asked again"
    );
}
