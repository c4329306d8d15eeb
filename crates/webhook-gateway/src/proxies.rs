//! Who called, where proxies stand in between: `X-Forwarded-*` is believed of those that the operator named, and of nobody else. Pure.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;
use http::uri::Authority;

/// The proxies that are trusted; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// An entry of the list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IP address and no network in CIDR notation")]
pub struct InvalidProxy(String);

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

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Proxies {
    /// What is known of the caller behind the connection from `peer`.
    pub(crate) fn origin(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Origin {
        let Some(peer) = peer.map(|peer| peer.to_canonical()) else { return Origin::default() };
        if !self.trusts(peer) {
            return Origin { address: Some(peer), ..Origin::default() };
        }
        // Each proxy adds whom it heard from at the end: from there on the first one that is no proxy of ours is the caller. What stands
        // before it the caller may have made up.
        let forwarded = entries(headers, "x-forwarded-for");
        let mut address = peer;
        for entry in forwarded.iter().rev() {
            let Some(named) = address_of(entry) else { break };
            address = named;
            if !self.trusts(named) {
                break;
            }
        }
        // The last one is what the nearest proxy says.
        let scheme = entries(headers, "x-forwarded-proto").pop().and_then(|scheme| match scheme {
            "http" => Some("http"),
            "https" => Some("https"),
            _ => None,
        });
        let host = entries(headers, "x-forwarded-host").pop().filter(|host| is_host(host)).map(str::to_owned);
        Origin { address: Some(address), scheme, host }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl FromStr for Proxies {
    type Err = InvalidProxy;

    /// Reads a comma-separated list of addresses and networks (`10.1.0.0/16`).
    fn from_str(list: &str) -> Result<Self, InvalidProxy> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| Network::read(entry).ok_or_else(|| InvalidProxy(entry.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok().filter(|bits| *bits <= all))?;
        Some(Self { address, bits })
    }

    fn contains(self, other: IpAddr) -> bool {
        let differing = match (self.address, other) {
            (IpAddr::V4(network), IpAddr::V4(other)) => (network.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(network), IpAddr::V6(other)) => (network.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differing >= u32::from(self.bits)
    }
}

/// The entries of a header that is a list, written in one line or in several.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// Some proxies write the port, too.
fn address_of(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<std::net::SocketAddr>().map(|address| address.ip());
    address.or_else(|_| entry.trim_matches(['[', ']']).parse()).ok().map(|address: IpAddr| address.to_canonical())
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
    fn a_list_of_networks_is_read_and_anything_else_refused() {
        let proxies: Proxies = "10.1.0.0/16, 192.0.2.7,2001:db8::/32 ,::1".parse().unwrap();
        for trusted in ["10.1.2.3", "192.0.2.7", "2001:db8:7::1", "::1"] {
            assert!(proxies.trusts(trusted.parse().unwrap()), "{trusted}");
        }
        for other in ["10.2.0.1", "192.0.2.8", "2001:db9::1", "::2", "127.0.0.1"] {
            assert!(!proxies.trusts(other.parse().unwrap()), "{other}");
        }
        assert!("0.0.0.0/0".parse::<Proxies>().unwrap().trusts("203.0.113.9".parse().unwrap()));
        for wrong in ["10.0.0.0/33", "10.0.0", "proxy.internal", "10.0.0.0/", "::/129", "10.0.0.0/8/8"] {
            assert_eq!(wrong.parse::<Proxies>(), Err(InvalidProxy(wrong.to_owned())), "{wrong}");
        }
        assert_eq!("".parse(), Ok(Proxies::default()));
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
        assert_eq!(proxies.origin(Some(ip("198.51.100.4")), &told), expected);
        assert_eq!(Proxies::default().origin(Some(ip("10.0.0.1")), &told).address, Some(ip("10.0.0.1")));
        assert_eq!(proxies.origin(None, &told), Origin::default());
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
            assert_eq!(proxies.origin(Some(ip("10.0.0.1")), &headers(&lines)).address, Some(ip(expected)), "{lines:?}");
        }
        let mapped = proxies.origin(Some(ip("::ffff:10.0.0.1")), &headers(&[("x-forwarded-for", "203.0.113.1")]));
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
            let origin = proxies.origin(Some(ip("10.0.0.1")), &told);
            assert_eq!((origin.scheme, origin.host.as_deref()), (expected_scheme, expected_host), "{scheme} {host}");
        }
    }
}
