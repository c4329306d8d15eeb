//! From calls to the services, and from what they answer to responses.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response as HttpResponse;
use tidegate_model::Error;
use tonic::{Code, Request, Response, Status};

use super::spelling::spelled;
use super::v1::{Face, services};
use super::{Admits, Call};
use crate::grpc::to_status;

/// The public services, ready to be put on a port by [`grpc::Server`](crate::grpc::Server).
#[derive(Clone)]
pub struct Public {
    pub(crate) routes: axum::Router,
    pub(crate) names: Vec<&'static str>,
}

impl Public {
    /// The services that `face` carries out, for messages of at most `limit` bytes.
    pub fn of<F: Face>(face: F, limit: usize) -> Self {
        let face = Arc::new(face);
        let (routes, names) = services(&face, limit);
        let routes = routes.into_axum_router().reset_fallback().layer(from_fn_with_state((face, limit), admitted::<F>));
        Self { routes, names }
    }

    /// The routes alone, without health and reflection.
    pub fn routes(&self) -> axum::Router {
        self.routes.clone()
    }
}

/// What tonic calls; it asks the face.
pub(super) struct Served<F>(pub(super) Arc<F>);

/// Lets nobody further who is not admitted: a stranger's message is not read.
async fn admitted<F: Admits>(
    State((face, limit)): State<(Arc<F>, usize)>,
    mut request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let method = request.uri().path().rsplit('/').next().unwrap_or_default();
    match face.admit(Call { metadata: request.headers(), peer, method }).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            understood(next.run(request).await, limit)
        }
        Err(error) => to_status(&error).into_http(),
    }
}

/// A message that could not be read is the caller's fault, told as every other one. It was refused before the face was asked, whose own
/// refusals have details.
fn understood(response: HttpResponse, limit: usize) -> HttpResponse {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.details().is_empty() && matches!(status.code(), Code::Internal | Code::OutOfRange) => {
            let expected = format!("a message as proto/ has it, of at most {limit} bytes");
            to_status(&Error::invalid("request", expected)).into_http()
        }
        _ => response,
    }
}

/// The caller that was admitted, and what it says.
pub(super) fn opened<C: Clone + Send + Sync + 'static, M>(request: Request<M>) -> Result<(C, M), Status> {
    let (_, mut extensions, message) = request.into_parts();
    let caller = extensions.remove::<C>();
    let caller = caller.ok_or_else(|| to_status(&Error::Unauthorized("nobody was admitted")))?;
    Ok((caller, message))
}

/// What the caller is answered.
pub(super) fn answered<A>(answer: Result<A, Error>) -> Result<Response<A>, Status> {
    answer.map(Response::new).map_err(|error| to_status(&spelled(error)))
}
