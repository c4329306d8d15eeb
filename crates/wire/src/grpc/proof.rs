//! What a process shows with each call to a peer.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::header::{AUTHORIZATION, HeaderValue};
use axum::http::{Request, Response};
use futures::future::BoxFuture;
use tidegate_model::Secret;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::transport::{self, Channel};
use tonic::{Code, Status};

use super::status::to_status;
use super::tokens::PeerTokens;

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
    channel: Channel,
    shown: Shown,
}

#[derive(Clone)]
enum Shown {
    Always(HeaderValue),
    Tokens(Arc<PeerTokens>),
}

impl PeerChannel {
    /// `None` when the secret is empty, or cannot stand in a header.
    pub(super) fn new(channel: Channel, proof: Proof) -> Option<Self> {
        let shown = match proof {
            Proof::Secret(secret) if secret.reveal().is_empty() => return None,
            Proof::Secret(secret) => {
                let mut value = HeaderValue::try_from(format!("Bearer {}", secret.reveal())).ok()?;
                value.set_sensitive(true);
                Shown::Always(value)
            }
            Proof::Tokens(tokens) => Shown::Tokens(tokens),
        };
        Some(Self { channel, shown })
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
        let shown = self.shown.clone();
        Box::pin(async move {
            let tokens = match shown {
                Shown::Always(value) => {
                    request.headers_mut().insert(AUTHORIZATION, value);
                    return channel.call(request).await;
                }
                Shown::Tokens(tokens) => tokens,
            };
            let value = match tokens.header().await {
                Ok(value) => value,
                Err(error) => return Ok(to_status(&error).into_http()),
            };
            request.headers_mut().insert(AUTHORIZATION, value.clone());
            let answer = channel.call(request).await?;
            if Status::from_header_map(answer.headers()).is_some_and(|status| status.code() == Code::Unauthenticated) {
                tokens.refused(&value).await;
            }
            Ok(answer)
        })
    }
}
