//! The one HTTP client that calls strangers: for scripts' `http.request` and for the dispatcher's calls.
//!
//! It parses a URL once, resolves its name, checks every address, and connects to no other ones. Redirects are not followed (their
//! answer is the answer), proxies from the environment are ignored, answers are read up to a limit.

mod guard;
mod policy;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};

pub use guard::{NameLookup, SystemLookup};
pub use policy::{InvalidAllowance, Policy};

use guard::Guard;

/// How long connecting may take: less than the whole call, so that a dead host does not eat all of it.
const CONNECT: Duration = Duration::from_secs(5);

/// Headers that the platform sets, that mean one connection only (RFC 9110 7.6.1), or that unlock a cloud's metadata service.
const FORBIDDEN: [&str; 14] = [
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "metadata",
    "metadata-flavor",
    "x-aws-ec2-metadata-token",
    "x-aws-ec2-metadata-token-ttl-seconds",
];

/// So many headers at most go with a call: third parties take no more either.
pub(crate) const MAX_HEADERS: usize = 128;

/// A guarded HTTP client; cheap to clone.
#[derive(Clone)]
pub struct Egress {
    guard: Guard,
    client: reqwest::Client,
}

/// What to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: http::Method,
    /// Absolute, http or https.
    pub url: String,
    /// Names in any case. `Host`, `Content-Length` and hop-by-hop headers are refused: the platform sets them.
    pub headers: Vec<(String, String)>,
    /// Nothing, or the exact bytes.
    pub body: Option<Bytes>,
    /// For the whole call, reading the answer included.
    pub timeout: Duration,
    /// How much of the answer's body is read.
    pub max_response: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status; a redirect is one like any other.
    pub status: u16,
    /// Lower-case name to value, repeated ones each; bytes that are no UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Up to the limit.
    pub body: Bytes,
    /// Whether the body went on.
    pub truncated: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The URL cannot be read.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// The guard does not let it through; nothing was sent.
    #[error("call refused: {why}{}{target}", if .target.is_empty() { "" } else { ": " })]
    Refused {
        /// The address or name that is refused; empty where another part of the URL is.
        target: String,
        /// Why.
        why: String,
    },
    /// A header that must not be sent.
    #[error("header {name:?}: {why}")]
    Header {
        /// Its name.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// No address for the name.
    #[error("cannot resolve {name}: {why}")]
    Unresolved {
        /// The name.
        name: String,
        /// What the name server said.
        why: String,
    },
    /// It took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// No connection, or it broke.
    #[error("call failed: {0}")]
    Failed(String),
}

impl EgressError {
    /// Whether the same call may succeed another time; one that was refused never does.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InvalidUrl(_) | Self::Refused { .. } | Self::Header { .. } => false,
            Self::Unresolved { .. } | Self::TimedOut(_) | Self::Failed(_) => true,
        }
    }
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client")]
pub struct SetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Egress {
    /// Makes one that asks the operating system's resolver.
    pub fn new(policy: Policy) -> Result<Self, SetupError> {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// Makes one that resolves names by `lookup`.
    pub fn with_lookup(policy: Policy, lookup: Arc<dyn NameLookup>) -> Result<Self, SetupError> {
        let guard = Guard::new(policy, lookup);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|e| SetupError(e.into()))?)
            .dns_resolver(guard.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .user_agent(concat!("Tidegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| SetupError(e.into()))?;
        Ok(Self { guard, client })
    }

    /// Whether a call of this URL would be let through now; resolves its name, connects to nothing.
    pub async fn check(&self, url: &str) -> Result<(), EgressError> {
        let url = self.guard.check_url(url)?;
        match url.host() {
            Some(url::Host::Domain(name)) => self.guard.resolve(name).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let url = self.guard.check_url(&request.url)?;
        let headers = checked(&request.headers)?;
        let mut call = self.client.request(request.method, url).headers(headers);
        if let Some(body) = request.body {
            call = call.body(body);
        }
        let answered = tokio::time::timeout(request.timeout, async {
            let response = call.send().await.map_err(|e| fault(&e))?;
            read(response, request.max_response).await
        });
        answered.await.unwrap_or(Err(EgressError::TimedOut(request.timeout)))
    }
}

async fn read(mut response: reqwest::Response, most: usize) -> Result<Response, EgressError> {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = BytesMut::new();
    let mut truncated = false;
    while let Some(chunk) = response.chunk().await.map_err(|e| fault(&e))? {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            truncated = true;
            break;
        }
    }
    Ok(Response { status, headers, body: body.freeze(), truncated })
}

fn checked(headers: &[(String, String)]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (place, (name, value)) in headers.iter().enumerate() {
        let fault = |why| EgressError::Header { name: name.clone(), why };
        if place == MAX_HEADERS {
            return Err(fault("is one too many: 128 are sent at most"));
        }
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault("not a header name"))?;
        if FORBIDDEN.contains(&key.as_str()) {
            return Err(fault("is not for callers to set"));
        }
        let value =
            HeaderValue::from_bytes(value.as_bytes()).map_err(|_| fault("its value holds control characters"))?;
        map.append(key, value);
    }
    Ok(map)
}

/// The guard's own refusal comes back wrapped in the client's errors.
fn fault(error: &reqwest::Error) -> EgressError {
    let mut cause = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<EgressError>() {
            return ours.clone();
        }
        last = Some(inner.to_string());
        cause = inner.source();
    }
    if error.is_timeout() {
        return EgressError::TimedOut(CONNECT);
    }
    EgressError::Failed(last.unwrap_or_else(|| error.to_string()))
}

fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
