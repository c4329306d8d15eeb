//! The access token that a service presents to its peers: fetched with client credentials of its own, as everyone else does, and kept until
//! most of its time is over.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use serde::Deserialize;
use tidegate_model::{ClientId, Clock, Error, Secret, Timestamp};
use tokio::sync::Mutex;
use tonic::codegen::Service as _;
use tonic::transport::Channel;

use super::peer::{InvalidPeer, PeerTls, channel};

/// More than any answer of a token endpoint.
const MAX_ANSWER: usize = 64 * 1024;

/// For one request; the calls that wait for the token are bounded too.
const PATIENCE: Duration = Duration::from_secs(5);

const PEER: &str = "the credentials service";

/// The token of one service.
pub struct PeerTokens {
    channel: Channel,
    form: Secret,
    clock: Arc<dyn Clock>,
    /// Held while a token is fetched: whoever comes meanwhile waits for that one.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    header: HeaderValue,
    renew_at: Timestamp,
    expires_at: Timestamp,
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
        Ok(Self { channel: channel(url, tls)?, form: Secret::new(form), clock, kept: Mutex::default() })
    }

    /// The header that shows the token. One that still counts is shown on while no other one can be had.
    pub(super) async fn header(&self) -> Result<HeaderValue, Error> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let known = kept.as_ref().filter(|known| now < known.expires_at);
        if let Some(known) = known.filter(|known| now < known.renew_at) {
            return Ok(known.header.clone());
        }
        match tokio::time::timeout(PATIENCE, self.fetch(now)).await.unwrap_or(Err(Error::Unavailable(PEER))) {
            Ok(fresh) => Ok(kept.insert(fresh).header.clone()),
            Err(error) => known.map(|known| known.header.clone()).ok_or(error),
        }
    }

    /// Hears that a peer did not take this token: its keys, or this client, may have changed.
    pub(super) async fn refused(&self, header: &HeaderValue) {
        let mut kept = self.kept.lock().await;
        if kept.as_ref().is_some_and(|known| known.header == header) {
            *kept = None;
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Kept, Error> {
        let away = |_| Error::Unavailable(PEER);
        let request = Request::post("/oauth2/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(tonic::body::Body::new(Body::from(self.form.reveal().to_owned())))
            .map_err(|_| Error::Unavailable(PEER))?;
        let mut channel = self.channel.clone();
        std::future::poll_fn(|context| channel.poll_ready(context)).await.map_err(away)?;
        let answer = channel.call(request).await.map_err(away)?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            let status = head.status.as_u16();
            tracing::error!(
                status,
                "the credentials service gives this service no token: check peers.client_id and peers.client_secret"
            );
            return Err(Error::Unavailable(PEER));
        }
        let body = to_bytes(Body::new(body), MAX_ANSWER).await.map_err(|_| Error::Unavailable(PEER))?;
        let unreadable = |_| Error::Unavailable(PEER);
        let issued: Issued = serde_json::from_slice(&body).map_err(unreadable)?;
        let mut header =
            HeaderValue::try_from(format!("Bearer {}", issued.access_token)).map_err(|_| Error::Unavailable(PEER))?;
        header.set_sensitive(true);
        let life = TimeDelta::seconds(issued.expires_in.into());
        Ok(Kept { header, renew_at: now + life / 2, expires_at: now + life })
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
