//! The secrets that went with a run's calls: no answer that a script gets, or a record keeps, repeats one of them.

use std::cmp::Reverse;

use bytes::Bytes;
use tidegate_model::Secret;
use tidegate_model::kept::MASK;

use crate::egress::Response;

/// What is masked, the longest first: one may be a part of another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masks(Vec<Secret>);

impl Masks {
    /// Masks these texts, and what they are within JSON and within a form.
    pub(crate) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut masks = Self::default();
        for text in texts {
            let json = serde_json::Value::from(text).to_string();
            let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let forms = [text, json.trim_start_matches('"').trim_end_matches('"'), &form];
            masks.add(&Self(forms.into_iter().filter(|form| !form.is_empty()).map(Secret::new).collect()));
        }
        masks
    }

    /// Masks those too.
    pub(crate) fn add(&mut self, others: &Self) {
        for secret in &others.0 {
            if !self.0.contains(secret) {
                self.0.push(secret.clone());
            }
        }
        self.0.sort_by_key(|secret| Reverse(secret.reveal().len()));
    }

    /// An answer without them.
    pub(crate) fn response(&self, mut response: Response) -> Response {
        if self.0.is_empty() {
            return response;
        }
        for (name, value) in &mut response.headers {
            self.hide_in(name);
            self.hide_in(value);
        }
        let masked = self.0.iter().fold(None, |masked: Option<Vec<u8>>, secret| {
            let found = without(masked.as_deref().unwrap_or(&response.body), secret.reveal().as_bytes());
            found.or(masked)
        });
        response.body = masked.map_or(response.body, Bytes::from);
        if response.truncated {
            response.body = self.without_beginning_at_the_end(response.body);
        }
        response
    }

    fn hide_in(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.reveal()) {
                *text = text.replace(secret.reveal(), MASK);
            }
        }
    }

    /// An answer is cut where it is too long: then it may end within a secret.
    fn without_beginning_at_the_end(&self, body: Bytes) -> Bytes {
        let begun = |secret: &Secret| {
            let secret = secret.reveal().as_bytes();
            (1..secret.len()).rev().find(|&length| body.ends_with(&secret[..length]))
        };
        match self.0.iter().filter_map(begun).max() {
            Some(length) => [&body[..body.len() - length], MASK.as_bytes()].concat().into(),
            None => body,
        }
    }
}

/// The bytes with each `needle` replaced; `None` where there is none.
fn without(bytes: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let mut next = find(bytes, needle);
    next?;
    let (mut rest, mut masked) = (bytes, Vec::with_capacity(bytes.len()));
    while let Some(at) = next {
        masked.extend_from_slice(&rest[..at]);
        masked.extend_from_slice(MASK.as_bytes());
        rest = &rest[at + needle.len()..];
        next = find(rest, needle);
    }
    masked.extend_from_slice(rest);
    Some(masked)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|&byte| byte == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(masks: &Masks, body: &[u8], truncated: bool) -> Bytes {
        let headers = Vec::new();
        masks.response(Response { status: 200, headers, body: Bytes::copy_from_slice(body), truncated }).body
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand_and_nothing_else_is_changed() {
        let masks = Masks::of(["s3cr3t", "s3cr3t-longer", "", "two\"words ü"]);
        for (body, expected) in [
            (&b"a s3cr3t-longer, s3cr3ts3cr3t."[..], &b"a ***, ******."[..]),
            (b"\xffs3cr3t\xffs3cr3", b"\xff***\xffs3cr3"),
            (b"s3cr3", b"s3cr3"),
            (br#"{"a":"two\"words "#, br#"{"a":"two\"words "#),
            ("{\"a\":\"two\\\"words ü\"}".as_bytes(), br#"{"a":"***"}"#),
            (b"a=two%22words+%C3%BC&b", b"a=***&b"),
            (b"", b""),
        ] {
            assert_eq!(masked(&masks, body, false), expected, "{}", String::from_utf8_lossy(body));
        }
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![header("x-a", "Bearer s3cr3t"), header("x-s3cr3t", "2")];
        let answer = masks.response(Response { status: 200, headers, body: Bytes::new(), truncated: false });
        assert_eq!(answer.headers, [header("x-a", "Bearer ***"), header("x-***", "2")]);
    }

    #[test]
    fn what_was_cut_within_a_secret_does_not_show_its_beginning() {
        let masks = Masks::of(["s3cr3t", "cr3t-too"]);
        for (body, expected) in [(&b"a s3c"[..], &b"a ***"[..]), (b"a s3cr3", b"a ***"), (b"as", b"a***"), (b"a", b"a")]
        {
            assert_eq!(masked(&masks, body, true), expected);
        }
        assert_eq!(masked(&masks, b"a s3c", false), &b"a s3c"[..]);
    }
}
