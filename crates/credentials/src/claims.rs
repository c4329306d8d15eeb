//! What an access token says (RFC 9068), the same for who writes and who reads it.

use serde::{Deserialize, Serialize};
use tidegate_model::{ClientId, ClientOwner, TokenId};

/// The header's `typ`: keeps other JWTs of the same key from passing for access tokens.
pub(crate) const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The claims. Times are whole seconds since 1970.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    /// The client acts for itself, so it is the subject too.
    pub(crate) sub: ClientId,
    pub(crate) client_id: ClientId,
    pub(crate) aud: Audience,
    pub(crate) iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<i64>,
    pub(crate) exp: i64,
    pub(crate) jti: TokenId,
    /// Separated by spaces.
    pub(crate) scope: String,
    /// Whose client it is; names its tenant where it is bound to one.
    #[serde(rename = "tidegate_owner")]
    pub(crate) owner: ClientOwner,
}

/// One recipient, or a list of them (RFC 7519 section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    pub(crate) fn includes(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}
