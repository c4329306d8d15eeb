//! What a role serves to the other roles.

use std::sync::Arc;

use tidegate_model::contract::{Objects, Registry, TokenAuthority};
use tidegate_model::{Error, Secret};
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::authority::ServedTokenAuthority;
use super::guard::Guard;
use super::objects::ServedObjects;
use super::pb::objects_service_server::{ObjectsServiceServer, SERVICE_NAME as OBJECTS};
use super::pb::registry_service_server::{RegistryServiceServer, SERVICE_NAME as REGISTRY};
use super::pb::token_authority_service_server::{SERVICE_NAME as AUTHORITY, TokenAuthorityServiceServer};
use super::registry::ServedRegistry;
use super::{MAX_MESSAGE, pb};
use crate::fault;

/// The contracts that a process carries out for others; what is `None` is not served here.
pub struct Server {
    /// Callers must present it as bearer token.
    pub secret: Secret,
    /// As `tidegate.v1.RegistryService`.
    pub registry: Option<Arc<dyn Registry>>,
    /// As `tidegate.v1.ObjectsService`.
    pub objects: Option<Arc<dyn Objects>>,
    /// As `tidegate.v1.TokenAuthorityService`.
    pub authority: Option<Arc<dyn TokenAuthority>>,
}

impl Server {
    /// The routes, to be merged into the role's one port (they have no fallback), and the switch of what health answers. Each
    /// service begins as serving.
    pub async fn routes(self) -> Result<(axum::Router, Health), Error> {
        let guard = Guard::new(&self.secret);
        let health = Health { reporter: HealthReporter::new(), services: Vec::new() };
        let (mut routes, mut served) = (Routes::default(), vec![]);
        if let Some(registry) = self.registry {
            let service = RegistryServiceServer::new(ServedRegistry(registry)).max_decoding_message_size(MAX_MESSAGE);
            routes = routes.add_service(InterceptedService::new(service, guard.clone()));
            served.push(REGISTRY);
        }
        if let Some(objects) = self.objects {
            let service = ObjectsServiceServer::new(ServedObjects(objects)).max_decoding_message_size(MAX_MESSAGE);
            routes = routes.add_service(InterceptedService::new(service, guard.clone()));
            served.push(OBJECTS);
        }
        if let Some(authority) = self.authority {
            let service = TokenAuthorityServiceServer::new(ServedTokenAuthority(authority));
            routes = routes.add_service(InterceptedService::new(service, guard));
            served.push(AUTHORITY);
        }
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health")
            .with_service_name("grpc.reflection.v1.ServerReflection");
        for service in &served {
            reflection = reflection.with_service_name(*service);
        }
        let reflection = reflection.build_v1().map_err(|e| fault::internal("describe the services", e))?;
        let health = Health { services: served, ..health };
        health.set_serving(true).await;
        let checks = HealthServer::new(HealthService::from_health_reporter(health.reporter.clone()));
        let routes = routes.add_service(checks).add_service(reflection);
        Ok((routes.into_axum_router().reset_fallback(), health))
    }
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
