//! GraphQL over HTTP: one request in a JSON body, one answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tidegate_model::Error;

use super::{Face, Peer, Unread, not_encoded};
use crate::door::challenge;
use crate::graphql::limits;

pub(super) async fn execute(State(face): State<Arc<Face>>, peer: Peer, headers: HeaderMap, body: Body) -> Response {
    let mut access = match face.admit(tidegate_model::Face::Graphql, &headers, peer, "").await {
        Ok(access) => access,
        Err(error @ Error::Unauthorized(_)) => {
            let challenge = challenge(&error).map(|challenge| [(WWW_AUTHENTICATE, challenge)]);
            return (challenge.map(AppendHeaders), refusal(StatusCode::UNAUTHORIZED, &error)).into_response();
        }
        Err(error) => return refusal(StatusCode::OK, &error),
    };
    let body = match face.read(&headers, body).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            let error = Error::invalid("body", format!("at most {} bytes", face.max_body));
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, &error);
        }
        Err(Unread::Broken) => {
            return refusal(StatusCode::BAD_REQUEST, &Error::invalid("body", "a whole request"));
        }
        Err(Unread::Encoded(encoding)) => {
            let answer = refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, &not_encoded(&encoding));
            return ([(ACCEPT_ENCODING, "identity")], answer).into_response();
        }
    };
    match limits::request(&body) {
        Ok(mut request) => {
            access.asked = limits::asked(&mut request);
            let answer = face.schema.answer(request, access).await;
            respond(StatusCode::OK, serde_json::to_vec(&answer).unwrap_or_default())
        }
        Err(limits::Refused::NotARequest(error)) => refusal(StatusCode::BAD_REQUEST, &error),
        Err(limits::Refused::Document(error)) => refusal(StatusCode::OK, &error),
    }
}

/// The GraphQL-shaped answer to a request that is not executed at all.
fn refusal(status: StatusCode, error: &Error) -> Response {
    let (name, code) = error.code();
    let errors = json!([{ "message": error.to_string(), "extensions": { "error": name, "error_code": code } }]);
    respond(status, json!({ "data": null, "errors": errors }).to_string().into_bytes())
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
