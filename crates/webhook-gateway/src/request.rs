//! HTTP becomes a call: what scripts see of it, and what the record keeps of it. Pure.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::header::{CONTENT_TYPE, HOST};
use http::request;
use http::uri::PathAndQuery;
use tidegate_model::kept::MASK;
use tidegate_model::{Failure, FailureKind, HttpMethod, IncomingCall, Json, ReceivedRequest, Settings, Timestamp};

use crate::body::Payload;
use crate::masking::{kept, without_key, without_parameter};
use crate::options::Options;
use crate::parameters;
use crate::proxies::{Origin, origin};
use crate::signature::{self, Evidence, Place};

/// A call as it was received.
#[derive(Debug)]
pub(crate) struct Received {
    /// What scripts see.
    pub(crate) call: Arc<IncomingCall>,
    /// What the record keeps.
    pub(crate) request: ReceivedRequest,
    /// Why the body cannot be read, where it cannot; `parameters` is `{}` then.
    pub(crate) unreadable: Option<Failure>,
    /// The webhook key, which the record must not keep.
    pub(crate) key: String,
    /// What a signature is over, where one is required.
    pub(crate) evidence: Option<Evidence>,
}

impl Received {
    /// Reads a call that came at `time`, as its Integration would have it met.
    pub(crate) fn new(
        head: &request::Parts,
        key: &str,
        method: HttpMethod,
        body: &Payload,
        options: &Options,
        time: Timestamp,
        settings: &Settings,
    ) -> Self {
        let scheme = settings.incoming.signature.as_ref().map(|signature| &signature.scheme);
        let (mut parameters, unreadable) = match parameters(head, method, body) {
            Ok(parameters) => (parameters, None),
            Err(failure) => (Json::empty_object(), Some(failure)),
        };
        let proof = scheme.map(signature::place);
        if let (Some(Place::Parameter(name)), HttpMethod::Get) = (&proof, method) {
            parameters = without_parameter(&parameters, name);
        }
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let origin = origin(&options.trusted_proxies, peer, &head.headers);
        let base = base_url(head, &origin, options.public_url.as_deref());
        let mut headers = headers(head);
        let is_proof = |name: &str| matches!(&proof, Some(Place::Header(proof)) if proof == name);
        if scheme.is_some_and(signature::shows_the_secret) {
            headers.iter_mut().filter(|(name, _)| is_proof(name)).for_each(|(_, value)| MASK.clone_into(value));
        }
        let kept = |name: &str, value| {
            if is_proof(name) { MASK.to_owned() } else { kept(name, value, key, &settings.masked_headers) }
        };
        let kept_headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), Json::of(&kept(name, value)))).collect();
        let request = ReceivedRequest {
            method,
            url: format!("{base}/webhook/{MASK}"),
            headers: Json::object(kept_headers.iter().map(|(name, value)| (*name, value))),
            parameters: without_key(&parameters, key),
            caller_address: origin.address,
        };
        let evidence = scheme.map(|_| Evidence {
            method,
            url: format!("{base}{}", head.uri.path_and_query().map_or("", PathAndQuery::as_str)),
            headers: head.headers.clone(),
            received: body.received.clone(),
            body: body.bytes.clone(),
            time,
        });
        let url = format!("{base}/webhook/{key}");
        let raw_body = Arc::from(&body.bytes[..]);
        let call = Arc::new(IncomingCall { method, url, headers, parameters, raw_body, time });
        Self { call, request, unreadable, key: key.to_owned(), evidence }
    }
}

fn parameters(head: &request::Parts, method: HttpMethod, body: &Payload) -> Result<Json, Failure> {
    if body.is_corrupt {
        let message = "the body is not compressed as its content encoding says".to_owned();
        return Err(Failure { message, kind: FailureKind::Input });
    }
    match method {
        HttpMethod::Get => Ok(parameters::of_query(head.uri.query().unwrap_or_default().as_bytes())),
        HttpMethod::Post => {
            let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            parameters::of_body(content_type, &body.bytes).map_err(|invalid| Failure {
                message: format!("the body is not the JSON that its content type says: {invalid}"),
                kind: FailureKind::Input,
            })
        }
    }
}

/// Lower-case names; repeated headers are joined with ", ". Bytes that are not UTF-8 are replaced.
fn headers(head: &request::Parts) -> Vec<(String, String)> {
    let values = |name| head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let joined = |name| values(name).collect::<Vec<_>>().join(", ");
    head.headers.keys().map(|name| (name.as_str().to_owned(), joined(name))).collect()
}

fn base_url(head: &request::Parts, origin: &Origin, public_url: Option<&str>) -> String {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let named = head.headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = head.uri.authority().map(http::uri::Authority::as_str).or(named);
    let host = origin.host.as_deref().or(host).unwrap_or("localhost");
    format!("{}://{host}", origin.scheme.unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use http::Request;

    use super::*;

    fn received(request: request::Builder, body: &'static str, public_url: Option<&str>) -> Received {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let method = if head.method == http::Method::GET { HttpMethod::Get } else { HttpMethod::Post };
        let time = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let options = Options { public_url: public_url.map(str::to_owned), ..Options::default() };
        let settings = Settings { masked_headers: vec!["X-Shop-Pin".to_owned()], ..Settings::default() };
        Received::new(&head, "KEY", method, &payload(body), &options, time, &settings)
    }

    fn payload(body: &'static str) -> Payload {
        let bytes = bytes::Bytes::from_static(body.as_bytes());
        Payload { received: bytes.clone(), bytes, is_corrupt: false }
    }

    #[test]
    fn the_url_has_no_query_and_the_records_has_no_key() {
        let cases = [
            (Request::get("/webhook/KEY?a=1").header("host", "gate:8080"), None, "http://gate:8080"),
            (Request::get("http://gate/webhook/KEY?a=1").header("host", "other"), None, "http://gate"),
            (
                Request::get("/webhook/KEY").header("host", "gate"),
                Some("https://hooks.example/"),
                "https://hooks.example",
            ),
            (Request::get("/webhook/KEY"), None, "http://localhost"),
        ];
        for (request, public_url, base) in cases {
            let received = received(request, "", public_url);
            assert_eq!(received.call.url, format!("{base}/webhook/KEY"));
            assert_eq!(received.request.url, format!("{base}/webhook/***"));
        }
    }

    #[test]
    fn a_trusted_proxy_tells_what_was_called_and_who_called() {
        let peer = |address: [u8; 4]| ConnectInfo(SocketAddr::from((address, 4711)));
        let cases = [
            ([10, 0, 0, 1], "https://hooks.example", [203, 0, 113, 1]),
            ([192, 0, 2, 1], "http://gate:8080", [192, 0, 2, 1]),
        ];
        for (address, base, caller) in cases {
            let request = Request::get("/webhook/KEY").header("host", "gate:8080").extension(peer(address));
            let request = request.header("x-forwarded-for", "203.0.113.1").header("x-forwarded-proto", "https");
            let (head, ()) = request.header("x-forwarded-host", "hooks.example").body(()).unwrap().into_parts();
            let options = Options { trusted_proxies: "10.0.0.0/8".parse().unwrap(), ..Options::default() };
            let time = DateTime::UNIX_EPOCH;
            let settings = Settings::default();
            let received = Received::new(&head, "KEY", HttpMethod::Get, &payload(""), &options, time, &settings);
            assert_eq!(received.call.url, format!("{base}/webhook/KEY"));
            assert_eq!(received.request.url, format!("{base}/webhook/***"));
            assert_eq!(received.request.caller_address, Some(caller.into()));
        }
    }

    #[test]
    fn headers_are_lower_case_and_joined_and_masked_in_the_record_alone() {
        let request = Request::post("/webhook/KEY")
            .header("X-Tag", "a")
            .header("x-tag", "b")
            .header("Authorization", "Bearer hunter2")
            .header("x-shop-pin", "1234")
            .header("X-Original-URI", "/webhook/KEY");
        let received = received(request, "", None);
        let value = |name: &str| received.call.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert_eq!(value("x-tag"), Some("a, b"));
        assert_eq!(value("authorization"), Some("Bearer hunter2"));
        let expected = serde_json::json!({
            "x-tag": "a, b", "authorization": "***", "x-shop-pin": "***", "x-original-uri": "/webhook/***",
        });
        assert_eq!(received.request.headers.to_value(), expected);
    }

    #[test]
    fn get_takes_its_query_and_post_its_body_and_the_raw_body_is_exact() {
        let get = received(Request::get("/webhook/KEY?a=1&a=2"), "{\"b\":1}", None);
        assert_eq!(get.call.parameters.as_str(), r#"{"a":["1","2"]}"#);
        let post = received(Request::post("/webhook/KEY?a=1"), " {\"b\": 1}\n", None);
        assert_eq!(post.call.parameters.as_str(), " {\"b\": 1}\n");
        assert_eq!(&*post.call.raw_body, b" {\"b\": 1}\n");
        assert_eq!(post.request.parameters, post.call.parameters);
        let copied = received(Request::post("/webhook/KEY"), r#"{"hook":"https://gate/webhook/KEY"}"#, None);
        assert_eq!(copied.call.parameters.as_str(), r#"{"hook":"https://gate/webhook/KEY"}"#);
        assert_eq!(copied.request.parameters.as_str(), r#"{"hook":"https://gate/webhook/***"}"#);
    }

    #[test]
    fn a_body_that_is_not_what_it_is_called_is_the_callers_fault() {
        let received =
            received(Request::post("/webhook/KEY").header("content-type", "application/json"), "{secret", None);
        let failure = received.unreadable.unwrap();
        assert_eq!(failure.kind, FailureKind::Input);
        assert!(!failure.message.contains("secret"), "{failure}");
        assert_eq!((received.call.parameters.as_str(), &*received.call.raw_body), ("{}", &b"{secret"[..]));
    }
}
