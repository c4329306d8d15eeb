//! Who called, where proxies stand in between: `X-Forwarded-*` is believed of those that the operator named, and of nobody else. Pure.

use std::net::IpAddr;

use http::HeaderMap;
use http::uri::Authority;
use tidegate_model::Proxies;

/// What can be told of where a call came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address that called.
    pub(crate) address: Option<IpAddr>,
    /// `http` or `https`, where a trusted proxy says.
    pub(crate) scheme: Option<&'static str>,
    /// The host that was called, where a trusted proxy says.
    pub(crate) host: Option<String>,
}

/// What is known of the caller behind the connection from `peer`.
pub(crate) fn origin(proxies: &Proxies, peer: Option<IpAddr>, headers: &HeaderMap) -> Origin {
    let Some(peer) = peer.map(|peer| peer.to_canonical()) else { return Origin::default() };
    if !proxies.trusts(peer) {
        return Origin { address: Some(peer), ..Origin::default() };
    }
    let address = proxies.caller(peer, &entries(headers, "x-forwarded-for"));
    // The last one is what the nearest proxy says.
    let scheme = entries(headers, "x-forwarded-proto").pop().and_then(|scheme| match scheme {
        "http" => Some("http"),
        "https" => Some("https"),
        _ => None,
    });
    let host = entries(headers, "x-forwarded-host").pop().filter(|host| is_host(host)).map(str::to_owned);
    Origin { address: Some(address), scheme, host }
}

/// The entries of a header that is a list, written in one line or in several.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_stranger_is_believed_nothing() {
        let told = headers(&[
            ("x-forwarded-for", "203.0.113.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "bank.example"),
        ]);
        let proxies: Proxies = "10.0.0.0/8".parse().unwrap();
        let expected = Origin { address: Some(ip("198.51.100.4")), scheme: None, host: None };
        assert_eq!(origin(&proxies, Some(ip("198.51.100.4")), &told), expected);
        assert_eq!(origin(&Proxies::default(), Some(ip("10.0.0.1")), &told).address, Some(ip("10.0.0.1")));
        assert_eq!(origin(&proxies, None, &told), Origin::default());
    }

    #[test]
    fn the_caller_is_the_last_address_that_is_no_proxy_of_ours() {
        let proxies: Proxies = "10.0.0.0/8, 2001:db8::1".parse().unwrap();
        let cases: [(&[&str], &str); 9] = [
            (&[], "10.0.0.1"),
            (&["203.0.113.1"], "203.0.113.1"),
            (&["203.0.113.1, 10.9.9.9"], "203.0.113.1"),
            (&["192.0.2.66, 203.0.113.1, 10.9.9.9"], "203.0.113.1"),
            (&["192.0.2.66", "203.0.113.1", "2001:db8::1"], "203.0.113.1"),
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (&["203.0.113.1:4711"], "203.0.113.1"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["203.0.113.1, unknown, 10.2.2.2"], "10.2.2.2"),
        ];
        for (lines, expected) in cases {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(
                origin(&proxies, Some(ip("10.0.0.1")), &headers(&lines)).address,
                Some(ip(expected)),
                "{lines:?}"
            );
        }
        let mapped = origin(&proxies, Some(ip("::ffff:10.0.0.1")), &headers(&[("x-forwarded-for", "203.0.113.1")]));
        assert_eq!(mapped.address, Some(ip("203.0.113.1")));
    }

    #[test]
    fn what_a_proxy_says_of_the_url_must_make_sense() {
        let proxies: Proxies = "10.0.0.1".parse().unwrap();
        let cases = [
            ("https", "hooks.example:8443", Some("https"), Some("hooks.example:8443")),
            ("http, https", "made.up, hooks.example", Some("https"), Some("hooks.example")),
            ("javascript", "user@hooks.example", None, None),
            ("", "a b", None, None),
        ];
        for (scheme, host, expected_scheme, expected_host) in cases {
            let told = headers(&[("x-forwarded-proto", scheme), ("x-forwarded-host", host)]);
            let origin = origin(&proxies, Some(ip("10.0.0.1")), &told);
            assert_eq!((origin.scheme, origin.host.as_deref()), (expected_scheme, expected_host), "{scheme} {host}");
        }
    }
}
