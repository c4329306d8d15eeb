//! The HTTP side of the faces: who is calling, how large a request may be, and what is answered when it is not even a request.

mod events;
mod graphiql;
mod graphql;
mod openapi;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tidegate_model::Error;

use crate::access::Access;
use crate::door::{Arrival, Door};
use crate::service::Services;

/// What every handler needs.
pub(crate) struct Face {
    services: Arc<Services>,
    schema: crate::graphql::Schema,
    door: Arc<Door>,
    max_body: usize,
}

/// The connection that a request came over, where it came over one.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// `graphiql`: where its page gets tokens; nothing shows no page.
pub(crate) fn router(services: Arc<Services>, door: Arc<Door>, max_body: usize, graphiql: Option<&str>) -> Router {
    let schema = crate::graphql::Schema::new(services.clone());
    let face = Arc::new(Face { services, schema, door, max_body });
    let router = Router::new()
        .route("/graphql", post(graphql::execute))
        .route("/v1/events", post(events::publish))
        .route("/v1/integrations/{id}/openapi.json", get(openapi::json))
        .route("/v1/integrations/{id}/openapi.yaml", get(openapi::yaml));
    graphiql.map_or(router.clone(), |token_url| router.merge(graphiql::router(token_url))).with_state(face)
}

/// Why a body could not be read.
#[derive(Debug)]
enum Unread {
    TooLarge,
    Broken,
    /// It is compressed, or encoded in another way; how it says so.
    Encoded(String),
}

impl Face {
    async fn admit(
        &self,
        face: tidegate_model::Face,
        headers: &HeaderMap,
        peer: Peer,
        asked: &str,
    ) -> Result<Access, Error> {
        let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
        self.door.admit(Arrival { face, headers, peer, asked: asked.to_owned() }).await
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Unread> {
        if let Some(encoding) = encoding(headers) {
            return Err(Unread::Encoded(encoding));
        }
        match Limited::new(body, self.max_body).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
            Err(_) => Err(Unread::Broken),
        }
    }
}

/// How a body is encoded, where it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(CONTENT_ENCODING).iter().flat_map(|value| value.to_str().unwrap_or("?").split(','));
    let mut named = all.map(str::trim).filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    named.next().map(|name| name.chars().take(64).collect())
}

/// What is answered to a body that is encoded.
fn not_encoded(encoding: &str) -> Error {
    Error::invalid("content-encoding", format!("a body as it is, not {encoding}"))
}
