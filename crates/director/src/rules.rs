//! What inputs must be: pure rules, each broken one told with its field.

use tidegate_model::{Error, Json, Violation};
use url::Url;

/// Collects the broken rules of one input, so that a caller hears of all of them at once.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Violation>);

impl Rules {
    /// Notes a broken rule unless `holds`.
    pub(crate) fn expect(&mut self, holds: bool, field: &str, expected: &str) {
        if !holds {
            self.0.push(Violation { field: field.to_owned(), expected: expected.to_owned() });
        }
    }

    /// Takes the value, or notes that it could not be read.
    pub(crate) fn take<T, E>(&mut self, value: Result<T, E>, field: &str, expected: &str) -> Option<T> {
        self.expect(value.is_ok(), field, expected);
        value.ok()
    }

    /// Checks a name that people give: it stands in scripts' chunk names and usernames.
    pub(crate) fn name(&mut self, name: &str, field: &str) {
        let fits = (1..=128).contains(&name.chars().count());
        self.expect(fits && !name.chars().any(char::is_control), field, "1 to 128 characters, no control characters");
    }

    /// Checks a text for people.
    pub(crate) fn description(&mut self, text: Option<&str>, field: &str) {
        self.expect(text.is_none_or(|t| t.chars().count() <= 2000), field, "at most 2000 characters");
        self.expect(text.is_none_or(|t| !t.contains('\0')), field, "no NUL characters");
    }

    /// Answers `InvalidData` when a rule was broken.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::InvalidData(self.0)) }
    }
}

/// How deeply a state may be nested: an event wraps more around it, and has to be readable where it arrives.
pub(crate) const MAX_STATE_DEPTH: usize = tidegate_model::MAX_DEPTH - 8;

/// How deeply arrays and objects are nested in a JSON text.
pub(crate) fn depth(json: &Json) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in json.as_str().bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// Whether this names an Integration System: 1..=36 characters, a lower-case DNS-1123 subdomain without a leading digit.
pub(crate) fn is_integration_system_name(name: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    (1..=36).contains(&name.len()) && !name.starts_with(|c: char| c.is_ascii_digit()) && name.split('.').all(label)
}

/// Whether this is an absolute http or https URL that can be called: with a host, without credentials.
pub(crate) fn is_http_url(text: &str) -> bool {
    text.len() <= 2048
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_integration_systems_are_dns_subdomains_without_a_leading_digit() {
        for good in ["a", "integration-system", "a.b-c.d9", &"x".repeat(36)] {
            assert!(is_integration_system_name(good), "{good}");
        }
        for bad in ["", "A", "9a", "-a", "a-", "a..b", ".a", "a.", "a_b", "ä", &"x".repeat(37)] {
            assert!(!is_integration_system_name(bad), "{bad}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_of_strings() {
        for (text, is) in [("1", 0), ("{}", 1), (r#"{"a":[[],{"[{":"]}\"["}]}"#, 3), (r#"["\\",[1],{"a":{}}]"#, 3)] {
            assert_eq!(depth(&Json::parse(text).unwrap()), is, "{text}");
        }
    }

    #[test]
    fn only_absolute_http_urls_can_be_called() {
        for good in ["http://example.com", "https://example.com:8443/a?b=c#d", "http://127.0.0.1/x"] {
            assert!(is_http_url(good), "{good}");
        }
        for bad in
            ["", "/path", "example.com", "ftp://example.com", "http://", "https://u:p@example.com", "http://a b/"]
        {
            assert!(!is_http_url(bad), "{bad}");
        }
    }
}
