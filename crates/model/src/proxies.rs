//! Who called, where proxies stand in between: `X-Forwarded-For` is believed of those that the operator named, and of nobody else. Pure.

use std::net::IpAddr;
use std::str::FromStr;

/// The proxies that are trusted; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// An entry of the list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IP address and no network in CIDR notation")]
pub struct InvalidProxy(String);

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Proxies {
    /// The address that called behind the connection from `peer`; `forwarded` is what `X-Forwarded-For` lists, in its order.
    pub fn caller(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        // Each proxy adds whom it heard from at the end: from there on the first one that is no proxy of ours is the caller. What stands
        // before it the caller may have made up.
        let mut address = peer;
        for entry in forwarded.iter().rev() {
            let Some(named) = address_of(entry) else { break };
            address = named;
            if !self.trusts(named) {
                break;
            }
        }
        address
    }

    /// Whether what comes from there is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
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

/// Some proxies write the port, too.
fn address_of(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<std::net::SocketAddr>().map(|address| address.ip());
    address.or_else(|_| entry.trim_matches(['[', ']']).parse()).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
