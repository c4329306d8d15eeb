//! `Authorization: Basic <base64 of username:password>` (RFC 7617).

use std::sync::Arc;

use tidegate_model::{Material, OpenCredential};

use super::keys::{base64, is_one_of};
use super::token::without_prefix;
use super::{Place, Presented, Unverified, Verified};

pub(super) const HEADER: &str = "authorization";

pub(super) fn verify(credentials: &[Arc<OpenCredential>], call: &Presented<'_>) -> Result<Verified, Unverified> {
    let pairs: Vec<String> = credentials.iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return Err(Unverified::NoSecret);
    }
    let presented = without_prefix(call.header(HEADER)?, "Basic ").and_then(base64);
    let presented = presented.ok_or_else(|| Unverified::Malformed(Place::header(HEADER)))?;
    if is_one_of(pairs, &presented) {
        Ok(Verified::default())
    } else {
        Err(Unverified::Mismatch(Place::header(HEADER)))
    }
}

fn pair(open: &Arc<OpenCredential>) -> Option<String> {
    match &open.material {
        Material::Basic { username, password } => Some(format!("{username}:{}", password.reveal())),
        _ => None,
    }
}
