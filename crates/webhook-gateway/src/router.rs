//! The route.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use tidegate_model::ExecutionId;

use crate::gateway::Service;
use crate::handle::handle;

pub(crate) fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route("/webhook", any(answer))
        .route("/webhook/", any(answer))
        .route("/webhook/{*key}", any(answer))
        .with_state(service)
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response {
    let id = ExecutionId::generate(service.parts.clock.as_ref(), service.parts.randomness.as_ref());
    let answer = handle(&service, id, request).await.unwrap_or_else(|refused| refused);
    answer.into_response(id)
}
