use async_graphql::Object;
use tidegate_model::Call;
use tidegate_model::contract::NOT_SENT;

use super::enums::HttpMethod;
use super::scalars::Json;
use crate::service;
use crate::shown::planned_headers;

/// An HTTP call that a script asked for.
pub(super) struct TriedCall(pub(super) Call);

#[Object]
impl TriedCall {
    async fn method(&self) -> &str {
        &self.0.method
    }

    async fn url(&self) -> &str {
        &self.0.url
    }

    /// The name of the credential that the script named for it.
    async fn credential(&self) -> Option<&str> {
        self.0.credential.as_deref()
    }

    /// Those of credentials are masked.
    async fn headers(&self) -> Json {
        self.0.request_headers.clone().into()
    }

    /// A long one is cut and says so; bytes that are no text are base64.
    async fn body(&self) -> Option<&str> {
        self.0.request_body.as_deref()
    }

    async fn sent(&self) -> bool {
        self.0.error.as_deref() != Some(NOT_SENT)
    }

    /// Of the answer, where one came.
    async fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Why no answer came.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}

/// The call that a result asks for.
pub(super) struct PlannedCall(pub(super) tidegate_model::PlannedCall);

#[Object]
impl PlannedCall {
    async fn method(&self) -> HttpMethod {
        self.0.method.into()
    }

    /// Of a GET with the body in its query.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// Those of credentials are masked.
    async fn headers(&self) -> Json {
        planned_headers(&self.0).into()
    }

    async fn body(&self) -> Option<Json> {
        self.0.body.clone().map(Json)
    }
}

/// A call, as far as two of them are compared.
struct ComparedCall(service::ToldCall);

#[Object]
impl ComparedCall {
    async fn method(&self) -> &str {
        &self.0.method
    }

    async fn url(&self) -> &str {
        &self.0.url
    }

    /// A long one is cut and says so; bytes that are no text are base64.
    async fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }
}

/// A call that is another one in the trial, or that only one of the two has.
pub(super) struct CallDifference(pub(super) service::CallDifference);

#[Object]
impl CallDifference {
    async fn recorded(&self) -> Option<ComparedCall> {
        self.0.recorded.clone().map(ComparedCall)
    }

    async fn tried(&self) -> Option<ComparedCall> {
        self.0.tried.clone().map(ComparedCall)
    }
}
