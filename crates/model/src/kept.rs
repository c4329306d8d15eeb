//! What of a call is kept: everything but secrets, up to a limit. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Call, Json};

/// What stands for a value that is not kept.
pub const MASK: &str = "***";

/// Parts of a header's name that say that its value is a credential.
const CREDENTIALS: [&str; 9] =
    ["auth", "authentication", "passwd", "passphrase", "credential", "credentials", "key", "session", "jwt"];

/// Texts that say so wherever they stand in a name.
const TELLING: [&str; 7] = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"];

/// Headers whose name only looks like a credential's.
const HARMLESS: [&str; 2] = ["idempotency-key", "sec-websocket-key"];

/// Whether a header of this name lets somebody in.
pub fn is_credential(header: &str) -> bool {
    let name = header.to_ascii_lowercase().replace(['_', '.'], "-");
    !HARMLESS.contains(&name.as_str())
        && (TELLING.iter().any(|text| name.contains(text)) || name.split('-').any(|part| CREDENTIALS.contains(&part)))
}

/// Whether the value of a header of this name is not kept: it lets somebody in, or is one of those that an Integration has `named`.
pub fn is_masked(header: &str, named: &[String]) -> bool {
    named.iter().any(|name| name.eq_ignore_ascii_case(header)) || is_credential(header)
}

/// Headers on record, with those masked that an Integration has `named`.
pub fn but_named(headers: &Json, named: &[String]) -> Json {
    let is_named = |header: &str| named.iter().any(|name| name.eq_ignore_ascii_case(header));
    let Some(mut all) = headers.attributes().filter(|all| all.iter().any(|(header, _)| is_named(header))) else {
        return headers.clone();
    };
    all.iter_mut().filter(|(header, _)| is_named(header)).for_each(|(_, value)| *value = Json::of(&MASK));
    Json::object(all.iter().map(|(header, value)| (header.as_str(), value)))
}

/// A call of a script's, without the values of the headers that its Integration has `named`.
pub fn call_but_named(mut call: Call, named: &[String]) -> Call {
    if !named.is_empty() {
        call.request_headers = but_named(&call.request_headers, named);
        call.response_headers = call.response_headers.map(|headers| but_named(&headers, named));
    }
    call
}

/// Lower-case name to value; repeated ones are joined, those of credentials masked.
pub fn headers<'h>(all: impl IntoIterator<Item = (&'h str, &'h str)>) -> Json {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in all {
        let name = name.to_ascii_lowercase();
        let value = if is_credential(&name) { MASK } else { value };
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend([", ", value]),
            None => joined.push((name, value.to_owned())),
        }
    }
    let joined: Vec<_> = joined.into_iter().map(|(name, value)| (name, Json::of(&value))).collect();
    Json::object(joined.iter().map(|(name, value)| (name.as_str(), value)))
}

/// A URL without user and password.
pub fn url(text: &str) -> String {
    // As browsers read it, and with them whoever may be called: any number of slashes of either kind.
    let after_scheme = text.find(':').map_or(0, |at| at + 1);
    let slashes = text[after_scheme..].bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    let (before, rest) = text.split_at(after_scheme + slashes);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{before}{MASK}{}", &rest[at..]),
        None => text.to_owned(),
    }
}

/// Text as it is; other bytes, and text that no database keeps, as base64. A character that `truncated` cut in two is left out.
pub fn body(bytes: &[u8], truncated: bool) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(e) if truncated && e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    whole.filter(|text| !text.contains('\0')).map_or_else(|| STANDARD.encode(bytes), str::to_owned)
}

/// The beginning of a text; a longer one says how long it is.
pub fn start_of(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}… ({} bytes in all)", &text[..text.floor_char_boundary(limit)], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_nothing_else() {
        let masked = [
            "authorization",
            "Proxy-Authorization",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "x_api_key",
            "X-ApiKey",
            "api-key",
            "x-auth-token",
            "x-auth",
            "x-gitlab-token",
            "x-vault-token",
            "x.shop.token",
            "x-mytoken",
            "private-token",
            "ocp-apim-subscription-key",
            "x-functions-key",
            "x-client-secret",
            "x-amz-security-token",
            "x-session",
        ];
        for name in masked {
            assert!(is_credential(name), "{name}");
        }
        let harmless = [
            "content-type",
            "user-agent",
            "idempotency-key",
            "Idempotency_Key",
            "x-github-event",
            "x-hub-signature-256",
            "webhook-id",
            "x-author",
            "x-monkey",
            "x-keyboard",
            "x-path",
            "host",
        ];
        for name in harmless {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn headers_are_masked_and_repeated_ones_joined() {
        let all = [("Authorization", "Bearer x"), ("X-Api-Key", "k"), ("Vary", "a"), ("vary", "b"), ("X-A", "1")];
        let expected = r#"{"authorization":"***","x-api-key":"***","vary":"a, b","x-a":"1"}"#;
        assert_eq!(headers(all).as_str(), expected);
    }

    #[test]
    fn what_an_integration_names_is_masked_in_any_case() {
        let named = ["X-Shop-Pin".to_owned(), "x-other".to_owned()];
        let kept = headers([("x-shop-pin", "1234"), ("X-Shop-Pins", "5678"), ("cookie", "c")]);
        assert_eq!(but_named(&kept, &named).as_str(), r#"{"x-shop-pin":"***","x-shop-pins":"5678","cookie":"***"}"#);
        assert_eq!(but_named(&kept, &[]), kept);
        assert!(is_masked("X-SHOP-PIN", &named) && is_masked("Cookie", &[]) && !is_masked("x-shop-pins", &named));
    }

    #[test]
    fn no_user_and_no_password_is_kept_of_a_url() {
        for (given, kept) in [
            ("https://ann:pw@x.example/a?b=c@d", "https://***@x.example/a?b=c@d"),
            ("https://ann@x.example", "https://***@x.example"),
            ("https://a@b:c@x.example/", "https://***@x.example/"),
            ("http:\\\\ann:pw@x.example\\p", "http:\\\\***@x.example\\p"),
            ("http:ann:pw@x.example", "http:***@x.example"),
            ("http:///ann:pw@x.example", "http:///***@x.example"),
            ("https://x.example/a@b", "https://x.example/a@b"),
            ("https://x.example?a@b", "https://x.example?a@b"),
            ("no url", "no url"),
            ("", ""),
        ] {
            assert_eq!(url(given), kept);
        }
    }

    #[test]
    fn text_stays_text_and_other_bytes_become_base64() {
        assert_eq!(body("grüß".as_bytes(), false), "grüß");
        assert_eq!(body(&[0xff, 0x00], false), "/wA=");
        assert_eq!(body(b"a\0b", false), "YQBi");
        assert_eq!(body(&"aé".as_bytes()[..2], true), "a");
        assert_eq!(body(&"aé".as_bytes()[..2], false), "YcM=");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(start_of("aéb", 2), "a… (4 bytes in all)");
        assert_eq!(start_of("aéb", 4), "aéb");
    }
}
