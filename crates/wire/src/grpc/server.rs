//! What a role serves over gRPC: to the other roles, and to strangers.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use tidegate_model::contract::{Objects, Registry, TokenAuthority, Vault, Verifier};
use tidegate_model::{Error, Secret};
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::MAX_MESSAGE;
use super::authority::ServedTokenAuthority;
use super::guard::{Guard, peers_alone};
use super::objects::ServedObjects;
use super::pb::objects_service_server::{ObjectsServiceServer, SERVICE_NAME as OBJECTS};
use super::pb::registry_service_server::{RegistryServiceServer, SERVICE_NAME as REGISTRY};
use super::pb::token_authority_service_server::{SERVICE_NAME as AUTHORITY, TokenAuthorityServiceServer};
use super::pb::vault_service_server::{SERVICE_NAME as VAULT, VaultServiceServer};
use super::registry::ServedRegistry;
use super::vault::ServedVault;
use crate::api::{DESCRIPTORS, Public};
use crate::fault;

/// The contracts that a process carries out for others; what is `None` is not served here.
pub struct Server {
    /// Whoever presents it as bearer token is a peer; `None` where nobody is by a secret.
    pub secret: Option<Secret>,
    /// Checks access tokens: one of Tidegate's own services is a peer.
    pub verifier: Option<Arc<dyn Verifier>>,
    /// Whether callers must be [`Certified`](super::Certified) besides; the public services' need not.
    pub certified: bool,
    /// As `tidegate.internal.v1.RegistryService`.
    pub registry: Option<Arc<dyn Registry>>,
    /// As `tidegate.internal.v1.ObjectsService`.
    pub objects: Option<Arc<dyn Objects>>,
    /// As `tidegate.internal.v1.VaultService`.
    pub vault: Option<Arc<dyn Vault>>,
    /// As `tidegate.internal.v1.TokenAuthorityService`.
    pub authority: Option<Arc<dyn TokenAuthority>>,
    /// As the services of `tidegate.v1`; their callers present access tokens.
    pub public: Option<Public>,
}

impl Server {
    /// The routes, to be merged into the role's one port (they have no fallback), and the switch of what health answers. Each
    /// service begins as serving.
    pub async fn routes(self) -> Result<(axum::Router, Health), Error> {
        let guard = Guard::new(self.secret.as_ref(), self.verifier, self.certified);
        let health = Health { reporter: HealthReporter::new(), services: Vec::new() };
        let (mut routes, mut served) = (Routes::default(), vec![]);
        if let Some(registry) = self.registry {
            let service = RegistryServiceServer::new(ServedRegistry(registry)).max_decoding_message_size(MAX_MESSAGE);
            routes = routes.add_service(service);
            served.push(REGISTRY);
        }
        if let Some(objects) = self.objects {
            let service = ObjectsServiceServer::new(ServedObjects(objects)).max_decoding_message_size(MAX_MESSAGE);
            routes = routes.add_service(service);
            served.push(OBJECTS);
        }
        if let Some(vault) = self.vault {
            let service = VaultServiceServer::new(ServedVault(vault));
            routes = routes.add_service(service);
            served.push(VAULT);
        }
        if let Some(authority) = self.authority {
            let service = TokenAuthorityServiceServer::new(ServedTokenAuthority(authority));
            routes = routes.add_service(service);
            served.push(AUTHORITY);
        }
        let mut all = routes.into_axum_router().reset_fallback().layer(from_fn_with_state(guard, peers_alone));
        if let Some(Public { routes, names }) = self.public {
            all = all.merge(routes);
            served.extend(names);
        }
        let checks = HealthServer::new(HealthService::from_health_reporter(health.reporter.clone()));
        let open = described(Routes::default().add_service(checks), &served);
        let open = open.map_err(|e| fault::internal("describe the services", e))?;
        let health = Health { services: served, ..health };
        health.set_serving(true).await;
        Ok((all.merge(open.into_axum_router().reset_fallback()), health))
    }
}

/// Adds reflection, in the version that is current and in the one that most tools still ask for.
fn described(routes: Routes, served: &[&str]) -> Result<Routes, tonic_reflection::server::Error> {
    let names =
        ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
    let all = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        names.iter().chain(served).fold(builder, |builder, name| builder.with_service_name(*name))
    };
    Ok(routes.add_service(all().build_v1()?).add_service(all().build_v1alpha()?))
}

/// What `grpc.health.v1` answers, for the process ("") and for each service.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    /// Says whether calls are welcome: `false` while the process is stopping.
    pub async fn set_serving(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in self.services.iter().copied().chain([""]) {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
