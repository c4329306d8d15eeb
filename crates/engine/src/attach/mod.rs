//! Attaching a credential to a call: the one place where a third party's secret meets a request. Who asks for it (a script, an Integration's
//! settings) names it, and never sees it.

mod tokens;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidegate_model::contract::Vault;
use tidegate_model::{Clock, Error, Material, Reserved, Secret, TenantId};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::egress::{Egress, EgressError, Request, Response};
use crate::masks::Masks;
use tokens::{Owner, Tokens};

pub use tokens::NoToken;

const AUTHORIZATION: &str = "authorization";

/// Attaches credentials to calls, and makes calls with them. Cheap to clone.
#[derive(Clone)]
pub struct Attach {
    vault: Arc<dyn Vault>,
    egress: Egress,
    tokens: Arc<Tokens>,
}

/// What was attached: enough to mask it in a record and in what comes back, and to have it renewed.
#[derive(Debug)]
pub struct Attached {
    header: String,
    masks: Masks,
    issued: Option<Issued>,
}

/// A token that a third party issued.
#[derive(Debug)]
struct Issued {
    owner: Owner,
    token: Secret,
}

/// Why a credential was not attached; nothing was sent to where the call goes. The texts are for script authors, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAttached {
    /// The tenant has none of that name.
    #[error("there is no credential {0:?}")]
    Unknown(String),
    /// It is for signatures.
    #[error("credential {0:?} is for signatures, it cannot be sent")]
    OnlySigns(String),
    /// Its header is the platform's: it was kept before that was refused.
    #[error("credential {name:?} cannot be sent: the header {header:?} is the platform's own")]
    NotItsHeader {
        /// The credential.
        name: String,
        /// The header.
        header: String,
    },
    /// It must not go where the call goes.
    #[error("credential {name:?} may not be sent to {host:?}; its allowedHosts do not cover it")]
    Elsewhere {
        /// The credential.
        name: String,
        /// The host of the call.
        host: String,
    },
    /// The URL cannot be read.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// The third party gave no token.
    #[error("credential {name:?}: {why}")]
    NoToken {
        /// The credential.
        name: String,
        /// Why.
        why: NoToken,
    },
    /// The vault is away, or failed.
    #[error("credential {name:?}: {error}")]
    Vault {
        /// The credential.
        name: String,
        /// What it said.
        error: Error,
    },
}

/// A call with a credential that has an answer.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// What went with the call.
    pub attached: Attached,
    /// Why a call whose token was refused was not made once more, or had no answer then: so `response` is the 401.
    pub unrenewed: Option<NotSent>,
}

/// Why a call with a credential has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The credential was not attached.
    #[error(transparent)]
    NotAttached(#[from] NotAttached),
    /// The call failed, or was refused.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

impl NotAttached {
    /// Whether the same call may succeed another time, with nobody changing a definition.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoToken { why, .. } => why.is_transient(),
            Self::Vault { error, .. } => matches!(error, Error::Unavailable(_) | Error::Internal { .. }),
            Self::Unknown(_)
            | Self::OnlySigns(_)
            | Self::NotItsHeader { .. }
            | Self::Elsewhere { .. }
            | Self::InvalidUrl(_) => false,
        }
    }
}

impl NotSent {
    /// Whether the same call may succeed another time, with nobody changing a definition.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotAttached(why) => why.is_transient(),
            Self::Egress(why) => why.is_transient(),
        }
    }
}

impl Attached {
    /// The header that holds the secret, in lower case: not for records.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// An answer without what was attached, wherever it repeats it.
    pub fn masked(&self, answer: Response) -> Response {
        self.masks.response(answer)
    }

    /// What nobody may read in what comes back.
    pub(crate) fn masks(&self) -> &Masks {
        &self.masks
    }
}

impl Attach {
    /// Asks this vault for credentials, and third parties for tokens through this egress.
    pub fn new(vault: Arc<dyn Vault>, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        let tokens = Arc::new(Tokens::new(egress.clone(), clock));
        Self { vault, egress, tokens }
    }

    /// The header that a credential of this name and material goes in, in lower case.
    pub fn header_of(name: &str, material: &Material) -> Result<String, NotAttached> {
        match material {
            Material::Basic { .. } | Material::Bearer { .. } | Material::OAuth2(_) => Ok(AUTHORIZATION.to_owned()),
            Material::Header { name: header, .. } if Reserved::of(header).is_some() => {
                Err(NotAttached::NotItsHeader { name: name.to_owned(), header: header.clone() })
            }
            Material::Header { name: header, .. } => Ok(header.to_ascii_lowercase()),
            Material::Signing { .. } => Err(NotAttached::OnlySigns(name.to_owned())),
        }
    }

    /// Puts the tenant's credential of this name into the request's headers, in the place of any header of that name that is there. The
    /// request's URL must be one that the credential may be sent to.
    pub async fn attach(&self, tenant: &TenantId, name: &str, request: &mut Request) -> Result<Attached, NotAttached> {
        self.attach_until(None, tenant, name, request).await
    }

    /// As [`Attach::attach`], then at the latest, if there is a then; errors name the request's own time.
    async fn attach_until(
        &self,
        until: Option<Instant>,
        tenant: &TenantId,
        name: &str,
        request: &mut Request,
    ) -> Result<Attached, NotAttached> {
        let named = || name.to_owned();
        let found = in_time(until, self.vault.credential(tenant, name)).await;
        let found = found.unwrap_or(Err(Error::Unavailable("the vault")));
        let found = found.map_err(|error| NotAttached::Vault { name: named(), error })?;
        let open = found.ok_or_else(|| NotAttached::Unknown(named()))?;
        let url = Url::parse(&request.url).map_err(|e| NotAttached::InvalidUrl(e.to_string()))?;
        if !matches!(open.material, Material::Signing { .. }) && !open.credential.allows(&url) {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(NotAttached::Elsewhere { name: named(), host });
        }
        let header = Self::header_of(name, &open.material)?;
        let bearer = |token: &Secret| format!("Bearer {}", token.reveal());
        let mut issued = None;
        let value = match &open.material {
            Material::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.reveal())))
            }
            Material::Bearer { token } => bearer(token),
            Material::Header { value, .. } => value.reveal().to_owned(),
            Material::OAuth2(client) => {
                let owner = Owner { tenant: tenant.clone(), credential: open.credential.id };
                let late = Err(NoToken::Unreached(EgressError::TimedOut(request.timeout)));
                let token = in_time(until, self.tokens.token(&owner, client)).await.unwrap_or(late);
                let token = token.map_err(|why| NotAttached::NoToken { name: named(), why })?;
                let value = bearer(&token);
                issued = Some(Issued { owner, token });
                value
            }
            Material::Signing { .. } => return Err(NotAttached::OnlySigns(named())),
        };
        // What comes back may repeat the header, or what stands in it after the scheme.
        let sent = [value.as_str(), value.split_once(' ').map_or("", |(_, secret)| secret)];
        let masks = match &open.material {
            Material::Basic { password, .. } => Masks::of([sent[1], password.reveal()]),
            Material::OAuth2(client) => Masks::of([sent[1], client.client_secret.reveal()]),
            Material::Bearer { .. } => Masks::of([sent[1]]),
            Material::Header { .. } | Material::Signing { .. } => Masks::of(sent),
        };
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&header));
        request.headers.push((header.clone(), value));
        Ok(Attached { header, masks, issued })
    }

    /// Says that the third party refused (401) what was attached. `true` when attaching again may help: the token is no longer used.
    pub async fn refused(&self, attached: &Attached) -> bool {
        match &attached.issued {
            None => false,
            Some(Issued { owner, token }) => {
                self.tokens.forget(owner, token).await;
                true
            }
        }
    }

    /// Makes the call with the credential. A 401 to a token that the third party issued is tried once more, with a new token.
    pub async fn send(&self, tenant: &TenantId, name: &str, request: Request) -> Result<(Response, Attached), NotSent> {
        let answered = self.call_until(None, tenant, name, request).await?;
        match answered.unrenewed {
            Some(why) => Err(why),
            None => Ok((answered.response.whole()?, answered.attached)),
        }
    }

    /// As [`Attach::send`], all within the request's time, that of the token included; and once the head of an answer is there it is one,
    /// although its body breaks off, or no new token was to be had.
    pub async fn call(&self, tenant: &TenantId, name: &str, request: Request) -> Result<Answered, NotSent> {
        let until = Instant::now() + request.timeout;
        self.call_until(Some(until), tenant, name, request).await
    }

    async fn call_until(
        &self,
        until: Option<Instant>,
        tenant: &TenantId,
        name: &str,
        request: Request,
    ) -> Result<Answered, NotSent> {
        let (response, attached) = self.call_once(until, tenant, name, request.clone()).await?;
        if response.status != 401 || attached.issued.is_none() {
            return Ok(Answered { response, attached, unrenewed: None });
        }
        // Somebody else's question for a token may take longer than there is time.
        in_time(until, self.refused(&attached)).await;
        Ok(match self.call_once(until, tenant, name, request).await {
            Ok((response, mut again)) => {
                again.masks.add(&attached.masks);
                Answered { response, attached: again, unrenewed: None }
            }
            Err(why) => Answered { response, attached, unrenewed: Some(why) },
        })
    }

    async fn call_once(
        &self,
        until: Option<Instant>,
        tenant: &TenantId,
        name: &str,
        mut request: Request,
    ) -> Result<(Response, Attached), NotSent> {
        let attached = self.attach_until(until, tenant, name, &mut request).await?;
        let until = until.unwrap_or_else(|| Instant::now() + request.timeout);
        Ok((self.egress.call_until(until, request).await?, attached))
    }
}

/// What comes of it until then; all of it where there is no end.
async fn in_time<T>(until: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match until {
        None => Some(future.await),
        Some(until) => timeout_at(until, future).await.ok(),
    }
}
