//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::patient::Patient;
use super::pulse::{Pulse, Silence};

/// How long an HTTP/2 connection stays open without a request; one of HTTP/1 is closed after [`Limits::head`].
const IDLE: Duration = Duration::from_mins(1);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) limits: Limits,
    /// No more requests are taken once this is cancelled.
    pub(super) stop: CancellationToken,
}

impl Connection {
    /// Answers its requests until it ends.
    pub(super) async fn serve(self, server: &auto::Builder<TokioExecutor>, router: Router) {
        let Self { stream, peer, limits, stop } = self;
        let (pulse, silence) = Pulse::new();
        let router = TowerToHyperService::new(router);
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (beat, answer) = (pulse.beat(), router.call(request));
            async move {
                let Ok(response) = answer.await;
                Ok::<Response<Body>, Infallible>(beat.until_taken(response))
            }
        });
        let stream = TokioIo::new(Patient::new(stream, limits.stall));
        let mut connection = pin!(server.serve_connection(stream, answer));
        let mut ending = pin!(ending(silence, limits.head, stop));
        let mut is_ending = false;
        loop {
            let end = tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error = %error, "a connection broke");
                    }
                    return;
                }
                end = ending.as_mut(), if !is_ending => end,
            };
            if matches!(end, End::Cut) {
                return tracing::debug!("a connection was cut off: it sent no whole request");
            }
            connection.as_mut().graceful_shutdown();
            is_ending = true;
        }
    }
}

/// How a connection is ended from this side.
enum End {
    /// Nothing is under way: it takes no part in anything any more.
    Cut,
    /// What is under way is finished.
    InOrder,
}

async fn ending(mut silence: Silence, first: Duration, stop: CancellationToken) -> End {
    let silent = async {
        if !silence.breaks_within(first).await {
            return End::Cut;
        }
        silence.lasts(IDLE).await;
        End::InOrder
    };
    stop.run_until_cancelled(silent).await.unwrap_or(End::InOrder)
}
