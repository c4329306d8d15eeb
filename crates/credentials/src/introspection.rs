//! `POST /oauth2/introspect` (RFC 7662): whether a token is good, and what it says, for whoever presents a client of its own.
//!
//! A client may ask about its own tokens, and the operator's clients about any. Whatever else is asked about is answered as inactive, like a
//! token that is none: nobody learns of others' clients here.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use tidegate_model::{ClientId, ClientOwner, Error, TokenId};

use crate::service::Service;
use crate::token::{AboutToken, Refusal, authenticate};

/// What is answered; all but `active` is absent when the token is not.
#[derive(Default, Serialize)]
pub(crate) struct Introspected {
    active: bool,
    #[serde(flatten)]
    said: Option<Said>,
}

#[derive(Serialize)]
struct Said {
    scope: String,
    client_id: ClientId,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: ClientId,
    aud: String,
    iss: String,
    jti: TokenId,
}

pub(crate) async fn answer(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Json<Introspected>, Refusal> {
    let request = AboutToken::read(request).await?;
    let asker = authenticate(&service, &request.client).await?;
    let claims = match service.verifier.claims(request.token.reveal()).await {
        Ok(claims) => claims,
        Err(Error::Unauthorized(_)) => return Ok(Json(Introspected::default())),
        Err(error) => return Err(error.into()),
    };
    if claims.client_id != asker.id && asker.owner != ClientOwner::Administrator {
        return Ok(Json(Introspected::default()));
    }
    let said = Said {
        scope: claims.scope.clone(),
        client_id: claims.client_id,
        token_type: "Bearer",
        exp: claims.exp,
        iat: claims.iat,
        sub: claims.sub,
        aud: service.options.audience.clone(),
        iss: claims.iss.clone(),
        jti: claims.jti,
    };
    Ok(Json(Introspected { active: true, said: Some(said) }))
}
