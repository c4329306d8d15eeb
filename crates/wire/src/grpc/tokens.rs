//! The access token that a service presents to its peers: fetched with client credentials of its own, as everyone else does, and kept until
//! most of its time is over.

use std::fmt::{Display, Formatter, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use serde::Deserialize;
use tidegate_model::{ClientId, Clock, Error, Secret, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::codegen::Service as _;
use tonic::transport::Channel;

use super::peer::{InvalidPeer, PeerTls, channel};
use crate::standing::{Standing, with_causes};

/// More than any answer of a token endpoint.
const MAX_ANSWER: usize = 64 * 1024;

/// For one request; the calls that wait for the token are bounded too.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a refusal counts: whatever calls there are, a service asks no more often.
const REST: Duration = Duration::from_secs(1);

const PEER: &str = "the credentials service";

/// The token of one service.
pub struct PeerTokens {
    url: String,
    channel: Channel,
    form: Secret,
    clock: Arc<dyn Clock>,
    /// Held while a token is fetched: whoever comes meanwhile waits for that one.
    had: Mutex<Had>,
    standing: Standing,
}

/// What came of asking.
#[derive(Default)]
struct Had {
    kept: Option<Kept>,
    fetched_at: Option<Instant>,
    /// The answer before was no, or its token did not do: nobody asks again until then.
    rests_until: Option<Instant>,
}

struct Kept {
    header: HeaderValue,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// No token was had.
enum NoToken {
    /// The credentials service said so.
    Refused(StatusCode),
    /// It did not say anything that could be used.
    Silence(String),
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: u32,
}

impl PeerTokens {
    /// Prepares to ask the credentials role at `url`; nothing is connected yet.
    pub fn new(
        url: &str,
        client: ClientId,
        secret: &Secret,
        tls: Option<&PeerTls>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidPeer> {
        let secret = encoded(secret.reveal());
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        Ok(Self {
            url: url.to_owned(),
            channel: channel(url, tls)?,
            form: Secret::new(form),
            clock,
            had: Mutex::default(),
            standing: Standing::default(),
        })
    }

    /// The header that shows the token. One that still counts is shown on while no other one can be had.
    pub(super) async fn header(&self) -> Result<HeaderValue, Error> {
        let mut had = self.had.lock().await;
        let now = self.clock.now();
        let Had { kept, fetched_at, rests_until } = &mut *had;
        let known = kept.as_ref().filter(|known| now < known.expires_at).map(|known| known.header.clone());
        let is_young = kept.as_ref().is_some_and(|known| now < known.renew_at);
        if is_young || rests_until.is_some_and(|until| Instant::now() < until) {
            return known.ok_or(Error::Unavailable(PEER));
        }
        let silence = || NoToken::Silence("it does not answer".to_owned());
        match tokio::time::timeout(PATIENCE, self.fetch(now)).await.unwrap_or_else(|_| Err(silence())) {
            Ok(fresh) => {
                if self.standing.works() {
                    tracing::info!(peer = self.url, "the credentials service gives this service tokens again");
                }
                *fetched_at = Some(Instant::now());
                Ok(kept.insert(fresh).header.clone())
            }
            Err(no) => {
                if matches!(no, NoToken::Refused(_)) {
                    *rests_until = Some(Instant::now() + REST);
                }
                if let Some(cause) = self.standing.fails(&no) {
                    tracing::error!(peer = self.url, cause, "the credentials service gives this service no token");
                }
                known.ok_or(Error::Unavailable(PEER))
            }
        }
    }

    /// Hears that a peer did not take this token: its keys, or this client, may have changed.
    pub(super) async fn refused(&self, header: &HeaderValue) {
        let now = self.clock.now();
        let Had { kept, fetched_at, rests_until } = &mut *self.had.lock().await;
        if let Some(known) = kept.as_mut().filter(|known| known.header == header) {
            // It is shown on while no other one can be had.
            known.renew_at = now;
            *rests_until = fetched_at.map(|at| at + REST);
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Kept, NoToken> {
        let request = Request::post("/oauth2/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(tonic::body::Body::new(Body::from(self.form.reveal().to_owned())))
            .map_err(unusable)?;
        let mut channel = self.channel.clone();
        std::future::poll_fn(|context| channel.poll_ready(context)).await.map_err(unusable)?;
        let answer = channel.call(request).await.map_err(unusable)?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(NoToken::Refused(head.status));
        }
        let body = to_bytes(Body::new(body), MAX_ANSWER).await.map_err(unusable)?;
        let issued: Issued = serde_json::from_slice(&body).map_err(unusable)?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", issued.access_token)).map_err(unusable)?;
        header.set_sensitive(true);
        let life = TimeDelta::seconds(issued.expires_in.into());
        Ok(Kept { header, renew_at: now + life / 2, expires_at: now + life })
    }
}

fn unusable(cause: impl std::error::Error) -> NoToken {
    NoToken::Silence(with_causes(&cause))
}

impl Display for NoToken {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(status) => match *status {
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    write!(f, "{status}: no token endpoint is there: check peers.credentials")
                }
                status if status.is_client_error() => {
                    write!(f, "{status}: check peers.client_id and peers.client_secret")
                }
                status => write!(f, "{status}"),
            },
            Self::Silence(cause) => f.write_str(cause),
        }
    }
}

/// As forms hold a value.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
