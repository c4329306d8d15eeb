//! The gRPC face: one file per noun. A method translates and calls a service; it decides nothing, and names nothing of gRPC: what is
//! gRPC about it stands in `tidegate_wire::api`.

mod applications;
mod convert;
mod credentials;
mod events;
mod executions;
mod integration_systems;
mod integrations;
mod logics;
mod object_types;
mod objects;
mod outgoing;
mod replays;
mod runtimes;
mod settings;
mod signatures;
mod system_auths;
mod tenants;
mod trials;

use std::sync::Arc;

use http::HeaderMap;
use tidegate_model::Error;
use tidegate_model::contract::Verifier;
use tidegate_storage::Store;
use tidegate_wire::api::{Admits, Public};

use crate::access::Access;
use crate::service::Services;

/// Carries out the services of `tidegate.v1`.
struct Face {
    services: Arc<Services>,
    verifier: Arc<dyn Verifier>,
    store: Arc<dyn Store>,
}

impl Admits for Face {
    type Caller = Access;

    async fn admit(&self, metadata: &HeaderMap) -> Result<Access, Error> {
        Access::of(&*self.verifier, &*self.store, metadata).await
    }
}

/// The public services, for messages of at most `max_body` bytes.
pub(crate) fn public(
    services: Arc<Services>,
    verifier: Arc<dyn Verifier>,
    store: Arc<dyn Store>,
    max_body: usize,
) -> Public {
    Public::of(Face { services, verifier, store }, max_body)
}
