//! A secret as it is, in a header or in the query.

use std::sync::Arc;

use tidegate_model::{OpenCredential, TokenPlace};

use super::keys::{bearer, is_one_of, signing};
use super::{Place, Presented, Unverified, Verified};

pub(super) fn verify(
    place: &TokenPlace,
    credentials: &[Arc<OpenCredential>],
    call: &Presented<'_>,
) -> Result<Verified, Unverified> {
    let secrets: Vec<&str> = signing(credentials).chain(bearer(credentials)).collect();
    if secrets.is_empty() {
        return Err(Unverified::NoSecret);
    }
    let (place, token) = match place {
        TokenPlace::Header { name, prefix } => {
            let place = Place::header(name);
            let token = without_prefix(call.header(name)?, prefix).map(str::to_owned);
            (place.clone(), token.ok_or(Unverified::Malformed(place))?)
        }
        TokenPlace::Parameter { name } => {
            let place = Place::Parameter(name.clone());
            (place.clone(), call.parameter(name)?.ok_or(Unverified::Missing(place))?)
        }
    };
    if is_one_of(secrets, token.as_bytes()) { Ok(Verified::default()) } else { Err(Unverified::Mismatch(place)) }
}

/// What stands after the prefix, which is a word like `Bearer ` in upper or lower case.
pub(super) fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
