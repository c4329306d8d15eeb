//! `GET /v1/integrations/<id>/openapi.json` and `openapi.yaml`: the document that third parties load into their tools.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;
use tidegate_model::Error;

use super::refusal::Refusal;
use super::{Face, Peer};
use crate::openapi;

pub(super) async fn json(
    State(face): State<Arc<Face>>,
    Path(id): Path<String>,
    peer: Peer,
    headers: HeaderMap,
) -> Response {
    answer(document(&face, &id, peer, &headers).await, "application/json", ToString::to_string)
}

pub(super) async fn yaml(
    State(face): State<Arc<Face>>,
    Path(id): Path<String>,
    peer: Peer,
    headers: HeaderMap,
) -> Response {
    answer(document(&face, &id, peer, &headers).await, "application/yaml", openapi::yaml)
}

async fn document(face: &Face, id: &str, peer: Peer, headers: &HeaderMap) -> Result<Value, Error> {
    let access = face.admit(tidegate_model::Face::Http, headers, peer, "openapi").await?;
    face.services.openapi_of(&access, id).await
}

/// The URL in it is a secret: nothing on the way keeps it.
fn answer(document: Result<Value, Error>, media_type: &'static str, text: fn(&Value) -> String) -> Response {
    match document {
        Ok(document) => {
            let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")];
            (headers, text(&document)).into_response()
        }
        Err(error) => Refusal::Error(error).answer(),
    }
}
