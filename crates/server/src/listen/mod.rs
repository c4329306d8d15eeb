//! One port for HTTP/1, HTTP/2 and gRPC, all of it over TLS or all of it without. Bound first, served later, drained at the end.
//!
//! The end has two steps ([`Farewell`]), so that nobody's call fails by it: once somebody asks for it, calls are taken as before, but each
//! answer is its connection's last, so that its caller goes elsewhere next time; once it is closed, no more are taken. In the same way a
//! connection ends that is older than [`Limits::age`]: callers that keep theirs find new replicas.
//!
//! What a hostile caller meets: no more connections than [`Limits::connections`]; a request's head within [`Limits::head`], whether the caller
//! is silent, stops half-way or sends a byte at a time; 100 headers, 32 KiB of them before anything is read ([`HEAD_BYTES`]); an answer that it
//! does not take is not kept for it ([`Limits::stall`]). What a body may be, and how slow, is each role's to say.

mod connection;
mod patient;
mod pulse;
mod secured;
mod unread;

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures::FutureExt as _;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Fault, Served};
use connection::Connection;

/// What is read of a head that does not end. What each role takes is less, and it answers so; this is the wall behind it.
const HEAD_BYTES: usize = 32 << 10;

/// What one caller may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at once; the next one waits. Each holds a file descriptor and some kilobytes.
    pub(crate) connections: usize,
    /// How long a caller may take to send its request's head, and how long a connection stays open without one.
    pub(crate) head: Duration,
    /// How long a caller may take to take the next part of its answer.
    pub(crate) stall: Duration,
    /// How old a connection may be when it takes a request, but for its last one. Some last a tenth longer, so that not all go at once.
    pub(crate) age: Duration,
}

/// How the end is told.
#[derive(Clone, Debug)]
pub(crate) struct Farewell {
    /// Cancelled once somebody asks for it: whoever calls is served, and sent away.
    pub(crate) asked: CancellationToken,
    /// Cancelled once nobody calls any more who could know better: nothing new is taken.
    pub(crate) closed: CancellationToken,
}

/// A port that is ours; nobody is answered yet.
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Takes the port.
    pub(crate) async fn bind(address: SocketAddr, served: Option<&Served>) -> Result<Self, Fault> {
        let tls = served.map(secured::acceptor).transpose()?;
        let refused = |e: std::io::Error| {
            Fault::new("http.listen", format!("{address} cannot be listened on: {e}"), "a free port of this machine")
        };
        let tcp = TcpListener::bind(address).await.map_err(refused)?;
        let address = tcp.local_addr().map_err(refused)?;
        Ok(Self { tcp, address, tls })
    }

    /// Where it listens; the port is known even if any was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Another way to the same port, for as long as this one is not served.
    pub(crate) fn beside(&self) -> std::io::Result<Self> {
        let tcp: std::net::TcpListener = self.tcp.as_fd().try_clone_to_owned()?.into();
        Ok(Self { tcp: TcpListener::from_std(tcp)?, address: self.address, tls: self.tls.clone() })
    }

    /// Answers until the end is closed, then finishes what is under way, for at most `drain`.
    pub(crate) async fn serve(self, router: Router, limits: Limits, end: Farewell, drain: Duration) {
        let router = router.layer(from_fn(request_line));
        let server = Arc::new(server(limits));
        let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
        let places = Arc::new(Semaphore::new(limits.connections));
        let begin = |(stream, peer, place): Accepted| {
            let connection = Connection { stream, peer, limits, end: end.clone(), tls: self.tls.clone() };
            let (server, router, cut) = (server.clone(), router.clone(), cut.clone());
            connections.spawn(async move {
                cut.run_until_cancelled(connection.serve(&server, router)).await;
                drop(place);
            });
        };
        while let Some(accepted) = end.closed.run_until_cancelled(accept(&self.tcp, &places)).await {
            if let Some(accepted) = accepted {
                begin(accepted);
            }
        }
        // Who is connected already, as far as the kernel is concerned, has been promised an answer.
        while let Some(Some(accepted)) = accept(&self.tcp, &places).now_or_never() {
            begin(accepted);
        }
        drop(self.tcp);
        connections.close();
        if tokio::time::timeout(drain, connections.wait()).await.is_err() {
            tracing::warn!(open = connections.len(), "connections were cut off: http.drain is over");
            cut.cancel();
            connections.wait().await;
        }
    }
}

fn server(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(20)).max_concurrent_streams(256);
    server
}

/// A connection, and its place among those that there may be.
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(tcp: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = places.clone().acquire_owned().await.ok()?;
    match tcp.accept().await {
        Ok((stream, peer)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(error = %error, "a connection could not be accepted");
            // Out of file descriptors, most likely: asking again at once would only burn the processor.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// One line per request; those that were refused or failed are seen at the usual level.
async fn request_line(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = speakable(request.uri().path());
    let begun = tokio::time::Instant::now();
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    if status < 400 {
        tracing::debug!(%method, path, status, ms, "request");
    } else {
        tracing::info!(%method, path, status, ms, "request");
    }
    response
}

/// The path without what only its caller may know.
fn speakable(path: &str) -> String {
    if path.starts_with("/webhook/") { "/webhook/...".to_owned() } else { path.to_owned() }
}
