//! Which addresses and names outgoing calls may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// What an operator allows although it is not public. Everything public is allowed, everything else refused.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    networks: Vec<IpNet>,
    names: Vec<String>,
}

/// An entry of the allow list is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IP address, no network in CIDR notation and no host name")]
pub struct InvalidAllowance(String);

impl Policy {
    /// Allows these besides what is public: addresses, networks (`10.1.0.0/16`), host names (with whatever they resolve to).
    pub fn allowing<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidAllowance> {
        let mut policy = Self::default();
        for entry in entries.into_iter().map(str::trim).filter(|e| !e.is_empty()) {
            if let Ok(network) = entry.parse::<IpNet>() {
                policy.networks.push(network);
            } else if let Ok(address) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
                policy.networks.push(address.into());
            } else {
                match url::Host::parse(entry) {
                    Ok(url::Host::Domain(name)) if !entry.contains('/') => policy.names.push(normal(&name)),
                    _ => return Err(InvalidAllowance(entry.to_owned())),
                }
            }
        }
        Ok(policy)
    }

    /// Allows this machine's own addresses besides what is public: for development.
    pub fn allowing_loopback() -> Self {
        let networks = [IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST)), IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))];
        Self { networks: networks.into(), names: Vec::new() }
    }

    pub(super) fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address)) || is_public(address)
    }

    /// Whether the operator named this host: then its addresses are not looked at.
    pub(super) fn allows_name(&self, name: &str) -> bool {
        self.names.contains(&normal(name))
    }
}

impl FromStr for Policy {
    type Err = InvalidAllowance;

    /// Reads a comma-separated list.
    fn from_str(list: &str) -> Result<Self, InvalidAllowance> {
        Self::allowing(list.split(','))
    }
}

/// Lower case, without the dot at the end.
fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Names that are never public, whatever a resolver says: this machine's, the local network's, a cluster's, a cloud's own.
const INNER: [&str; 9] =
    ["localhost", "localdomain", "local", "internal", "intranet", "lan", "svc", "home.arpa", "cluster.local"];

pub(super) fn is_inner_name(name: &str) -> bool {
    let name = normal(name);
    !name.contains('.') || INNER.iter().any(|inner| name == *inner || name.ends_with(&format!(".{inner}")))
}

/// Whether a name means this machine (RFC 6761).
pub(super) fn is_localhost(name: &str) -> bool {
    let name = normal(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// IPv4 networks that are not public (IANA's special-purpose registry, and multicast), and a cloud's own address among the public ones.
const SPECIAL_V4: [(Ipv4Addr, u8); 19] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's platform: metadata, keys, the agent's orders.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// IPv6 networks within `2000::/3` that are not public, or carry an IPv4 address that may not be.
const SPECIAL_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let bits = v4.to_bits();
            !SPECIAL_V4.iter().any(|(network, length)| (bits ^ network.to_bits()) >> (32 - length) == 0)
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            let global_unicast = bits >> 125 == 0b001;
            global_unicast
                && !SPECIAL_V6.iter().any(|(network, length)| (bits ^ network.to_bits()) >> (128 - length) == 0)
        }
    }
}
