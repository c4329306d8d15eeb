//! The secret that the roles share: presented with every call, checked before it is read.

use tidegate_model::{Secret, SecretHash};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

const HEADER: &str = "authorization";
const SCHEME: &str = "Bearer ";

/// Refuses calls that do not present the secret; comparing takes as long whether they do or not. An empty secret lets nobody in.
#[derive(Clone)]
pub(super) struct Guard(SecretHash);

impl Guard {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(secret.hash())
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let presented = request
            .metadata()
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix(SCHEME));
        match presented {
            Some(secret) if !secret.is_empty() && self.0.matches(&Secret::new(secret)) => Ok(request),
            _ => Err(Status::unauthenticated("this service is for Tidegate's own roles")),
        }
    }
}

/// Presents the secret.
#[derive(Clone)]
pub(super) struct Presented(MetadataValue<Ascii>);

impl Presented {
    /// `None` when the secret is empty, or cannot stand in a header.
    pub(super) fn new(secret: &Secret) -> Option<Self> {
        if secret.reveal().is_empty() {
            return None;
        }
        let mut value = MetadataValue::try_from(format!("{SCHEME}{}", secret.reveal())).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

impl Interceptor for Presented {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(HEADER, self.0.clone());
        Ok(request)
    }
}
