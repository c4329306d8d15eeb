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
use tidegate_model::Reserved;
use tokio::time::{Instant, timeout_at};

pub use guard::{NameLookup, SystemLookup};
pub use policy::{InvalidAllowance, Policy};

use guard::Guard;

/// How long connecting may take: less than the whole call, so that a dead host does not eat all of it.
const CONNECT: Duration = Duration::from_secs(5);

/// So many headers at most a script gives a call.
pub(crate) const MAX_HEADERS: usize = 128;

/// So many at most go with it: the platform's own, a credential and a signature never take the place of a script's.
const MAX_SENT: usize = MAX_HEADERS + 16;

/// So many headers an answer may have; with more, its status is not known either.
const MAX_ANSWERED: usize = 1000;

/// So long may all headers of an answer be over HTTP/2; over HTTP/1 the client reads about as much.
const MAX_ANSWERED_BYTES: u32 = 384 << 10;

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
    /// Whether the body went on, or broke off.
    pub truncated: bool,
    /// Why the body ends before its end, where it does.
    pub broken: Option<Broken>,
}

/// Why an answer ends before its end, although its head is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It took too long.
    #[error("the rest of the answer did not come within {} ms", .0.as_millis())]
    Late(Duration),
    /// The connection broke, or what came was no body.
    #[error("the answer broke off: {0}")]
    Off(String),
}

impl From<Broken> for EgressError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Late(limit) => Self::TimedOut(limit),
            Broken::Off(why) => Self::Failed(why),
        }
    }
}

impl Response {
    /// The answer, if all of it came, or as much as was to be read.
    pub(crate) fn whole(mut self) -> Result<Self, EgressError> {
        self.broken.take().map_or(Ok(self), |broken| Err(broken.into()))
    }
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
            .http1_max_headers(MAX_ANSWERED)
            .http2_max_header_list_size(MAX_ANSWERED_BYTES)
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

    /// Sends a request and reads the answer, all of it or up to the limit.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        self.call(request).await?.whole()
    }

    /// Sends a request. Once the head of the answer is there it is an answer, although its body breaks off or comes too late.
    pub async fn call(&self, request: Request) -> Result<Response, EgressError> {
        let until = Instant::now() + request.timeout;
        self.call_until(until, request).await
    }

    /// As [`Egress::call`], with an answer until then; errors name the request's own time.
    pub(crate) async fn call_until(&self, until: Instant, request: Request) -> Result<Response, EgressError> {
        let url = self.guard.check_url(&request.url)?;
        let headers = checked(&request.headers)?;
        let mut call = self.client.request(request.method, url).headers(headers);
        if let Some(body) = request.body {
            call = call.body(body);
        }
        match timeout_at(until, call.send()).await {
            Ok(Ok(head)) => Ok(read(head, request.max_response, until, request.timeout).await),
            Ok(Err(error)) => Err(fault(&error)),
            Err(_) => Err(EgressError::TimedOut(request.timeout)),
        }
    }
}

async fn read(mut response: reqwest::Response, most: usize, until: Instant, limit: Duration) -> Response {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = BytesMut::new();
    let (mut truncated, mut broken) = (false, None);
    while !truncated {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = most - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                truncated = chunk.len() > room;
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => broken = Some(Broken::Off(cause(&error))),
            Err(_) => broken = Some(Broken::Late(limit)),
        }
        truncated |= broken.is_some();
    }
    Response { status, headers, body: body.freeze(), truncated, broken }
}

fn checked(headers: &[(String, String)]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (place, (name, value)) in headers.iter().enumerate() {
        let fault = |why| EgressError::Header { name: name.clone(), why };
        if place == MAX_SENT {
            return Err(fault("is one too many: 144 are sent at most"));
        }
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault("not a header name"))?;
        if matches!(Reserved::of(key.as_str()), Some(Reserved::Connection | Reserved::Metadata)) {
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
    let refused = causes(error).find_map(|inner| inner.downcast_ref::<EgressError>());
    match refused {
        Some(ours) => ours.clone(),
        // The client could not make a request of it: another time it can neither.
        None if error.is_builder() => EgressError::InvalidUrl(cause(error)),
        None if error.is_timeout() => EgressError::TimedOut(CONNECT),
        None => EgressError::Failed(cause(error)),
    }
}

/// The innermost cause: what goes around it names the URL.
fn cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
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
