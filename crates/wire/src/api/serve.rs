//! From calls to the services, and from what they answer to responses.

use std::sync::Arc;

use axum::extract::{Request as HttpRequest, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response as HttpResponse;
use tidegate_model::Error;
use tonic::{Request, Response, Status};

use super::Admits;
use super::spelling::spelled;
use super::v1::{Face, services};
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
        let routes = routes.into_axum_router().reset_fallback().layer(from_fn_with_state(face, admitted::<F>));
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
async fn admitted<F: Admits>(State(face): State<Arc<F>>, mut request: HttpRequest, next: Next) -> HttpResponse {
    match face.admit(request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => to_status(&error).into_http(),
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
