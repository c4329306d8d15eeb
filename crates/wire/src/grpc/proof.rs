//! What a process shows with each call to a peer.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::{Request, Response, StatusCode};
use futures::future::BoxFuture;
use tidegate_model::Secret;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::transport::{self, Channel};
use tonic::{Code, Status};

use super::pb::token_authority_service_server;
use super::status::to_status;
use super::tokens::PeerTokens;
use crate::standing::{Standing, with_causes};

/// What to look at where a peer does not let this process in.
const REFUSED: &str = "it refuses this process: check peers.client_id and peers.client_secret (or peers.secret), \
    and peers.certificate where it has http.client_ca";

/// What to look at where somebody answers who does not know the call.
const NO_DIRECTOR: &str = "no director is there: check peers.director";
const NO_CREDENTIALS: &str = "no credentials role is there: check peers.credentials";

/// How a process proves to its peers that it is one.
#[derive(Clone)]
pub enum Proof {
    /// By the secret that all roles share.
    Secret(Secret),
    /// By access tokens of its own.
    Tokens(Arc<PeerTokens>),
}

impl From<&Secret> for Proof {
    fn from(secret: &Secret) -> Self {
        Self::Secret(secret.clone())
    }
}

/// A channel on which each call shows the proof.
#[derive(Clone)]
pub(super) struct PeerChannel {
    url: Arc<str>,
    channel: Channel,
    shown: Shown,
    standing: Arc<Standing>,
}

#[derive(Clone)]
enum Shown {
    Always(HeaderValue),
    Tokens(Arc<PeerTokens>),
}

impl PeerChannel {
    /// `None` when the secret is empty, or cannot stand in a header.
    pub(super) fn new(url: &str, channel: Channel, proof: Proof) -> Option<Self> {
        let shown = match proof {
            Proof::Secret(secret) if secret.reveal().is_empty() => return None,
            Proof::Secret(secret) => {
                let mut value = HeaderValue::try_from(format!("Bearer {}", secret.reveal())).ok()?;
                value.set_sensitive(true);
                Shown::Always(value)
            }
            Proof::Tokens(tokens) => Shown::Tokens(tokens),
        };
        Some(Self { url: url.into(), channel, shown, standing: Arc::default() })
    }

    /// Says what this answer tells of the peer, where that is news.
    fn hear(url: &str, called: &str, standing: &Standing, answer: &Result<Response<Body>, transport::Error>) {
        let cause = match answer {
            Ok(answer) if is_refusal(answer) => standing.fails(REFUSED),
            Ok(answer) if is_unknown(answer) => {
                let is_directors = !called.contains(token_authority_service_server::SERVICE_NAME);
                standing.fails(if is_directors { NO_DIRECTOR } else { NO_CREDENTIALS })
            }
            Ok(_) => {
                if standing.works() {
                    tracing::info!(peer = url, "the peer answers again");
                }
                None
            }
            Err(error) => standing.fails(with_causes(error)),
        };
        if let Some(cause) = cause {
            tracing::error!(peer = url, cause, "the peer cannot be called");
        }
    }
}

impl Service<Request<Body>> for PeerChannel {
    type Response = Response<Body>;
    type Error = transport::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The one that is ready is the one that is called.
        let next = self.channel.clone();
        let mut channel = std::mem::replace(&mut self.channel, next);
        let (url, shown, standing) = (self.url.clone(), self.shown.clone(), self.standing.clone());
        let called = request.uri().path().to_owned();
        Box::pin(async move {
            let tokens = match shown {
                Shown::Always(value) => {
                    request.headers_mut().insert(AUTHORIZATION, value);
                    let answer = channel.call(request).await;
                    Self::hear(&url, &called, &standing, &answer);
                    return answer;
                }
                Shown::Tokens(tokens) => tokens,
            };
            let value = match tokens.header().await {
                Ok(value) => value,
                Err(error) => return Ok(to_status(&error).into_http()),
            };
            request.headers_mut().insert(AUTHORIZATION, value.clone());
            let answer = channel.call(request).await;
            Self::hear(&url, &called, &standing, &answer);
            if answer.as_ref().is_ok_and(is_refusal) {
                tokens.refused(&value).await;
            }
            answer
        })
    }
}

fn is_refusal(answer: &Response<Body>) -> bool {
    Status::from_header_map(answer.headers()).is_some_and(|status| status.code() == Code::Unauthenticated)
}

/// Whether no role that takes such calls answered: another one, or a web server.
fn is_unknown(answer: &Response<Body>) -> bool {
    let said = Status::from_header_map(answer.headers());
    said.map_or(answer.status() == StatusCode::NOT_FOUND, |status| status.code() == Code::Unimplemented)
}
