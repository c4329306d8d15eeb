//! The gRPC face: one file per noun. A method translates and calls a service; it decides nothing, and names nothing of gRPC: what is
//! gRPC about it stands in `tidegate_wire::api`.

mod applications;
mod audit;
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

use tidegate_model::Error;
use tidegate_wire::api::{Admits, Call, Public};

use crate::access::Access;
use crate::door::{Arrival, Door};
use crate::service::Services;

/// Carries out the services of `tidegate.v1`.
struct Face {
    services: Arc<Services>,
    door: Arc<Door>,
}

impl Admits for Face {
    type Caller = Access;

    async fn admit(&self, call: Call<'_>) -> Result<Access, Error> {
        let Call { metadata: headers, peer, method } = call;
        self.door.admit(Arrival { face: tidegate_model::Face::Grpc, headers, peer, asked: operation(method) }).await
    }
}

/// The public services, for messages of at most `max_body` bytes.
pub(crate) fn public(services: Arc<Services>, door: Arc<Door>, max_body: usize) -> Public {
    Public::of(Face { services, door }, max_body)
}

/// `CreateLogic` as GraphQL names it.
fn operation(method: &str) -> String {
    let mut letters = method.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
