//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tidegate_wire::grpc::Certified;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::patient::Patient;
use super::pulse::{Pulse, Silence};
use super::unread::Watched;
use super::{Farewell, Limits};

/// How long an HTTP/2 connection stays open without a request; one of HTTP/1 is closed after [`Limits::head`].
const IDLE: Duration = Duration::from_mins(1);

/// How long a connection that was made just before the end may take to send its first request.
const LATECOMER: Duration = Duration::from_secs(1);

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) limits: Limits,
    pub(super) end: Farewell,
    pub(super) tls: Option<TlsAcceptor>,
}

impl Connection {
    /// Answers its requests until it ends.
    pub(super) async fn serve(self, server: &auto::Builder<TokioExecutor>, router: Router) {
        let Self { stream, peer, limits, end, tls } = self;
        let secured = Secured { stream, is_certified: false, peer, limits, end };
        let Some(tls) = tls else { return secured.serve(server, router).await };
        let Secured { stream, limits, end, .. } = secured;
        match tokio::time::timeout(limits.head, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let is_certified = stream.get_ref().1.peer_certificates().is_some();
                Secured { stream, is_certified, peer, limits, end }.serve(server, router).await;
            }
            Ok(Err(error)) => tracing::info!(%error, %peer, "a connection was refused: no TLS came about"),
            Err(_) => tracing::debug!("a connection was cut off: it took too long about TLS"),
        }
    }
}

/// A connection over which requests come, with TLS or without.
struct Secured<S> {
    stream: S,
    /// The caller showed a certificate of the roles' authority.
    is_certified: bool,
    peer: SocketAddr,
    limits: Limits,
    end: Farewell,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Secured<S> {
    async fn serve(self, server: &auto::Builder<TokioExecutor>, router: Router) {
        let Self { stream, is_certified, peer, limits, end } = self;
        let (pulse, silence) = Pulse::new();
        let router = TowerToHyperService::new(router);
        let over = Instant::now() + spread(limits.age, peer);
        let Farewell { asked, closed } = end;
        // Cancelled by the first request that ought to be the last; until then the whole process's end counts.
        let last = closed.child_token();
        let told = last.clone();
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            if is_certified {
                request.extensions_mut().insert(Certified);
            }
            let (asked, told) = (asked.clone(), told.clone());
            let is_alone = request.version() < Version::HTTP_2;
            let (head, body) = request.into_parts();
            let (body, ended) = Watched::new(body);
            let (beat, answer) = (pulse.beat(), router.call(Request::from_parts(head, body)));
            async move {
                let Ok(mut response) = answer.await;
                let is_last = asked.is_cancelled() || Instant::now() >= over;
                // What was answered before all of it was read ends its connection, which whoever called is to know.
                if is_alone && (is_last || !ended.get()) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                } else if is_last {
                    told.cancel();
                }
                Ok::<Response<Body>, Infallible>(beat.until_taken(response))
            }
        });
        let stream = TokioIo::new(Patient::new(stream, limits.stall));
        let mut connection = pin!(server.serve_connection(stream, answer));
        let mut ending = pin!(ending(silence, limits.head, last));
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

async fn ending(mut silence: Silence, first: Duration, last: CancellationToken) -> End {
    let mut has_begun = false;
    let silent = async {
        has_begun = silence.breaks_within(first).await;
        if !has_begun {
            return End::Cut;
        }
        silence.lasts(IDLE).await;
        End::InOrder
    };
    if let Some(end) = last.run_until_cancelled(silent).await {
        return end;
    }
    // A connection that is ended before its first request would break that one.
    if !has_begun {
        silence.breaks_within(LATECOMER.min(first)).await;
    }
    End::InOrder
}

/// Up to a tenth longer, by the port that the caller came from.
fn spread(age: Duration, peer: SocketAddr) -> Duration {
    age + age / 10 * u32::from(peer.port() % 64) / 64
}
