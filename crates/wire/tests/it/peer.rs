//! What holds for every call between roles: the secret, health, reflection, lost connections, malformed messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::StreamExt as _;
use tidegate_model::contract::{Actor, KeySet, Resolved, TokenAuthority, WebhookKeyHash};
use tidegate_model::{ClientId, Error, Json, Secret, TokenId};
use tidegate_wire::grpc::{InvalidPeer, Peer, Server};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_types::StatusExt as _;

use crate::harness::{Served, acme, eventually, nothing, secret, serve, serve_at};
use crate::memory::{MemoryObjects, MemoryRegistry};

async fn channel(served: &Served) -> Channel {
    Endpoint::from_shared(format!("http://{}", served.address)).unwrap().connect().await.unwrap()
}

/// Calls a method with an empty message.
async fn call(served: &Served, path: &'static str, authorization: Option<&str>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel(served).await);
    client.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(value) = authorization {
        request.metadata_mut().insert("authorization", value.parse().unwrap());
    }
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(request, PathAndQuery::from_static(path), codec).await.map(|_| ())
}

fn registry_and_objects() -> Server {
    Server { registry: Some(MemoryRegistry::new()), objects: Some(MemoryObjects::new()), ..nothing() }
}

#[tokio::test]
async fn a_call_without_the_secret_is_unauthenticated() {
    let served = serve(registry_and_objects()).await;
    let right = format!("Bearer {}", secret().reveal());
    for path in [
        "/tidegate.internal.v1.RegistryService/Resolve",
        "/tidegate.internal.v1.ObjectsService/Get",
        "/tidegate.internal.v1.ObjectsService/X",
    ] {
        for wrong in
            [None, Some("Bearer "), Some("Bearer wrong"), Some(secret().reveal()), Some(&right[..right.len() - 1])]
        {
            assert_eq!(call(&served, path, wrong).await.unwrap_err().code(), Code::Unauthenticated, "{path} {wrong:?}");
        }
        assert_ne!(call(&served, path, Some(&right)).await.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn an_empty_secret_lets_nobody_in() {
    let served = serve(Server { secret: Some(Secret::new("")), ..registry_and_objects() }).await;
    for empty in ["Bearer ", "Bearer", ""] {
        let status = call(&served, "/tidegate.internal.v1.RegistryService/Resolve", Some(empty)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{empty:?}");
    }
}

#[tokio::test]
async fn to_a_peer_with_the_wrong_secret_the_other_is_away() {
    let served = serve(registry_and_objects()).await;
    let peer = Peer::connect(&format!("http://{}", served.address), &Secret::new("wrong"), None).unwrap();
    let answer = peer.registry().resolve(WebhookKeyHash::of("x")).await;
    assert_eq!(answer, Err(Error::Unavailable("the director")));
}

#[tokio::test]
async fn what_is_no_peer_is_refused_at_once() {
    for url in ["", "localhost:80", "https://localhost:80", "http://", "http://a b"] {
        assert_eq!(Peer::connect(url, &secret(), None).err(), Some(InvalidPeer::Url(url.into())), "{url:?}");
    }
    for wrong in ["", "a\nb"] {
        assert_eq!(Peer::connect("http://localhost:80", &Secret::new(wrong), None).err(), Some(InvalidPeer::Secret));
    }
}

#[tokio::test]
async fn a_malformed_request_names_the_field() {
    let served = serve(registry_and_objects()).await;
    let right = format!("Bearer {}", secret().reveal());
    for (path, field) in [
        ("/tidegate.internal.v1.RegistryService/Resolve", "key_hash"),
        ("/tidegate.internal.v1.RegistryService/Subscribers", "tenant"),
        ("/tidegate.internal.v1.ObjectsService/Create", "actor"),
    ] {
        let status = call(&served, path, Some(&right)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(), [field], "{path}");
    }
}

#[tokio::test]
async fn health_tells_of_the_process_and_of_what_it_serves() {
    let served = serve(registry_and_objects()).await;
    let mut client = HealthClient::new(channel(&served).await);
    let mut check = async |service: &str| {
        let request = HealthCheckRequest { service: service.to_owned() };
        client.check(request).await.map(|answer| answer.get_ref().status().as_str_name()).map_err(|s| s.code())
    };
    assert_eq!(check("").await, Ok("SERVING"));
    assert_eq!(check("tidegate.internal.v1.RegistryService").await, Ok("SERVING"));
    assert_eq!(check("tidegate.internal.v1.TokenAuthorityService").await, Err(Code::NotFound));
    served.health.set_serving(false).await;
    assert_eq!(check("").await, Ok("NOT_SERVING"));
    assert_eq!(check("tidegate.internal.v1.RegistryService").await, Ok("NOT_SERVING"));
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let served = serve(registry_and_objects()).await;
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut client = ServerReflectionClient::new(channel(&served).await);
    let mut answers = client.server_reflection_info(futures::stream::iter([request])).await.unwrap().into_inner();
    let answer: ServerReflectionResponse = answers.next().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { panic!("{answer:?}") };
    let mut names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "tidegate.internal.v1.ObjectsService",
            "tidegate.internal.v1.RegistryService"
        ]
    );
}

#[tokio::test]
async fn a_peer_that_went_away_is_unavailable_and_is_found_again() {
    let served = serve(registry_and_objects()).await;
    let (peer, address) = (served.peer(), served.address);
    let (registry, objects) = (peer.registry(), peer.objects());
    let actor = Actor { tenant: acme(), attribution: "client:1".into() };
    let order = "Order".parse().unwrap();
    registry.resolve(WebhookKeyHash::of("x")).await.unwrap();

    drop(served);
    assert_eq!(registry.resolve(WebhookKeyHash::of("x")).await, Err(Error::Unavailable("the director")));
    let refused = objects.create(&actor, &order, None, &Json::empty_object()).await;
    assert_eq!(refused, Err(Error::Unavailable("the director")));

    let _served = serve_at(registry_and_objects(), address).await;
    // A read is tried again by itself, over a new connection.
    registry.resolve(WebhookKeyHash::of("x")).await.unwrap();
    objects.create(&actor, &order, None, &Json::empty_object()).await.unwrap();
}

#[tokio::test]
async fn a_question_whose_connection_breaks_is_asked_again_and_a_change_is_not() {
    let (registry, objects) = (MemoryRegistry::new(), MemoryObjects::new());
    let role = || Server { registry: Some(registry.clone()), objects: Some(objects.clone()), ..nothing() };
    let served = serve(role()).await;
    let (peer, address) = (served.peer(), served.address);
    registry.gate.forget_permits(usize::MAX);
    objects.gate.forget_permits(usize::MAX);

    let question = peer.registry();
    let question = async { question.resolve(WebhookKeyHash::of("x")).await };
    let change = peer.objects();
    let (actor, order) = (Actor { tenant: acme(), attribution: "client:1".into() }, "Order".parse().unwrap());
    let change = async { change.create(&actor, &order, None, &Json::empty_object()).await };
    let restart = async {
        eventually("both calls", || async {
            (registry.asked() == 1 && objects.told.load(Ordering::SeqCst) == 1).then_some(())
        })
        .await;
        drop(served);
        let served = serve_at(role(), address).await;
        registry.gate.add_permits(10);
        objects.gate.add_permits(10);
        served
    };
    let (found, made, _served) = futures::join!(question, change, restart);
    assert_eq!(found, Ok(Resolved::None));
    assert_eq!(registry.asked(), 2);
    assert_eq!(made, Err(Error::Unavailable("the director")), "it may have been made");
    assert_eq!(objects.told.load(Ordering::SeqCst), 1);
}

/// Knows how often it was asked, and is never ready.
#[derive(Default)]
struct Unready(AtomicUsize);

#[async_trait]
impl TokenAuthority for Unready {
    async fn key_set(&self) -> Result<KeySet, Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Error::Unavailable("the database"))
    }

    async fn is_live(&self, _: ClientId, _: TokenId) -> Result<bool, Error> {
        Err(Error::Unavailable("the database"))
    }
}

#[tokio::test]
async fn a_peer_that_answers_is_not_asked_again() {
    let unready = Arc::new(Unready::default());
    let served = serve(Server { authority: Some(unready.clone()), ..nothing() }).await;
    let authority = served.peer().authority();
    assert_eq!(authority.key_set().await, Err(Error::Unavailable("the database")));
    assert_eq!(unready.0.load(Ordering::SeqCst), 1);
}
