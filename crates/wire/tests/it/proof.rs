//! Services that are known by client credentials of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use chrono::TimeDelta;
use tidegate_model::contract::{Verifier, WebhookKeyHash};
use tidegate_model::{Caller, ClientId, ClientOwner, Error, ManualClock, Scope, Secret};
use tidegate_wire::grpc::{Peer, PeerTokens, Proof, Server};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::captured::Captured;
use crate::harness::{Served, eventually, nothing, secret, serve};
use crate::memory::MemoryRegistry;

/// A token endpoint: gives out the word it was told, or refuses.
struct Issuer {
    word: Mutex<Option<&'static str>>,
    asked: AtomicUsize,
    forms: Mutex<Vec<String>>,
    url: String,
}

impl Issuer {
    async fn start(word: Option<&'static str>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, forms) = (AtomicUsize::new(0), Mutex::default());
        let issuer = Arc::new(Self { word: Mutex::new(word), asked, forms, url });
        let routes = axum::Router::new().route("/oauth2/token", post(answer)).with_state(issuer.clone());
        TaskTracker::new().spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    async fn tells(&self, word: Option<&'static str>) {
        *self.word.lock().await = word;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(issuer): State<Arc<Issuer>>, form: String) -> Response {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    issuer.forms.lock().await.push(form);
    match *issuer.word.lock().await {
        Some(word) => {
            format!(r#"{{ "access_token": "{word}", "token_type": "Bearer", "expires_in": 100 }}"#).into_response()
        }
        None => (axum::http::StatusCode::UNAUTHORIZED, r#"{ "error": "invalid_client" }"#).into_response(),
    }
}

/// Takes the names of owners for their tokens.
struct ByName;

#[async_trait]
impl Verifier for ByName {
    async fn verify(&self, token: &str) -> Result<Caller, Error> {
        let owner = match token {
            "service" | "another" => ClientOwner::Service("gateway".to_owned()),
            "administrator" => ClientOwner::Administrator,
            "away" => return Err(Error::Unavailable("the token authority")),
            _ => return Err(Error::Unauthorized("no token")),
        };
        Ok(Caller { client: ClientId(uuid::Uuid::nil()), owner, scopes: Scope::all() })
    }
}

async fn served() -> Served {
    let registry = Some(MemoryRegistry::new() as Arc<_>);
    serve(Server { secret: None, verifier: Some(Arc::new(ByName)), registry, ..nothing() }).await
}

fn tokens(issuer: &Issuer, clock: &Arc<ManualClock>) -> Proof {
    let client = ClientId(uuid::Uuid::nil());
    Proof::Tokens(Arc::new(PeerTokens::new(&issuer.url, client, &Secret::new("a&b"), None, clock.clone()).unwrap()))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap()))
}

async fn resolve(peer: &Peer) -> Result<(), Error> {
    peer.registry().resolve(WebhookKeyHash::of("x")).await.map(drop)
}

async fn is_away(peer: &Peer) -> bool {
    matches!(resolve(peer).await, Err(Error::Unavailable(_)))
}

#[tokio::test]
async fn a_service_is_let_in_by_a_token_of_its_own() {
    let (served, issuer) = (served().await, Issuer::start(Some("service")).await);
    let peer = Peer::connect(&format!("http://{}", served.address), tokens(&issuer, &clock()), None).unwrap();
    for _ in 0..3 {
        resolve(&peer).await.unwrap();
    }
    assert_eq!(issuer.asked(), 1, "one token for many calls");
    let form = issuer.forms.lock().await.remove(0);
    assert!(
        form.starts_with("grant_type=client_credentials&client_id=") && form.ends_with("&client_secret=a%26b"),
        "{form}"
    );
}

#[tokio::test]
async fn whoever_is_no_service_stays_outside() {
    let served = served().await;
    let url = format!("http://{}", served.address);
    for word in ["administrator", "away", "nonsense"] {
        let issuer = Issuer::start(Some(word)).await;
        assert!(is_away(&Peer::connect(&url, tokens(&issuer, &clock()), None).unwrap()).await, "{word}");
    }
    assert!(is_away(&Peer::connect(&url, &secret(), None).unwrap()).await, "the shared secret is none here");
}

#[tokio::test]
async fn a_token_is_renewed_in_time_and_shown_on_while_the_issuer_is_away() {
    let (served, issuer, clock) = (served().await, Issuer::start(Some("service")).await, clock());
    let peer = Peer::connect(&format!("http://{}", served.address), tokens(&issuer, &clock), None).unwrap();
    resolve(&peer).await.unwrap();
    clock.advance(TimeDelta::seconds(51));
    issuer.tells(None).await;
    resolve(&peer).await.unwrap();
    assert_eq!(issuer.asked(), 2, "more than half of its life is over");
    issuer.tells(Some("another")).await;
    eventually("it asks again", async || {
        resolve(&peer).await.unwrap();
        (issuer.asked() == 3).then_some(())
    })
    .await;
    resolve(&peer).await.unwrap();
    assert_eq!(issuer.asked(), 3);
    clock.advance(TimeDelta::seconds(101));
    issuer.tells(None).await;
    assert!(is_away(&peer).await, "no token, no call");
}

#[tokio::test]
async fn a_token_that_a_peer_refuses_is_fetched_anew() {
    let (served, issuer) = (served().await, Issuer::start(Some("nonsense")).await);
    let peer = Peer::connect(&format!("http://{}", served.address), tokens(&issuer, &clock()), None).unwrap();
    assert!(is_away(&peer).await);
    issuer.tells(Some("service")).await;
    eventually("it is let in", async || resolve(&peer).await.ok()).await;
}

#[tokio::test]
async fn whoever_is_refused_asks_for_no_token_with_every_call() {
    let served = served().await;
    // Both: no token at all, and one that does not do.
    for word in [None, Some("nonsense")] {
        let issuer = Issuer::start(word).await;
        let peer = Peer::connect(&format!("http://{}", served.address), tokens(&issuer, &clock()), None).unwrap();
        let began = Instant::now();
        for _ in 0..200 {
            assert!(is_away(&peer).await);
        }
        let most = 2 + usize::try_from(began.elapsed().as_secs()).unwrap();
        assert!((1..=most).contains(&issuer.asked()), "{word:?}: {} of at most {most}", issuer.asked());
    }
}

#[tokio::test]
async fn whoever_is_called_at_a_wrong_address_is_away_and_the_log_says_which_address() {
    let (issuer, director, captured) = (Issuer::start(Some("service")).await, served().await, Captured::listen());
    let director = format!("http://{}", director.address);

    // Nothing but a token endpoint: to the director's callers a web server that does not know what they ask.
    let peer = Peer::connect(&issuer.url, &secret(), None).unwrap();
    assert!(is_away(&peer).await);
    assert!(matches!(peer.authority().key_set().await, Err(Error::Unavailable(_))));
    // A role that is another one: it speaks gRPC and does not know the call.
    let other = Peer::connect(&director, tokens(&issuer, &clock()), None).unwrap();
    assert!(matches!(other.authority().key_set().await, Err(Error::Unavailable(_))));
    let client = ClientId(uuid::Uuid::nil());
    let tokens = PeerTokens::new(&director, client, &Secret::new("swordfish"), None, clock()).unwrap();
    assert!(is_away(&Peer::connect(&director, Proof::Tokens(Arc::new(tokens)), None).unwrap()).await);

    let log = captured.text();
    let is_said = |address: &str, cause: &str| log.lines().any(|line| line.contains(address) && line.contains(cause));
    assert!(is_said(&issuer.url, "no director is there"), "{log}");
    assert!(is_said(&director, "no credentials role is there"), "{log}");
    assert!(is_said(&director, "no token endpoint is there"), "{log}");
    assert!(!log.contains("check peers.client_id") && !log.contains("swordfish"), "{log}");
}
