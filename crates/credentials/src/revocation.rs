//! `POST /oauth2/revoke` (RFC 7009): ends an access token before its time.
//!
//! A client ends its own tokens, and the operator's clients any. A token that counts no longer, or never did, is ended already: 200, as the
//! RFC wants it.

use std::sync::Arc;

use axum::extract::{Request, State};
use chrono::DateTime;
use http::StatusCode;
use tidegate_model::{ClientOwner, Error};

use crate::service::Service;
use crate::token::{AboutToken, Refusal, authenticate};

pub(crate) async fn answer(State(service): State<Arc<Service>>, request: Request) -> Result<StatusCode, Refusal> {
    let request = AboutToken::read(request).await?;
    let asker = authenticate(&service, &request.client).await?;
    let claims = match service.verifier.claims(request.token.reveal()).await {
        Ok(claims) => claims,
        Err(Error::Unauthorized(_)) => return Ok(StatusCode::OK),
        Err(error) => return Err(error.into()),
    };
    if claims.client_id != asker.id && asker.owner != ClientOwner::Administrator {
        return Err(Refusal::NotYours);
    }
    // As long as any verifier's clock may still find it good.
    let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(Refusal::Internal)? + LEEWAY;
    match service.store.revoke_token(claims.jti, claims.client_id, expires_at, service.clock.now()).await {
        Ok(()) | Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    service.verifier.revoked(claims.client_id, claims.jti);
    tracing::info!(client = %claims.client_id, by = %asker.id, "revoked an access token");
    Ok(StatusCode::OK)
}

const LEEWAY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);
