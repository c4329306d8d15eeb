//! What makes a caller a peer, checked before its call is read: an access token of one of Tidegate's own services, or the secret that the
//! roles share, where the operator has not given them clients of their own yet; and a certificate of theirs, where the operator asks for one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use tidegate_model::contract::Verifier;
use tidegate_model::{ClientOwner, Error, Secret, SecretHash};
use tonic::Status;

use super::status::to_status;

const SCHEME: &str = "Bearer ";

/// Stands among the extensions of a request whose connection was made with a certificate of the roles' authority. Whoever accepts
/// connections puts it there; nothing that a caller sends can.
#[derive(Clone, Copy, Debug)]
pub struct Certified;

/// Refuses calls of whoever is no peer; comparing takes as long whether the secret is the right one or not. An empty secret lets nobody in.
#[derive(Clone)]
pub(super) struct Guard {
    secret: Option<SecretHash>,
    verifier: Option<Arc<dyn Verifier>>,
    certified: bool,
}

impl Guard {
    /// `certified`: whether a caller must be [`Certified`] besides.
    pub(super) fn new(secret: Option<&Secret>, verifier: Option<Arc<dyn Verifier>>, certified: bool) -> Self {
        let secret = secret.filter(|secret| !secret.reveal().is_empty()).map(Secret::hash);
        Self { secret, verifier, certified }
    }

    async fn admit(&self, headers: &HeaderMap, certified: bool) -> Result<(), Status> {
        let stranger = || Status::unauthenticated("this service is for Tidegate's own roles");
        if self.certified && !certified {
            return Err(Status::unauthenticated("this service asks for a certificate of Tidegate's own roles"));
        }
        let presented = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix(SCHEME));
        let presented = presented.ok_or_else(stranger)?;
        if self.secret.is_some_and(|secret| secret.matches(&Secret::new(presented))) {
            return Ok(());
        }
        let verifier = self.verifier.as_ref().ok_or_else(stranger)?;
        match verifier.verify(presented).await {
            Ok(caller) if matches!(caller.owner, ClientOwner::Service(_)) => Ok(()),
            Ok(_) | Err(Error::Unauthorized(_)) => Err(stranger()),
            Err(error) => Err(to_status(&error)),
        }
    }
}

/// Lets nobody further who is no peer.
pub(super) async fn peers_alone(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let certified = request.extensions().get::<Certified>().is_some();
    match guard.admit(request.headers(), certified).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_http(),
    }
}
