//! The requests of clients, read from headers and form; pure.

use std::collections::BTreeMap;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use tidegate_model::Secret;

use super::refusal::Refusal;

/// A client with its secret, as presented; both may be anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

/// A request for a token that names a grant this service has, and a client with a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenRequest {
    pub(crate) client: Presented,
    /// The scopes asked for; `None` asks for all.
    pub(crate) scope: Option<String>,
}

/// What is asked about a token, or for its end (RFC 7662 section 2.1, RFC 7009 section 2.1). A `token_type_hint` says nothing: there is one
/// type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AboutToken {
    pub(crate) client: Presented,
    /// As presented; may be anything.
    pub(crate) token: Secret,
}

/// More than any honest request needs.
const MAX_BODY: usize = 16 * 1024;

/// Head and body of a request to one of the endpoints.
async fn parts(request: Request) -> Result<(HeaderMap, Bytes), Refusal> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await;
    Ok((head.headers, body.map_err(|_| Refusal::Request("the body cannot be read, or is too long"))?))
}

impl TokenRequest {
    /// Reads a request.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let (headers, body) = parts(request).await?;
        Self::parse(&headers, &body)
    }

    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let mut form = form(headers, body)?;
        match form.remove("grant_type").as_deref() {
            Some("client_credentials") => {}
            Some(_) => return Err(Refusal::GrantType),
            None => return Err(Refusal::Request("grant_type is missing")),
        }
        let scope = form.remove("scope");
        Ok(Self { client: Presented::parse(headers, &mut form)?, scope })
    }
}

impl AboutToken {
    /// Reads a question; who asks is told before what is asked about, so that a stranger hears of nothing but that.
    pub(crate) async fn read(request: Request) -> Result<Self, Refusal> {
        let (headers, body) = parts(request).await?;
        let mut form = form(&headers, &body)?;
        let client = Presented::parse(&headers, &mut form)?;
        let token = form.remove("token").ok_or(Refusal::Request("token is missing"))?;
        Ok(Self { client, token: Secret::new(token) })
    }
}

impl Presented {
    /// Takes the credentials from the `Authorization` header or from the form; they never come in both.
    fn parse(headers: &HeaderMap, form: &mut BTreeMap<String, String>) -> Result<Self, Refusal> {
        let posted = (form.remove("client_id"), form.remove("client_secret"));
        let (client_id, client_secret) = match (basic(headers)?, posted) {
            (Some(_), (_, Some(_))) => return Err(Refusal::Request("the client authenticates in two ways")),
            (Some((id, _)), (Some(other), None)) if id != other => {
                return Err(Refusal::Request("client_id is not the one that authenticates"));
            }
            (Some(basic), _) => basic,
            (None, (Some(id), Some(secret))) => (id, Secret::new(secret)),
            (None, _) => return Err(Refusal::Client),
        };
        Ok(Self { client_id, client_secret })
    }
}

/// The form's parameters; one without a value counts as absent (RFC 6749 section 3.2).
fn form(headers: &HeaderMap, body: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::Request("the content type must be application/x-www-form-urlencoded"));
    }
    let mut form = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::Request("a parameter is repeated"));
        }
    }
    form.retain(|_, value| !value.is_empty());
    Ok(form)
}

/// The credentials of `client_secret_basic`: both parts form-encoded, then base64 (RFC 6749 section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Request("the Authorization header is repeated"));
    }
    let credentials = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| {
            let colon = bytes.iter().position(|byte| *byte == b':')?;
            Some((form_decoded(&bytes[..colon])?, Secret::new(form_decoded(&bytes[colon + 1..])?)))
        });
    credentials.map(Some).ok_or(Refusal::Client)
}

/// Decodes one form-encoded value; `None` when it holds what cannot stand in one.
fn form_decoded(value: &[u8]) -> Option<String> {
    // Where `&` and `=` would split, there is nothing to split.
    let escaped = value.iter().fold(Vec::with_capacity(value.len() + 1), |mut escaped, byte| {
        match byte {
            b'&' => escaped.extend(b"%26"),
            b'=' => escaped.extend(b"%3D"),
            other => escaped.push(*other),
        }
        escaped
    });
    match form_urlencoded::parse(&escaped).next() {
        Some((text, _)) => Some(text.into_owned()),
        None => value.is_empty().then(String::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn parsed(content_type: &str, authorization: &[&str], body: &str) -> Result<TokenRequest, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        for value in authorization {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        TokenRequest::parse(&headers, body.as_bytes())
    }

    fn basic_of(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn request(id: &str, secret: &str, scope: Option<&str>) -> TokenRequest {
        let client = Presented { client_id: id.to_owned(), client_secret: Secret::new(secret) };
        TokenRequest { client, scope: scope.map(str::to_owned) }
    }

    #[test]
    fn credentials_come_in_the_header_or_in_the_form() {
        let grant = "grant_type=client_credentials";
        let cases = [
            (basic_of("a:b"), grant.to_owned(), request("a", "b", None)),
            (basic_of("a:b"), format!("{grant}&client_id=a"), request("a", "b", None)),
            (basic_of("a%3A1:b+c%25&=d"), grant.to_owned(), request("a:1", "b c%&=d", None)),
            (basic_of("a:b:c"), grant.to_owned(), request("a", "b:c", None)),
            (basic_of("a:"), grant.to_owned(), request("a", "", None)),
            (basic_of("a:b").replace("Basic", "bAsIc"), grant.to_owned(), request("a", "b", None)),
            (basic_of("a:b"), format!("{grant}&scope=x:read+y:write"), request("a", "b", Some("x:read y:write"))),
            (basic_of("a:b"), format!("{grant}&scope=&client_secret="), request("a", "b", None)),
        ];
        for (authorization, body, expected) in cases {
            assert_eq!(parsed(FORM, &[&authorization], &body), Ok(expected), "{body}");
        }
        let posted = parsed(&format!("{FORM}; charset=utf-8"), &[], &format!("{grant}&client_id=a&client_secret=b%2B"));
        assert_eq!(posted, Ok(request("a", "b+", None)));
    }

    #[test]
    fn each_fault_has_its_code() {
        let grant = "grant_type=client_credentials";
        let (basic, request) = (basic_of("a:b"), |text| Refusal::Request(text));
        let cases: [(&str, &[&str], String, Refusal); 13] = [
            (
                "application/json",
                &[&basic],
                grant.into(),
                request("the content type must be application/x-www-form-urlencoded"),
            ),
            (FORM, &[&basic], String::new(), request("grant_type is missing")),
            (FORM, &[&basic], "grant_type=".into(), request("grant_type is missing")),
            (FORM, &[&basic], "grant_type=password".into(), Refusal::GrantType),
            (FORM, &[&basic], format!("{grant}&{grant}"), request("a parameter is repeated")),
            (FORM, &[&basic], format!("{grant}&scope=a&scope="), request("a parameter is repeated")),
            (
                FORM,
                &[&basic],
                format!("{grant}&client_id=a&client_secret=b"),
                request("the client authenticates in two ways"),
            ),
            (FORM, &[&basic], format!("{grant}&client_id=x"), request("client_id is not the one that authenticates")),
            (FORM, &[&basic, &basic], grant.into(), request("the Authorization header is repeated")),
            (FORM, &[], grant.into(), Refusal::Client),
            (FORM, &[], format!("{grant}&client_id=a"), Refusal::Client),
            (FORM, &["Bearer abc"], grant.into(), Refusal::Client),
            (FORM, &["Basic !!"], grant.into(), Refusal::Client),
        ];
        for (content_type, authorization, body, expected) in cases {
            assert_eq!(parsed(content_type, authorization, &body), Err(expected), "{content_type} {body}");
        }
    }

    #[test]
    fn a_secret_is_not_in_debug() {
        assert!(!format!("{:?}", request("a", "hunter2", None)).contains("hunter2"));
    }
}
