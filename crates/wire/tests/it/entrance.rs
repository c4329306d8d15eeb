//! Who is let in at the broker, and where to: users, tokens, credentials, certificates, permissions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream;
use base64::Engine as _;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa};
use serde_json::{Value, json};
use tidegate_model::Secret;
use tidegate_model::contract::Received;
use tidegate_wire::nats::{Nats, NatsFault, NatsOptions, NatsTls};

use crate::harness::{Broker, eventually, nats_url};

/// Tries once: the broker is there already.
async fn refused(options: NatsOptions) {
    let fault = Nats::connect(NatsOptions { patience: Duration::ZERO, ..options }).await.err().unwrap();
    assert!(matches!(fault, NatsFault::Unreachable(_) | NatsFault::Refused(_)), "{fault}");
}

fn at(broker: &Broker, who: &str) -> NatsOptions {
    NatsOptions::at(broker.url().replace("://", &format!("://{who}")))
}

#[tokio::test]
async fn the_user_of_the_url_is_let_in_and_no_other() {
    let Some(_) = nats_url() else { return };
    let broker = Broker::configured(r#"authorization { users = [{ user: "tide gate", password: "p@ss/w:rd" }] }"#);
    Nats::connect(at(&broker, "tide%20gate:p%40ss%2Fw%3Ard@")).await.unwrap();
    for other in ["", "tide%20gate:wrong@", "token@"] {
        refused(at(&broker, other)).await;
    }
}

#[tokio::test]
async fn the_token_of_the_url_is_let_in_and_no_other() {
    let Some(_) = nats_url() else { return };
    let broker = Broker::configured(r#"authorization { token: "s3cr@t" }"#);
    Nats::connect(at(&broker, "s3cr%40t@")).await.unwrap();
    for other in ["", "wrong@", "s3cr%40t:x@"] {
        refused(at(&broker, other)).await;
    }
}

/// What `nsc` makes: a claim about a key, signed by another one.
fn claim(issuer: &KeyPair, subject: &KeyPair, kind: &str, nats: Value) -> String {
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let mut nats = nats;
    nats["type"] = json!(kind);
    nats["version"] = json!(2);
    let claims = json!({ "jti": kind, "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(), "name": kind, "nats": nats });
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), part(&claims));
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(issuer.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

fn credentials(account: &KeyPair, user: &KeyPair) -> Secret {
    let limits = json!({ "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let (jwt, seed) = (claim(account, user, "user", limits), user.seed().unwrap());
    Secret::new(format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    ))
}

#[tokio::test]
async fn a_user_of_an_operators_account_comes_in_with_credentials() {
    let Some(_) = nats_url() else { return };
    let (operator, account, system) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let limits = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
        "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1 });
    let about = |key: &KeyPair, limits: Value| claim(&operator, key, "account", json!({ "limits": limits }));
    let mut none = limits.clone();
    for unused in ["mem_storage", "disk_storage", "streams", "consumer"] {
        none[unused] = json!(0);
    }
    let broker = Broker::configured(&format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {}, {}: {} }}",
        claim(&operator, &operator, "operator", json!({ "system_account": system.public_key() })),
        system.public_key(),
        account.public_key(),
        about(&account, limits),
        system.public_key(),
        about(&system, none),
    ));
    let known = credentials(&account, &KeyPair::new_user());
    Nats::connect(NatsOptions { credentials: Some(known), ..at(&broker, "") }).await.unwrap();
    refused(at(&broker, "")).await;
    let stranger = credentials(&KeyPair::new_account(), &KeyPair::new_user());
    refused(NatsOptions { credentials: Some(stranger), ..at(&broker, "") }).await;
    let none = NatsOptions { credentials: Some(Secret::new("no credentials")), ..at(&broker, "") };
    let fault = Nats::connect(none).await.err().unwrap();
    assert!(matches!(fault, NatsFault::Credentials), "{fault}");
}

/// Signs certificates into a folder.
struct Authority(CertifiedIssuer<'static, rcgen::KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap())
    }

    fn ca(&self, folder: &Path, name: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, self.0.pem()).unwrap();
        file
    }

    fn issue(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let (certificate, kept) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, params.signed_by(&key, &self.0).unwrap().pem()).unwrap();
        std::fs::write(&kept, key.serialize_pem()).unwrap();
        (certificate, kept)
    }
}

#[tokio::test]
async fn over_tls_each_shows_a_certificate_and_believes_no_strangers() {
    let Some(_) = nats_url() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs, folder) = (Authority::new(), Authority::new(), folder.path());
    let (ca, (certificate, key)) = (ours.ca(folder, "ca.pem"), ours.issue(folder, "broker"));
    let broker = Broker::configured(&format!(
        "tls {{ cert_file: '{}', key_file: '{}', ca_file: '{}', verify: true }}",
        certificate.display(),
        key.display(),
        ca.display(),
    ));
    let known = NatsTls { ca: Some(ca.clone()), identity: Some(ours.issue(folder, "role")) };
    let with = |tls: NatsTls| NatsOptions { tls, ..at(&broker, "") };
    Nats::connect(with(known.clone())).await.unwrap();
    refused(with(NatsTls { identity: None, ..known.clone() })).await;
    refused(with(NatsTls { identity: Some(theirs.issue(folder, "stranger")), ..known.clone() })).await;
    refused(with(NatsTls { ca: Some(theirs.ca(folder, "other.pem")), ..known.clone() })).await;
    let open = Broker::configured("");
    let plain = Nats::connect(NatsOptions { patience: Duration::from_secs(10), ..at(&open, "") }).await.unwrap();
    assert!(plain.is_connected());
    refused(NatsOptions { tls: known, ..at(&open, "") }).await;
}

/// What is documented, as it is documented.
fn documented() -> String {
    let page = include_str!("../../../../docs/apart.md");
    let block = page.split_once("```nats\n").unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

#[tokio::test]
async fn a_publisher_that_is_confined_to_its_tenant_writes_and_hears_nothing_else() {
    let Some(_) = nats_url() else { return };
    let broker = Broker::configured(&documented());
    let nats = Nats::connect(at(&broker, "tidegate:change-me@")).await.unwrap();
    let log = nats.event_log();
    let confined = async_nats::ConnectOptions::with_user_and_password("acme".into(), "change-me-too".into());
    let confined = confined.custom_inbox_prefix("_INBOX_acme").connect(broker.url()).await.unwrap();
    let stream = jetstream::new(confined.clone());
    let event = |id: &str| {
        json!({ "specversion": "1.0", "id": id, "source": "/erp", "type": "x", "data": { "objectId": 1, "new": {} } })
            .to_string()
    };
    let mut all = confined.subscribe("tidegate.>").await.unwrap();
    let mut answers = confined.subscribe("_INBOX.>").await.unwrap();
    for elsewhere in [
        "tidegate.events.other.Order.create",
        "tidegate.events.acme",
        "tidegate.events",
        "tidegate.records.new.acme",
        "tidegate.repeats.acme.x",
        "tidegate.notices",
        "$JS.API.STREAM.PURGE.TIDEGATE_EVENTS",
        "$JS.API.STREAM.DELETE.TIDEGATE_EVENTS",
    ] {
        confined.publish(elsewhere, event(elsewhere).into()).await.unwrap();
    }
    // After all of these, on the same connection.
    for id in ["a", "b"] {
        stream.publish("tidegate.events.acme.Order.create", event(id).into()).await.unwrap().await.unwrap();
    }
    let read = eventually("both", async || log.read(0, 100).await.ok().filter(|read| read.len() >= 2)).await;
    let ids = read.iter().map(|entry| match &entry.received {
        Received::Event(event) => (event.tenant.to_string(), event.id.to_string()),
        Received::Incomprehensible(other) => (String::new(), other.reason.clone()),
    });
    let acme = |id: &str| ("acme".to_owned(), id.to_owned());
    assert_eq!(ids.collect::<Vec<_>>(), [acme("a"), acme("b")]);
    // What it was let hear by then would be here: the broker answered its publishes after having sent it.
    for heard in [&mut all, &mut answers] {
        assert!(futures::FutureExt::now_or_never(futures::StreamExt::next(heard)).flatten().is_none());
    }
}
