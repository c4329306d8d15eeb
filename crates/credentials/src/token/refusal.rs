//! Every way to refuse a token (RFC 6749 section 5.2), with its status.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use tidegate_model::Error;

/// Why there is no token. The texts are the platform's own: nothing of the request is repeated in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `invalid_request`
    Request(&'static str),
    /// `invalid_client`: unknown, wrong secret, or none given. Which of these is not told.
    Client,
    /// `invalid_client` too: so many wrong secrets were given for this client that the next ones are not answered one by one.
    Guessing {
        /// Seconds until the next.
        retry_after: u32,
    },
    /// `unauthorized_client`: the token is another client's.
    NotYours,
    /// `invalid_scope`
    Scope,
    /// `unsupported_grant_type`
    GrantType,
    /// Our own fault, which may pass.
    Unavailable,
    /// Our own fault; the log tells more.
    Internal,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::Request(description) => (StatusCode::BAD_REQUEST, "invalid_request", description),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed"),
            Self::Guessing { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "invalid_client", "too many wrong secrets for this client")
            }
            Self::NotYours => {
                (StatusCode::BAD_REQUEST, "unauthorized_client", "the token was issued to another client")
            }
            Self::Scope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "a requested scope is unknown or not granted to this client")
            }
            Self::GrantType => {
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", "grant_type must be client_credentials")
            }
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal error"),
        };
        let mut response = (status, Json(Body { error, error_description })).into_response();
        match self {
            Self::Client => {
                let challenge = HeaderValue::from_static(r#"Basic realm="tidegate", charset="UTF-8""#);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Self::Unavailable => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Guessing { retry_after } => {
                response.headers_mut().insert(RETRY_AFTER, retry_after.into());
            }
            Self::NotYours | Self::Request(_) | Self::Scope | Self::GrantType | Self::Internal => {}
        }
        response
    }
}
