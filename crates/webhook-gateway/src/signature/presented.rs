//! What came, as schemes look at it.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use tidegate_model::{HttpMethod, Timestamp};

use super::{Place, Unverified};

/// All of a call that a signature can be over.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// The method.
    pub(crate) method: HttpMethod,
    /// What was called, with its query.
    pub(crate) url: String,
    /// As they came.
    pub(crate) headers: HeaderMap,
    /// The body as it came, byte for byte.
    pub(crate) received: Bytes,
    /// The body as scripts see it.
    pub(crate) body: Bytes,
    /// When it came.
    pub(crate) time: Timestamp,
}

impl Evidence {
    pub(super) fn received(&self) -> &[u8] {
        &self.received
    }

    /// The body that was compressed, where it was.
    pub(super) fn decompressed(&self) -> Option<&[u8]> {
        (self.body != self.received).then_some(&*self.body)
    }

    pub(super) fn presented<'a>(&'a self, body: &'a [u8], tolerance: u32) -> Presented<'a> {
        let Self { method, url, headers, time, .. } = self;
        Presented { method: *method, url, headers, body, now: time.timestamp(), tolerance }
    }
}

/// A call with the body that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented<'a> {
    pub(super) method: HttpMethod,
    pub(super) url: &'a str,
    headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// In seconds since 1970.
    now: i64,
    /// How many seconds a signature's time may differ from ours.
    tolerance: u32,
}

impl<'a> Presented<'a> {
    /// The one value of a header.
    pub(super) fn header(&self, name: &str) -> Result<&'a str, Unverified> {
        self.optional_header(name)?.ok_or_else(|| Unverified::Missing(Place::header(name)))
    }

    /// The one value of a header that need not be there.
    pub(super) fn optional_header(&self, name: &str) -> Result<Option<&'a str>, Unverified> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(Unverified::Repeated(Place::header(name)));
        }
        value.map(|value| value.to_str()).transpose().map_err(|_| Unverified::Malformed(Place::header(name)))
    }

    /// The one value of a parameter in the query, decoded.
    pub(super) fn parameter(&self, name: &str) -> Result<Option<String>, Unverified> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        if values.next().is_some() {
            return Err(Unverified::Repeated(Place::Parameter(name.to_owned())));
        }
        Ok(value)
    }

    /// Whether the body is a form.
    pub(super) fn is_form(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// Refuses a time, in seconds since 1970, that is too far from ours; `place` is where it stands.
    pub(super) fn check_time(&self, text: &str, place: impl Fn() -> Place) -> Result<(), Unverified> {
        let digits = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let time: i64 = text.parse().ok().filter(|_| digits).ok_or_else(|| Unverified::Malformed(place()))?;
        let tolerance = i64::from(self.tolerance);
        if self.now - time > tolerance {
            Err(Unverified::Late(place(), self.tolerance))
        } else if time - self.now > tolerance {
            Err(Unverified::Early(place(), self.tolerance))
        } else {
            Ok(())
        }
    }
}
