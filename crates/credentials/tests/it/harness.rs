//! A service with a clock that is moved by hand, an authority that can be sent away, and the ways tests talk to them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use chrono::DateTime;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tidegate_credentials::{ClientStore, Credentials, Options, Parts, TokenVerifier};
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{
    Client, ClientId, ClientOwner, Clock as _, Error, IntegrationSystem, IntegrationSystemId, ManualClock, Scope,
    Secret, SystemRandomness, TokenId,
};
use tidegate_storage::{DatabaseUrl, Sealer, Store};
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "https://tidegate.example";

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) credentials: Credentials,
    pub(crate) authority: Arc<Authority>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) fn sealer(key: u8) -> Sealer {
    Sealer::new(&[key; 32], Arc::new(SystemRandomness)).unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()))
}

pub(crate) async fn store() -> Arc<dyn Store> {
    let options = tidegate_storage::Options { url: DatabaseUrl::memory(), max_connections: 1, clock: clock() };
    tidegate_storage::open(&options).await.unwrap().store
}

pub(crate) async fn build(store: Arc<ClientStore>, clock: Arc<ManualClock>) -> Result<Credentials, Error> {
    let parts = Parts { store, sealer: sealer(7), clock, randomness: Arc::new(SystemRandomness) };
    Credentials::build(Options::new(&format!("{ISSUER}/")), parts).await
}

impl World {
    pub(crate) async fn new() -> Self {
        let (store, clock) = (store().await, clock());
        let credentials = build(store.clone(), clock.clone()).await.unwrap();
        let authority = Arc::new(Authority::over(credentials.authority()));
        Self { store, clock, credentials, authority }
    }

    /// Registers an Integration System with a client.
    pub(crate) async fn client(&self, scopes: &[&str]) -> (Client, Secret) {
        let system = IntegrationSystem {
            id: IntegrationSystemId::generate(self.clock.as_ref(), &SystemRandomness),
            name: Secret::generate("system-", &SystemRandomness).reveal().to_lowercase(),
            description: None,
        };
        self.store.insert_integration_system(&system).await.unwrap();
        let secret = Secret::generate("tgs_", &SystemRandomness);
        let client = Client::new(
            ClientId::generate(self.clock.as_ref(), &SystemRandomness),
            ClientOwner::IntegrationSystem(system.id),
            scopes.iter().map(|text| text.parse::<Scope>().unwrap()).collect::<BTreeSet<_>>(),
            self.clock.now(),
            secret.hash(),
        );
        self.store.insert_client(&client).await.unwrap();
        (client, secret)
    }

    pub(crate) fn verifier(&self) -> TokenVerifier {
        TokenVerifier::new(self.authority.clone(), ISSUER, ISSUER, self.clock.clone())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        call(self.credentials.router(), Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post_form(&self, form: &str) -> Answer {
        let request = Request::post("/oauth2/token").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        call(self.credentials.router(), request.body(Body::from(form.to_owned())).unwrap()).await
    }

    pub(crate) async fn post_basic(&self, id: &str, secret: &str, form: &str) -> Answer {
        self.post_basic_to("/oauth2/token", id, secret, form).await
    }

    pub(crate) async fn post_basic_to(&self, path: &str, id: &str, secret: &str, form: &str) -> Answer {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Basic {pair}"));
        call(self.credentials.router(), request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// An operator's client, whose secret is `operator`.
    pub(crate) async fn operator(&self) -> ClientId {
        let id = ClientId::generate(self.clock.as_ref(), &SystemRandomness);
        let owner = ClientOwner::Administrator;
        let client = Client::new(id, owner, Scope::all(), self.clock.now(), Secret::new("operator").hash());
        self.store.insert_client(&client).await.unwrap();
        id
    }

    /// A client with its secret, and a token of it.
    pub(crate) async fn with_token(&self) -> (Client, String, String) {
        let (client, secret) = self.client(&["logic:read", "object:write"]).await;
        let secret = secret.reveal().to_owned();
        let form = "grant_type=client_credentials&scope=logic:read";
        let issued = self.post_basic(&client.id.to_string(), &secret, form).await;
        let token = issued.body["access_token"].as_str().unwrap().to_owned();
        (client, secret, token)
    }

    /// A token of a new client with these scopes.
    pub(crate) async fn token(&self, scopes: &[&str]) -> (Client, String) {
        let (client, secret) = self.client(scopes).await;
        let answer = self.post_basic(&client.id.to_string(), secret.reveal(), "grant_type=client_credentials").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        (client, answer.body["access_token"].as_str().unwrap().to_owned())
    }
}

pub(crate) async fn call(router: Router, request: Request<Body>) -> Answer {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status: head.status, headers: head.headers, body }
}

/// The real authority, counted, and away when it is told to be.
pub(crate) struct Authority {
    inner: Mutex<Arc<dyn TokenAuthority>>,
    pub(crate) away: AtomicBool,
    pub(crate) key_questions: AtomicUsize,
    pub(crate) client_questions: AtomicUsize,
}

impl Authority {
    pub(crate) fn over(inner: Arc<dyn TokenAuthority>) -> Self {
        Self { inner: Mutex::new(inner), away: false.into(), key_questions: 0.into(), client_questions: 0.into() }
    }

    pub(crate) fn become_that_of(&self, other: Arc<dyn TokenAuthority>) {
        *self.inner.lock().unwrap() = other;
    }

    fn reach(&self) -> Result<Arc<dyn TokenAuthority>, Error> {
        let is_away = self.away.load(Ordering::SeqCst);
        if is_away { Err(Error::Unavailable("the token authority")) } else { Ok(self.inner.lock().unwrap().clone()) }
    }
}

#[async_trait]
impl TokenAuthority for Authority {
    async fn key_set(&self) -> Result<KeySet, Error> {
        self.key_questions.fetch_add(1, Ordering::SeqCst);
        self.reach()?.key_set().await
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        self.client_questions.fetch_add(1, Ordering::SeqCst);
        self.reach()?.is_live(client, token).await
    }
}
