//! What is answered to a request that is not carried out, outside of GraphQL: a problem document.

use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tidegate_model::Error;
use tidegate_model::cloud_event::InvalidCloudEvent;

use super::not_encoded;
use crate::door::challenge;

/// Why a request was not carried out.
pub(super) enum Refusal {
    Error(Error),
    Fault(InvalidCloudEvent),
    TooLarge(usize),
    /// The body is encoded, so.
    Encoded(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    /// A problem document (RFC 9457), which names the fault.
    pub(super) fn answer(self) -> Response {
        let (status, detail) = match &self {
            Self::Error(error) => (status(error), error.to_string()),
            Self::Fault(fault) => (StatusCode::BAD_REQUEST, fault.to_string()),
            Self::TooLarge(limit) => (StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {limit} bytes")),
            Self::Encoded(encoding) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, not_encoded(encoding).to_string()),
        };
        let mut problem = json!({
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Self::Error(error) = &self {
            let (name, code) = error.code();
            problem["error"] = json!(name);
            problem["error_code"] = json!(code);
        }
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response();
        if let Self::Encoded(_) = &self {
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if let Self::Error(error) = &self
            && let Some(challenge) = challenge(error)
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::NotFound { .. } | Error::TenantNotFound(_) => StatusCode::NOT_FOUND,
        Error::NotUnique { .. } | Error::InvalidOperation(_) => StatusCode::CONFLICT,
        Error::InvalidData(_) | Error::TenantRequired => StatusCode::BAD_REQUEST,
        Error::InsufficientScopes(_) => StatusCode::FORBIDDEN,
        Error::Unauthorized(_) => StatusCode::UNAUTHORIZED,
    }
}
