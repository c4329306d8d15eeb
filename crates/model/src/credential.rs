//! Credentials: third parties' secrets, which the platform attaches to calls, and those that signatures are made and checked with.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{CredentialId, Secret, SigningSecretId, TenantId, Timestamp};

/// How many secrets a credential that signs may hold at once.
pub const MAX_SIGNING_SECRETS: usize = 5;

/// What may be told of a credential. Its secrets are in its [`Material`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Unique in its tenant; scripts and settings name it so. Never changes.
    pub name: String,
    /// How its secrets are used. Never changes.
    pub kind: CredentialKind,
    /// For people.
    pub description: Option<String>,
    /// Where its secrets may be sent. Empty sends them nowhere, which fits one that only signs.
    pub allowed_hosts: Vec<HostPattern>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Credential {
    /// Whether its secrets may go with a call of `url`: http or https, to one of the allowed hosts, at any port.
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else { return false };
        self.allowed_hosts.iter().any(|pattern| pattern.matches(host))
    }
}

/// How secrets are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CredentialKind {
    /// `Authorization: Basic`, from a username and a password.
    Basic,
    /// `Authorization: Bearer`, a token as it is.
    Bearer,
    /// A header of the third party's own.
    Header,
    /// `Authorization: Bearer`, a token that the third party's token endpoint gives for client credentials.
    #[serde(rename = "OAUTH2")]
    OAuth2,
    /// Never sent: signatures are made and checked with it.
    Signing,
}

impl CredentialKind {
    /// The kind's word, the same in GraphQL, SQL and prose.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Bearer => "BEARER",
            Self::Header => "HEADER",
            Self::OAuth2 => "OAUTH2",
            Self::Signing => "SIGNING",
        }
    }
}

/// A credential with its secrets: what a [`Vault`](crate::contract::Vault) answers, and nobody keeps beyond the call it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCredential {
    /// What may be told.
    pub credential: Credential,
    /// What may not.
    pub material: Material,
}

/// The secrets of a credential. `Debug` tells the kind alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// For `Authorization: Basic`.
    Basic {
        /// Without a colon.
        username: String,
        /// Any text.
        password: Secret,
    },
    /// For `Authorization: Bearer`.
    Bearer {
        /// The token.
        token: Secret,
    },
    /// For a header.
    Header {
        /// The header's name.
        name: String,
        /// Its whole value.
        value: Secret,
    },
    /// For the third party's token endpoint.
    OAuth2(OAuth2Client),
    /// For signatures.
    Signing {
        /// 1 to [`MAX_SIGNING_SECRETS`], the newest first. What is sent carries a signature of each; what comes in must match one of them.
        secrets: Vec<SigningSecret>,
    },
}

/// A client at a third party's token endpoint (RFC 6749, section 4.4).
#[derive(Clone, PartialEq, Eq)]
pub struct OAuth2Client {
    /// Absolute, http or https.
    pub token_url: String,
    /// The client id there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What to ask for; nothing leaves it to the third party.
    pub scope: Option<String>,
    /// How the client shows its secret.
    pub auth_style: AuthStyle,
}

/// How a client authenticates at a token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthStyle {
    /// `client_secret_basic`: in the header `Authorization`.
    Basic,
    /// `client_secret_post`: in the form.
    Post,
}

/// One of the secrets that are live while they are rotated.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret {
    /// Names it to who removes it.
    pub id: SigningSecretId,
    /// The text as it was given, such as `whsec_...`.
    pub secret: Secret,
    /// When it was added.
    pub created_at: Timestamp,
}

impl Material {
    /// Which kind of credential this is the material of.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Basic { .. } => CredentialKind::Basic,
            Self::Bearer { .. } => CredentialKind::Bearer,
            Self::Header { .. } => CredentialKind::Header,
            Self::OAuth2(_) => CredentialKind::OAuth2,
            Self::Signing { .. } => CredentialKind::Signing,
        }
    }

    /// The live secrets of one that signs, the newest first; none of any other.
    pub fn signing_secrets(&self) -> &[SigningSecret] {
        match self {
            Self::Signing { secrets } => secrets,
            _ => &[],
        }
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({} ..)", self.kind().as_str())
    }
}

impl fmt::Debug for OAuth2Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuth2Client(..)")
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecret({} ..)", self.id)
    }
}

/// Hosts that secrets may be sent to: one name or address, or with `*.` before it every name below a domain, at whatever depth.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

/// The text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", HostPattern::RULE)]
pub struct InvalidHostPattern;

impl HostPattern {
    /// The rule that every value obeys, as it is told to whoever broke it.
    pub const RULE: &'static str =
        "a host name or address such as api.example.com, or *. before a domain of at least two labels, without a port";

    /// The pattern's text: lower case, in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it covers a host as a parsed URL has it. A domain itself is not below itself.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match self.0.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => host == self.0,
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidHostPattern;

    fn from_str(text: &str) -> Result<Self, InvalidHostPattern> {
        let (prefix, name) = text.strip_prefix("*.").map_or(("", text), |domain| ("*.", domain));
        if name.is_empty() || name.len() > 253 || name.contains('*') {
            return Err(InvalidHostPattern);
        }
        if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            let exact = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            return if prefix.is_empty() { Ok(Self(exact)) } else { Err(InvalidHostPattern) };
        }
        let Ok(Host::Domain(domain)) = Host::parse(name) else { return Err(InvalidHostPattern) };
        let domain = domain.strip_suffix('.').unwrap_or(&domain);
        let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let wide_enough = prefix.is_empty() || domain.contains('.');
        if domain.split('.').all(label) && wide_enough {
            Ok(Self(format!("{prefix}{domain}")))
        } else {
            Err(InvalidHostPattern)
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = InvalidHostPattern;

    fn try_from(text: String) -> Result<Self, InvalidHostPattern> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> String {
        pattern.0
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
