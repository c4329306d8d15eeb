mod senders;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::digest;
use ring::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Deserialize;
use tidegate_model::{
    Credential, CredentialId, GenericSignature, HttpMethod, Material, Secret, SignatureAlgorithm, SignatureEncoding,
    SigningSecret, SigningSecretId,
};
use uuid::Uuid;

use super::*;
use senders::*;

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://gate.example/webhook/KEY?a=1&b=2";

type Headers = Vec<(String, String)>;

fn open(material: Material) -> Arc<OpenCredential> {
    let time = DateTime::UNIX_EPOCH;
    let credential = Credential {
        id: CredentialId(Uuid::nil()),
        tenant: "acme".parse().unwrap(),
        name: "partner".to_owned(),
        kind: material.kind(),
        description: None,
        allowed_hosts: Vec::new(),
        created_at: time,
        updated_at: time,
    };
    Arc::new(OpenCredential { credential, material })
}

fn signing(secrets: &[&str]) -> Arc<OpenCredential> {
    let one = |text: &&str| SigningSecret {
        id: SigningSecretId(Uuid::nil()),
        secret: Secret::new(*text),
        created_at: DateTime::UNIX_EPOCH,
    };
    open(Material::Signing { secrets: secrets.iter().map(one).collect() })
}

fn evidence(url: &str, headers: &[(String, String)], body: &[u8], now: i64) -> Evidence {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let body = Bytes::copy_from_slice(body);
    let time = DateTime::from_timestamp(now, 0).unwrap();
    Evidence { method: HttpMethod::Post, url: url.to_owned(), headers: map, received: body.clone(), body, time }
}

fn settings(scheme: SignatureScheme) -> SignatureSettings {
    SignatureSettings { scheme, credentials: vec!["partner".to_owned()], tolerance_seconds: None }
}

fn mac(algorithm: hmac::Algorithm, secret: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret.as_ref()), text.as_ref()).as_ref().to_vec()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

fn headers(all: &[(&str, String)]) -> Headers {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Where the header stands that [`place`] names.
fn proof<'a>(scheme: &SignatureScheme, headers: &'a mut Headers) -> &'a mut (String, String) {
    let Place::Header(name) = place(scheme) else { panic!("no header") };
    headers.iter_mut().find(|(is, _)| is.eq_ignore_ascii_case(&name)).unwrap()
}

#[test]
fn what_is_signed_is_taken_and_whoever_rotates_secrets_loses_nothing() {
    for sender in senders() {
        let [first, second] = sender.secrets;
        let scheme = &sender.scheme;
        for known in [&[first][..], &[first, second], &[second, first]] {
            let verified = sender.call(known, |_, _, _| {}).unwrap_or_else(|why| panic!("{scheme:?} {known:?}: {why}"));
            assert_eq!(verified.delivery.as_deref(), sender.delivery, "{scheme:?}");
        }
    }
}

#[test]
fn what_is_signed_with_another_secret_or_is_another_body_is_refused() {
    for sender in senders() {
        let scheme = &sender.scheme;
        let mismatch = Err(Unverified::Mismatch(place(scheme)));
        assert_eq!(sender.call(&sender.secrets[1..], |_, _, _| {}), mismatch, "{scheme:?}");
        if sender.signs_body {
            for at in [0, sender.body.len() - 2] {
                assert_eq!(sender.call(&sender.secrets[..1], |_, body, _| body[at] ^= 1), mismatch, "{scheme:?} {at}");
            }
            assert_eq!(sender.call(&sender.secrets[..1], |_, body, _| body.push(b' ')), mismatch, "{scheme:?}");
        }
    }
}

#[test]
fn old_and_future_signatures_are_refused_where_the_scheme_tells_their_time() {
    for sender in senders() {
        let at = |seconds| sender.call(&sender.secrets[..1], |_, _, now| *now = NOW + seconds);
        let scheme = &sender.scheme;
        for seconds in [-300, 0, 300] {
            assert!(at(seconds).is_ok(), "{scheme:?} {seconds}");
        }
        if scheme.has_timestamp() {
            assert!(matches!(at(301), Err(Unverified::Late(_, 300))), "{scheme:?}");
            assert!(matches!(at(-301), Err(Unverified::Early(_, 300))), "{scheme:?}");
        } else {
            assert!(at(1_000_000).is_ok() && at(-1_000_000).is_ok(), "{scheme:?}");
        }
    }
}

#[test]
fn every_header_that_is_signed_must_be_there_once() {
    for sender in senders() {
        let scheme = &sender.scheme;
        let needed = (sender.sign)(sender.secrets[0], NOW, sender.body);
        let known = &sender.secrets[..1];
        for (name, _) in &needed {
            let without = sender.call(known, |headers, _, _| headers.retain(|(is, _)| is != name));
            let optional = ["X-GitHub-Delivery", "X-Shopify-Webhook-Id"].contains(&&**name);
            assert_eq!(without.is_ok(), optional, "{scheme:?} without {name}");
            if name != "Content-Type" {
                assert!(optional || matches!(&without, Err(Unverified::Missing(_))), "{scheme:?} {name}: {without:?}");
                let twice = sender
                    .call(known, |headers, _, _| headers.extend(needed.iter().filter(|(is, _)| is == name).cloned()));
                assert!(matches!(&twice, Err(Unverified::Repeated(_))), "{scheme:?} {name} twice: {twice:?}");
            }
        }
    }
}

#[test]
fn garbage_is_refused() {
    let garbage = [
        "",
        " ",
        ",",
        "=",
        "v1",
        "v1,",
        "v0=",
        "sha256=",
        "t=1800000000",
        "Basic ",
        "Basic !",
        "\u{fc}",
        "sig=zz",
        "sha256=0",
        "t=,v1=",
    ];
    for sender in senders() {
        for text in garbage {
            let scheme = &sender.scheme;
            let verdict = sender.call(&sender.secrets, |headers, _, _| text.clone_into(&mut proof(scheme, headers).1));
            let expected = matches!(&verdict, Err(Unverified::Malformed(_) | Unverified::Mismatch(_)));
            assert!(expected, "{scheme:?} {text:?}: {verdict:?}");
        }
        let cut = sender.call(&sender.secrets, |headers, _, _| {
            let value = &mut proof(&sender.scheme, headers).1;
            value.truncate(value.len() - 5);
        });
        assert!(sender.scheme == SignatureScheme::Stripe || cut.is_err(), "{:?}", sender.scheme);
    }
}

#[test]
fn a_time_that_is_no_number_of_seconds_is_refused() {
    for text in ["", "-1800000000", "+1800000000", " 1800000000", "1800000000.0", "1e9", "99999999999999999999"] {
        for sender in senders().into_iter().filter(|sender| sender.scheme.has_timestamp()) {
            let verdict = sender.call(&sender.secrets, |headers, _, _| {
                for (name, value) in headers {
                    let name = name.to_ascii_lowercase();
                    if name.contains("time") {
                        text.clone_into(value);
                    } else if name == "stripe-signature" {
                        *value = value.replace("t=1800000000", &format!("t={text}"));
                    }
                }
            });
            assert!(matches!(verdict, Err(Unverified::Malformed(_))), "{:?} {text:?}: {verdict:?}", sender.scheme);
        }
    }
}

#[test]
fn without_a_secret_that_fits_nothing_is_let_through() {
    let bearer = open(Material::Bearer { token: Secret::new("a secret") });
    for sender in senders() {
        let call = |credentials: &[Arc<OpenCredential>]| {
            let headers = (sender.sign)(sender.secrets[0], NOW, sender.body);
            let evidence = evidence(URL, &headers, sender.body.as_bytes(), NOW);
            verify(&settings(sender.scheme.clone()), credentials, &evidence)
        };
        assert_eq!(call(&[]), Err(Unverified::NoSecret), "{:?}", sender.scheme);
        let takes_bearer = matches!(sender.scheme, SignatureScheme::Token { .. });
        assert_eq!(call(std::slice::from_ref(&bearer)).is_ok(), takes_bearer, "{:?}", sender.scheme);
    }
    let call = senders().remove(0).call(&["no base64!"], |_, _, _| {});
    assert_eq!(call, Err(Unverified::NoSecret));
}

#[test]
fn a_compressed_body_may_be_signed_before_or_after_it_was_compressed() {
    let sender = senders().remove(1);
    for (signed, accepted) in [("plain", true), ("compressed", true), ("neither", false)] {
        let headers = (sender.sign)(sender.secrets[0], NOW, signed);
        let mut evidence = evidence(URL, &headers, b"plain", NOW);
        evidence.received = Bytes::from_static(b"compressed");
        let verdict = verify(&settings(sender.scheme.clone()), &sender.credential(&sender.secrets), &evidence);
        assert_eq!(verdict.is_ok(), accepted, "{signed}");
    }
}

#[test]
fn standard_webhooks_are_verified_with_public_keys_which_are_no_secrets() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let signed = format!("msg_1.{NOW}.body");
    let right = STANDARD.encode(pair.sign(signed.as_bytes()));
    let with_public_as_secret = STANDARD.encode(mac(HMAC_SHA256, pair.public_key(), &signed));
    let call = |signature: &str, secrets: &[&str]| {
        let headers = [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", NOW.to_string())];
        let all = [&headers[..], &[("webhook-signature", signature.to_owned())]].concat();
        let evidence = evidence(URL, &super::tests::headers(&all), b"body", NOW);
        verify(&settings(SignatureScheme::StandardWebhooks), &[signing(secrets)], &evidence)
    };
    let other = format!("whpk_{}", STANDARD.encode([9; 32]));
    assert!(call(&format!("v1a,{right}"), &[&public]).is_ok());
    assert!(call(&format!("v1,AAAA v1a,{right}"), &[&other, "whsec_AAECAwQF", &public]).is_ok());
    let mismatch = Err(Unverified::Mismatch(Place::header("webhook-signature")));
    assert_eq!(call(&format!("v1a,{right}"), &[&other]), mismatch);
    assert_eq!(call(&format!("v1,{right}"), &[&public]), mismatch);
    assert_eq!(call(&format!("v1,{with_public_as_secret}"), &[&public]), mismatch);
    assert_eq!(call(&format!("v1a,{with_public_as_secret}"), &[&public]), mismatch);
}

#[test]
fn many_signatures_are_not_tried() {
    let sender = senders().remove(2);
    let verdict = sender.call(&sender.secrets, |headers, _, _| headers[0].1.push_str(&",v1=00".repeat(20)));
    assert!(matches!(verdict, Err(Unverified::Malformed(_))), "{verdict:?}");
}

#[test]
fn slacks_challenge_is_answered_once_it_is_signed() {
    let sender = senders().remove(3);
    let challenge = r#"{"token":"t","challenge":"3eZbrw1a","type":"url_verification"}"#;
    for (body, answer) in
        [(challenge, Some(r#"{"challenge":"3eZbrw1a"}"#)), (r#"{"type":"event_callback","challenge":"x"}"#, None)]
    {
        let headers = (sender.sign)(sender.secrets[0], NOW, body);
        let call = |known: &[&str]| {
            let evidence = evidence(URL, &headers, body.as_bytes(), NOW);
            verify(&settings(SignatureScheme::Slack), &sender.credential(known), &evidence)
        };
        assert_eq!(call(&sender.secrets).unwrap().answer.as_ref().map(Json::as_str), answer);
        assert!(call(&sender.secrets[1..]).is_err());
    }
}

#[test]
fn twilios_other_bodies_are_named_by_the_url() {
    let body = r#"{"property": "value", "boolean": true}"#;
    let hash = to_hex(digest::digest(&digest::SHA256, body.as_bytes()).as_ref());
    let url = format!("https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={hash}");
    let call = |url: &str, signature: &str, content_type: &str, body: &str| {
        let headers =
            headers(&[("x-twilio-signature", signature.to_owned()), ("content-type", content_type.to_owned())]);
        verify(
            &settings(SignatureScheme::Twilio),
            &[signing(&["12345"])],
            &evidence(url, &headers, body.as_bytes(), NOW),
        )
    };
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let right = "a9nBmqA0ju/hNViExpshrM61xv4=";
    assert!(call(&url, right, json, body).is_ok());
    let other = Err(Unverified::OtherBody(Place::Parameter("bodySHA256".to_owned())));
    for (content_type, body) in [(json, "{}"), (json, ""), (form, ""), (form, "a=1")] {
        assert_eq!(call(&url, right, content_type, body), other, "{content_type} {body}");
    }
    assert!(call(&format!("{url}&bodySHA256={hash}"), right, json, body).is_err());
    let bare = "https://mycompany.com/myapp.php";
    let signature = STANDARD.encode(mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, "12345", bare));
    assert!(call(bare, &signature, json, "").is_ok());
    assert!(matches!(call(bare, &signature, json, "{}"), Err(Unverified::Missing(_))));
    for signed in ["https://mycompany.com/a", "https://mycompany.com:443/a"] {
        let signature = STANDARD.encode(mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, "12345", signed));
        for url in ["https://mycompany.com/a", "https://mycompany.com:443/a"] {
            assert!(call(url, &signature, json, "").is_ok(), "{signed} {url}");
        }
        assert!(call("http://mycompany.com/a", &signature, json, "").is_err());
    }
}

#[test]
fn a_token_in_the_query_is_one_whole_secret() {
    let scheme = SignatureScheme::Token { place: TokenPlace::Parameter { name: "key".to_owned() } };
    let call = |query: &str| {
        let evidence = evidence(&format!("https://gate.example/webhook/KEY?{query}"), &[], b"", NOW);
        verify(&settings(scheme.clone()), &[signing(&["a+secret"])], &evidence)
    };
    let at = || Place::Parameter("key".to_owned());
    assert!(call("a=1&key=a%2Bsecret").is_ok());
    for wrong in ["key=a%2Bsecre", "key=a%2Bsecretx", "key=a+secret", "key=", "key=A%2BSECRET"] {
        assert_eq!(call(wrong), Err(Unverified::Mismatch(at())), "{wrong}");
    }
    assert_eq!(call("Key=a%2Bsecret"), Err(Unverified::Missing(at())));
    assert_eq!(call("key=a%2Bsecret&key=x"), Err(Unverified::Repeated(at())));
}

#[derive(Deserialize)]
struct Vector {
    scheme: String,
    secret: String,
    url: Option<String>,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    now: Option<i64>,
}

#[test]
fn the_known_answers_are_known_here() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file =
        here.ancestors().map(|folder| folder.join("shared/corpora/signatures/vectors.json")).find(|p| p.exists());
    let Some(file) = file else {
        eprintln!("SKIPPED: there is no shared/corpora/signatures/vectors.json above {}", here.display());
        return;
    };
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let scheme = match vector.scheme.as_str() {
            "standard-webhooks" => SignatureScheme::StandardWebhooks,
            "github" => SignatureScheme::Github,
            "stripe" => SignatureScheme::Stripe,
            "slack" => SignatureScheme::Slack,
            "shopify" => SignatureScheme::Shopify,
            "twilio" => SignatureScheme::Twilio,
            other => panic!("no scheme {other}"),
        };
        let headers: Headers = vector.headers.into_iter().collect();
        let call = |secret: &str, body: &str| {
            let url = vector.url.as_deref().unwrap_or(URL);
            let evidence = evidence(url, &headers, body.as_bytes(), vector.now.unwrap_or(NOW));
            verify(&settings(scheme.clone()), &[signing(&[secret])], &evidence)
        };
        call(&vector.secret, &vector.body).unwrap_or_else(|why| panic!("{scheme:?}: {why}"));
        assert!(call(&vector.secret, &format!("{}x", vector.body)).is_err(), "{scheme:?}");
        assert!(call("whsec_AAECAwQF", &vector.body).is_err(), "{scheme:?}");
    }
}
