//! One port for HTTP/1, HTTP/2 without TLS, and gRPC. Bound first, served later, drained at the end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Fault;

/// How long a caller may take to send its request's head.
const HEAD: Duration = Duration::from_secs(5);
/// Connections at once; the next one waits. Each holds a file descriptor and some kilobytes.
const CONNECTIONS: usize = 8192;

/// A port that is ours; nobody is answered yet.
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes the port.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, Fault> {
        let refused = |e: std::io::Error| {
            Fault::new("http.listen", format!("{address} cannot be listened on: {e}"), "a free port of this machine")
        };
        let tcp = TcpListener::bind(address).await.map_err(refused)?;
        let address = tcp.local_addr().map_err(refused)?;
        Ok(Self { tcp, address })
    }

    /// Where it listens; the port is known even if any was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, then finishes what is under way, for at most `drain`.
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken, drain: Duration) {
        let service = TowerToHyperService::new(router.layer(from_fn(request_line)));
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        server
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(20))
            .max_concurrent_streams(256);
        let graceful = GracefulShutdown::new();
        let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.tcp, &places) => accepted,
            };
            let Some((stream, place)) = accepted else { continue };
            let connection = server.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
            let connection = graceful.watch(connection);
            let cut = cut.clone();
            connections.spawn(async move {
                if let Some(Err(error)) = cut.run_until_cancelled(connection).await {
                    tracing::debug!(error = %error, "a connection broke");
                }
                drop(place);
            });
        }
        drop(self.tcp);
        connections.close();
        let finished = async {
            graceful.shutdown().await;
            connections.wait().await;
        };
        if tokio::time::timeout(drain, finished).await.is_err() {
            tracing::warn!(open = connections.len(), "connections were cut off: http.drain is over");
            cut.cancel();
            connections.wait().await;
        }
    }
}

async fn accept(
    tcp: &TcpListener,
    places: &std::sync::Arc<tokio::sync::Semaphore>,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match tcp.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, place))
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
