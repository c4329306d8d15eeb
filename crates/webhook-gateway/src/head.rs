//! What of a head is too much. Pure.

use http::request::Parts;

use crate::answer::Answer;

/// Bytes of the longest URL, its query included.
const URL: usize = 8 << 10;
/// Headers, a repeated one as often as it comes.
const HEADERS: usize = 100;
/// Bytes of all of them, names and values.
const BYTES: usize = 16 << 10;

/// Refuses a head that is too large.
pub(crate) fn check(head: &Parts) -> Result<(), Answer> {
    if head.uri.path_and_query().map_or(0, |url| url.as_str().len()) > URL {
        return Err(Answer::UrlTooLong);
    }
    let bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head.headers.len() > HEADERS || bytes > BYTES { Err(Answer::HeadTooLarge) } else { Ok(()) }
}
