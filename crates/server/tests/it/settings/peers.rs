//! How roles that are apart find and know each other.

use std::path::Path;

use super::*;
use crate::harness::authority::Authority;

pub(super) async fn the_gateway_asks_there() {
    let nowhere = format!("http://127.0.0.1:{}", ports::free());
    refused_apart("PEERS__DIRECTOR", &nowhere, |running| running.gateway("/webhook/some-key")).await;
}

pub(super) async fn the_director_asks_there() {
    let nowhere = format!("http://127.0.0.1:{}", ports::free());
    refused_apart("PEERS__CREDENTIALS", &nowhere, |running| running.director("/v1/events")).await;
}

pub(super) async fn another_one_is_refused() {
    let shared = [("PEERS__SECRET", "the-secret-between-the-tests-roles")];
    refused_to_the_gateway(&shared, "PEERS__SECRET", "another-secret-than-the-others-have").await;
}

pub(super) async fn who_is_no_service_is_refused() {
    refused_to_the_gateway(&[], "PEERS__CLIENT_ID", "01890000-0000-7000-8000-000000000009").await;
}

pub(super) async fn who_has_another_client_secret_is_refused() {
    refused_to_the_gateway(&[], "PEERS__CLIENT_SECRET", "tgs_another-secret-than-its-own").await;
}

/// A gateway that cannot prove that it is one answers, but that it cannot ask.
async fn refused_to_the_gateway(settings: &[(&str, &str)], setting: &str, value: &str) {
    let Some(mut running) = Tidegate::start_with(Mode::Apart, settings).await else { return };
    let key = running.gateway("/webhook/some-key");
    assert_eq!(http().post(&key).send().await.unwrap().status(), 404);
    running.replace(2, &[(setting, value)]).await;
    assert!(http().post(&key).send().await.unwrap().status().is_server_error());
}

/// A process that looks for its peer in the wrong place answers, but that it cannot.
async fn refused_apart(setting: &str, value: &str, url: impl Fn(&Tidegate) -> String) {
    let Some(mut running) = Tidegate::start(Mode::Apart).await else { return };
    let which = if setting == "PEERS__DIRECTOR" { 2 } else { 1 };
    let ask = || http().post(url(&running)).bearer_auth(unknown_token()).body("{}").send();
    let status = ask().await.unwrap().status();
    assert!(status.is_client_error(), "{status}");
    running.replace(which, &[(setting, value)]).await;
    let status = http().post(url(&running)).bearer_auth(unknown_token()).body("{}").send().await.unwrap().status();
    assert!(status.is_server_error(), "{status}");
}

/// Well-formed, of a key that the verifier has to ask for.
fn unknown_token() -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"ES256","typ":"at+jwt","kid":"unknown"}"#), part("{}"), part(&"x".repeat(64)))
}

/// Everything that TLS between the roles takes.
pub(crate) fn secured(authority: &Authority) -> Vec<(&'static str, String)> {
    let ([certificate, key], ca) = (authority.issue("role"), authority.ca());
    let text = |path: &Path| path.display().to_string();
    vec![
        ("HTTP__TLS_CERTIFICATE", text(&certificate)),
        ("HTTP__TLS_KEY", text(&key)),
        ("HTTP__CLIENT_CA", text(&ca)),
        ("PEERS__CA", text(&ca)),
        ("PEERS__CERTIFICATE", text(&certificate)),
        ("PEERS__KEY", text(&key)),
    ]
}

/// What a gateway can do that differs from the others in these settings, and with the right ones again.
async fn gateway_with(different: impl Fn(&Authority) -> Vec<(&'static str, String)>) -> Option<[u16; 2]> {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let settings = secured(&ours);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut running = Tidegate::start_with(Mode::Apart, &settings).await?;
    let different = different(&theirs);
    let different: Vec<_> = different.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut told = [0; 2];
    for (told, settings) in told.iter_mut().zip([&different, &settings]) {
        running.replace(2, settings).await;
        *told = http().post(running.gateway("/webhook/some-key")).send().await.unwrap().status().as_u16();
    }
    Some(told)
}

pub(super) async fn nobody_is_a_peer_without_a_certificate_of_it() {
    let without = [("PEERS__CERTIFICATE", String::new()), ("PEERS__KEY", String::new())];
    let Some(told) = gateway_with(|_| without.to_vec()).await else { return };
    assert_eq!(told, [503, 404]);
}

pub(super) async fn nobody_elses_certificate_is_believed() {
    let Some(told) = gateway_with(|theirs| vec![("PEERS__CA", theirs.ca().display().to_string())]).await else {
        return;
    };
    assert_eq!(told, [503, 404]);
}

pub(super) async fn the_others_believe_no_certificate_of_somebody_else() {
    let different = |theirs: &Authority| {
        let [certificate, key] = theirs.issue("role").map(|path| path.display().to_string());
        vec![("PEERS__CERTIFICATE", certificate), ("PEERS__KEY", key)]
    };
    let Some(told) = gateway_with(different).await else { return };
    assert_eq!(told, [503, 404]);
}

/// Starts `tidegate serve webhook-gateway` with these settings besides those that it needs, which is refused.
fn refused_with(settings: &[(&str, &Path)], parts: &[&str]) {
    let mut command = tidegate();
    command.args(["serve", "webhook-gateway", "--http-listen", &format!("127.0.0.1:{}", ports::free())]);
    command.env("TIDEGATE_BUS__URL", "nats://127.0.0.1:1").env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles");
    command.env("TIDEGATE_PEERS__DIRECTOR", "https://127.0.0.1:1");
    command.envs(settings.iter().map(|(name, path)| (format!("TIDEGATE_{name}"), path)));
    ended(&mut command).is_refused_with(parts);
}

pub(super) async fn its_certificate_goes_with_it() {
    let authority = Authority::new("ours");
    let [certificate, key] = authority.issue("role");
    let [_, other] = authority.issue("other");
    let ca = authority.ca();
    refused_with(&[], &["peers.ca", "is missing", "https"]);
    refused_with(&[("PEERS__CA", &ca), ("PEERS__KEY", &key)], &["peers.certificate", "is missing"]);
    refused_with(&[("PEERS__CA", &ca), ("PEERS__CERTIFICATE", &certificate)], &["peers.key", "is missing"]);
    let mixed = [("PEERS__CA", &*ca), ("PEERS__CERTIFICATE", &certificate), ("PEERS__KEY", &other)];
    refused_with(&mixed, &["peers.certificate", "cannot be used"]);
    refused_with(&[("PEERS__CA", &authority.folder().join("nothing"))], &["peers.ca", "cannot be read"]);
}

pub(super) async fn it_is_shown_and_nothing_is_said_without_tls() {
    let authority = Authority::new("ours");
    let [certificate, key] = authority.issue("server").map(|path| path.display().to_string());
    let running = together(&[("HTTP__TLS_CERTIFICATE", &certificate), ("HTTP__TLS_KEY", &key)]).await;
    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let strict =
        |roots: Vec<reqwest::Certificate>| reqwest::Client::builder().no_proxy().tls_certs_only(roots).build().unwrap();
    let healthz = running.gateway("/healthz");
    assert_eq!(strict(vec![root]).get(&healthz).send().await.unwrap().status(), 200);
    let other = reqwest::Certificate::from_pem(Authority::new("theirs").pem().as_bytes()).unwrap();
    assert!(strict(vec![other]).get(&healthz).send().await.is_err(), "it is the one that was signed");
    assert!(http().get(healthz.replace("https:", "http:")).send().await.is_err());
    // Its own URLs say so.
    let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
    assert!(incoming["webhookUrl"].as_str().unwrap().starts_with("https://"), "{incoming}");
    assert_eq!(post(&incoming).await, 200);
}

pub(super) async fn it_goes_with_no_other_certificate() {
    let authority = Authority::new("ours");
    let ([certificate, key], [_, other]) = (authority.issue("server"), authority.issue("other"));
    let ca = authority.ca();
    let listening = [("PEERS__CA", &*ca), ("HTTP__TLS_CERTIFICATE", &certificate), ("HTTP__TLS_KEY", &other)];
    refused_with(&listening, &["http.tls_key", "cannot be used"]);
    refused_with(&[("PEERS__CA", &ca), ("HTTP__TLS_KEY", &key)], &["http.tls_certificate", "is missing"]);
    refused_with(&[("PEERS__CA", &ca), ("HTTP__CLIENT_CA", &ca)], &["http.tls_certificate", "is missing"]);
}
