//! Credentials on calls, against third parties of ours over sockets: an API, and a token endpoint as RFC 6749 has it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;
use tidegate_engine::{Attach, Egress, EgressError, NoToken, NotAttached, NotSent, Policy, Request};
use tidegate_model::{
    AuthStyle, ManualClock, Material, OAuth2Client, Secret, SigningSecret, SigningSecretId, SystemClock,
    SystemRandomness, TenantId, Timestamp,
};

use crate::http::{Answer, Received, Server, header, serve};
use crate::vault::Kept;

struct World {
    vault: Arc<Kept>,
    clock: Arc<ManualClock>,
    attach: Attach,
}

fn world() -> World {
    let (vault, clock) = (Arc::new(Kept::default()), Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)));
    let attach = Attach::new(vault.clone(), Egress::new(Policy::allowing_loopback()).unwrap(), clock.clone());
    World { vault, clock, attach }
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

impl World {
    fn keep(&self, name: &str, material: Material) {
        self.keep_for(name, &["127.0.0.1"], material);
    }

    fn keep_for(&self, name: &str, hosts: &[&str], material: Material) {
        self.vault.keep(name, hosts, material);
    }

    /// The header that comes to be on a call, and which one it is said to be.
    async fn attached(&self, name: &str, request: &mut Request) -> Result<(String, String), NotAttached> {
        let attached = self.attach.attach(&acme(), name, request).await?;
        let mut same = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(attached.header()));
        let value = same.next().unwrap().1.clone();
        assert_eq!(same.next(), None, "twice");
        Ok((attached.header().to_owned(), value))
    }
}

fn call(url: &str) -> Request {
    Request {
        method: ::http::Method::POST,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Some("body".into()),
        timeout: Duration::from_secs(10),
        max_response: 1024,
    }
}

fn bearer(token: &str) -> Material {
    Material::Bearer { token: Secret::new(token) }
}

fn client(token_url: &str, auth_style: AuthStyle) -> OAuth2Client {
    OAuth2Client {
        token_url: token_url.to_owned(),
        client_id: "id:with colon".to_owned(),
        client_secret: Secret::new("s&cret+ü"),
        scope: Some("orders read".to_owned()),
        auth_style,
    }
}

#[tokio::test]
async fn each_kind_goes_into_its_header_in_the_place_of_what_the_caller_wrote_there() {
    let world = world();
    world.keep("basic", Material::Basic { username: "ann".into(), password: Secret::new("p:w") });
    world.keep("bearer", bearer("tok"));
    world.keep("header", Material::Header { name: "X-Api-Key".into(), value: Secret::new("key") });
    for (name, header, value) in [
        ("basic", "authorization", format!("Basic {}", STANDARD.encode("ann:p:w"))),
        ("bearer", "authorization", "Bearer tok".to_owned()),
        ("header", "x-api-key", "key".to_owned()),
    ] {
        let mut request = call("http://127.0.0.1:1/");
        for own in ["Authorization", "AUTHORIZATION", "x-api-Key"] {
            request.headers.push((own.to_owned(), "the script's".to_owned()));
        }
        assert_eq!(world.attached(name, &mut request).await, Ok((header.to_owned(), value)), "{name}");
    }
}

#[tokio::test]
async fn no_credential_takes_the_place_of_a_header_of_the_platforms() {
    let world = world();
    for header in ["webhook-signature", "Traceparent", "metadata", "Host", "content-type"] {
        world.keep("header", Material::Header { name: header.into(), value: Secret::new("static-1") });
        let mut request = call("http://127.0.0.1:1/");
        let refused = world.attached("header", &mut request).await.unwrap_err();
        assert_eq!(refused, NotAttached::NotItsHeader { name: "header".into(), header: header.into() });
        assert!(request.headers.is_empty() && !refused.is_transient());
    }
}

#[tokio::test]
async fn a_secret_goes_to_allowed_hosts_alone() {
    let world = world();
    world.keep_for("shop", &["api.example.com", "*.example.org"], bearer("canary"));
    for (url, allowed) in [
        ("https://api.example.com/x", true),
        ("http://a.b.example.org:8080/", true),
        ("https://api.example.com.evil.test/", false),
        ("https://api.example.com@evil.test/", false),
        ("https://evil.test/?api.example.com", false),
        ("https://evil.test#@api.example.com", false),
        ("https://example.org/", false),
        ("ftp://api.example.com/", false),
    ] {
        let mut request = call(url);
        let attached = world.attach.attach(&acme(), "shop", &mut request).await;
        assert_eq!(attached.is_ok(), allowed, "{url} {attached:?}");
        assert_eq!(request.headers.is_empty(), !allowed, "{url}");
        let text = attached.map_or_else(|e| format!("{e} {e:?}"), |a| format!("{a:?}"));
        assert!(!text.contains("canary"), "{text}");
    }
    let mut request = call("nonsense");
    let refused = world.attach.attach(&acme(), "shop", &mut request).await;
    assert!(matches!(refused, Err(NotAttached::InvalidUrl(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_not_there_or_only_signs_is_not_attached() {
    let world = world();
    world.keep("shop", bearer("t"));
    let id = SigningSecretId::generate(&SystemClock, &SystemRandomness);
    let secret = SigningSecret { id, secret: Secret::new("whsec_x"), created_at: Timestamp::UNIX_EPOCH };
    world.keep_for("hooks", &[], Material::Signing { secrets: vec![secret] });
    let mut request = call("http://127.0.0.1:1/");
    let unknown = world.attach.attach(&acme(), "nothing", &mut request).await.unwrap_err();
    assert_eq!(unknown, NotAttached::Unknown("nothing".into()));
    let other: TenantId = "other".parse().unwrap();
    let foreign = world.attach.attach(&other, "shop", &mut request).await.unwrap_err();
    assert_eq!(foreign, NotAttached::Unknown("shop".into()));
    let signs = world.attach.attach(&acme(), "hooks", &mut request).await.unwrap_err();
    assert_eq!(signs, NotAttached::OnlySigns("hooks".into()));
    assert!(!unknown.is_transient() && !signs.is_transient() && request.headers.is_empty());
}

/// A token endpoint that gives `token-1`, `token-2`, ... and an API that takes the newest alone.
#[derive(Default)]
struct ThirdParty {
    seen: Mutex<Vec<Received>>,
    valid: Mutex<Vec<String>>,
    /// What the token endpoint answers instead.
    instead: Mutex<Option<(u16, String)>>,
    expires_in: Mutex<Option<i64>>,
}

impl ThirdParty {
    async fn open() -> (Arc<Self>, Server) {
        let third = Arc::new(Self::default());
        let served = third.clone();
        (third, serve(move |received| served.answer(received)).await)
    }

    fn answer(&self, received: &Received) -> Answer {
        if received.path != "/token" {
            let given = header(received, "authorization").unwrap_or_default();
            let valid = self.valid.lock().unwrap().iter().any(|token| given == format!("Bearer {token}"));
            let status = if valid { 200 } else { 401 };
            return Answer { status, headers: vec![], body: given.to_owned() };
        }
        let mut seen = self.seen.lock().unwrap();
        seen.push(received.clone());
        if let Some((status, body)) = self.instead.lock().unwrap().clone() {
            return Answer { status, headers: vec![], body };
        }
        let token = format!("token-{}", seen.len());
        *self.valid.lock().unwrap() = vec![token.clone()];
        let mut granted = json!({ "access_token": token, "token_type": "bearer" });
        if let Some(seconds) = *self.expires_in.lock().unwrap() {
            granted["expires_in"] = json!(seconds);
        }
        Answer::ok(&granted.to_string())
    }

    fn asked(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn answers(&self, status: u16, body: &str) {
        *self.instead.lock().unwrap() = Some((status, body.to_owned()));
    }
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_rfc_has_it_in_either_style() {
    let world = world();
    let (third, server) = ThirdParty::open().await;
    world.keep("in the header", Material::OAuth2(client(&server.url("/token"), AuthStyle::Basic)));
    world.keep("in the form", Material::OAuth2(client(&server.url("/token"), AuthStyle::Post)));
    for name in ["in the header", "in the form"] {
        let mut request = call(&server.url("/api"));
        world.attached(name, &mut request).await.unwrap();
    }
    let seen = third.seen.lock().unwrap();
    let pair = STANDARD.encode("id%3Awith+colon:s%26cret%2B%C3%BC");
    let common = "grant_type=client_credentials&scope=orders+read";
    assert_eq!(header(&seen[0], "authorization"), Some(&*format!("Basic {pair}")));
    assert_eq!(seen[0].body, common);
    assert_eq!(header(&seen[1], "authorization"), None);
    assert_eq!(seen[1].body, format!("{common}&client_id=id%3Awith+colon&client_secret=s%26cret%2B%C3%BC"));
    for received in &*seen {
        assert_eq!(received.method, "POST");
        assert_eq!(header(received, "content-type"), Some("application/x-www-form-urlencoded"));
    }
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end_and_asked_for_once_by_many() {
    let world = world();
    let (third, server) = ThirdParty::open().await;
    *third.expires_in.lock().unwrap() = Some(3600);
    world.keep("shop", Material::OAuth2(client(&server.url("/token"), AuthStyle::Basic)));
    let url = server.url("/api");
    let send = || world.attach.send(acme_static(), "shop", call(&url));
    let answers = join_all((0..20).map(|_| send())).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().0.body == "Bearer token-1"));
    assert_eq!(third.asked(), 1);
    world.clock.advance(TimeDelta::seconds(3569));
    send().await.unwrap();
    assert_eq!(third.asked(), 1);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(send().await.unwrap().0.body, "Bearer token-2");
    assert_eq!(third.asked(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_the_call_is_made_again() {
    let world = world();
    let (third, server) = ThirdParty::open().await;
    world.keep("shop", Material::OAuth2(client(&server.url("/token"), AuthStyle::Basic)));
    world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.unwrap();
    third.valid.lock().unwrap().clear();
    let (response, attached) = world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.unwrap();
    assert_eq!((response.status, response.body.as_ref(), third.asked()), (200, &b"Bearer token-2"[..], 2));

    // One that refuses everything is not asked for ever.
    let refusing = serve(|_| Answer { status: 401, headers: vec![], body: String::new() }).await;
    let (response, _) = world.attach.send(&acme(), "shop", call(&refusing.url("/api"))).await.unwrap();
    assert_eq!((response.status, third.asked()), (401, 3));
    assert!(!format!("{attached:?}").contains("token-"), "{attached:?}");

    // What was refused before the token was renewed ends no newer one.
    assert!(world.attach.refused(&attached).await);
    world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.unwrap();
    assert_eq!(third.asked(), 3);
}

#[tokio::test]
async fn a_credential_that_was_changed_asks_anew() {
    let world = world();
    let (third, server) = ThirdParty::open().await;
    let first = client(&server.url("/token"), AuthStyle::Basic);
    world.keep("shop", Material::OAuth2(first.clone()));
    world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.unwrap();
    world.keep("shop", Material::OAuth2(OAuth2Client { client_secret: Secret::new("another"), ..first }));
    world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.unwrap();
    assert_eq!(third.asked(), 2);
}

#[tokio::test]
async fn a_refusal_is_told_without_secrets_and_not_repeated_at_once() {
    let world = world();
    let (third, server) = ThirdParty::open().await;
    world.keep("shop", Material::OAuth2(client(&server.url("/token"), AuthStyle::Basic)));
    let refused = async || {
        let not_sent = world.attach.send(&acme(), "shop", call(&server.url("/api"))).await.map(drop).unwrap_err();
        world.clock.advance(TimeDelta::seconds(1));
        not_sent
    };
    third.answers(401, r#"{"error":"invalid_client","error_description":"s&cret+ü is wrong"}"#);
    let burst = join_all((0..5).map(|_| world.attach.send(acme_static(), "shop", call("http://127.0.0.1:1/")))).await;
    assert!(burst.iter().all(Result::is_err));
    assert_eq!(third.asked(), 1);
    world.clock.advance(TimeDelta::seconds(1));
    let error = refused().await;
    let text = "credential \"shop\": its token endpoint answered 401: invalid_client";
    assert_eq!((error.to_string().as_str(), error.is_transient()), (text, false));

    world.keep(
        "shop",
        Material::OAuth2(OAuth2Client {
            client_secret: Secret::new("oasecret"),
            ..client(&server.url("/token"), AuthStyle::Post)
        }),
    );
    third.answers(400, r#"{"error":"oasecret"}"#);
    assert_eq!(refused().await.to_string(), "credential \"shop\": its token endpoint answered 400: ***");
    third.answers(503, "<html>");
    assert!(refused().await.is_transient());
    for body in [
        "{}",
        "no json",
        r#"{"access_token":"a b","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"mac"}"#,
    ] {
        third.answers(200, body);
        let error = refused().await;
        let malformed = matches!(&error, NotSent::NotAttached(NotAttached::NoToken { why: NoToken::Malformed(_), .. }));
        assert!(malformed && !error.is_transient(), "{error}");
    }
    world.keep("inside", Material::OAuth2(client("http://10.0.0.1/token", AuthStyle::Basic)));
    let guarded = world.attach.send(&acme(), "inside", call(&server.url("/api"))).await.map(drop).unwrap_err();
    let refused = matches!(
        &guarded,
        NotSent::NotAttached(NotAttached::NoToken { why: NoToken::Unreached(EgressError::Refused { .. }), .. })
    );
    assert!(refused && !guarded.is_transient(), "{guarded}");
}

/// The tenant, for calls that are made at once.
fn acme_static() -> &'static TenantId {
    static ACME: std::sync::OnceLock<TenantId> = std::sync::OnceLock::new();
    ACME.get_or_init(acme)
}
