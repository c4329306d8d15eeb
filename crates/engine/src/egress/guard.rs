//! From the text of a URL to the addresses that may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use url::{Host, Url};

use super::EgressError;
use super::policy::{Policy, is_inner_name, is_localhost};

/// Turns a host name into addresses.
#[async_trait]
pub trait NameLookup: Send + Sync {
    /// The addresses of a name; the name is absolute (no search domains apply).
    async fn lookup(&self, name: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl NameLookup for SystemLookup {
    async fn lookup(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect())
    }
}

/// Decides what may be called.
#[derive(Clone)]
pub(super) struct Guard {
    policy: Arc<Policy>,
    lookup: Arc<dyn NameLookup>,
}

impl Guard {
    pub(super) fn new(policy: Policy, lookup: Arc<dyn NameLookup>) -> Self {
        Self { policy: Arc::new(policy), lookup }
    }

    /// Checks all that can be judged without asking a name server; literal addresses are judged here and nowhere else.
    pub(super) fn check_url(&self, text: &str) -> Result<Url, EgressError> {
        let refused = |why: &str| Err(EgressError::Refused { target: String::new(), why: why.to_owned() });
        if text.chars().any(char::is_control) {
            return refused("control characters in the URL");
        }
        let url = Url::parse(text).map_err(|e| EgressError::InvalidUrl(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return refused("only http and https are called");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("user or password in the URL");
        }
        if url.port() == Some(0) {
            return refused("port 0");
        }
        match url.host() {
            None => Err(EgressError::InvalidUrl("it names no host".to_owned())),
            Some(Host::Ipv4(address)) => self.check_address(address.into()).map(|()| url),
            Some(Host::Ipv6(address)) => self.check_address(address.into()).map(|()| url),
            Some(Host::Domain(name)) => self.check_name(name).map(|()| url),
        }
    }

    fn check_address(&self, address: IpAddr) -> Result<(), EgressError> {
        if self.policy.allows_address(address) {
            return Ok(());
        }
        Err(EgressError::Refused { target: address.to_string(), why: "not a public address".to_owned() })
    }

    fn check_name(&self, name: &str) -> Result<(), EgressError> {
        if self.policy.allows_name(name)
            || (is_localhost(name) && !self.own_addresses().is_empty())
            || !is_inner_name(name)
        {
            return Ok(());
        }
        Err(EgressError::Refused { target: name.to_owned(), why: "not a public name".to_owned() })
    }

    /// The addresses of a name that may be connected to. One that may not be refuses the whole name.
    pub(super) async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, EgressError> {
        self.check_name(name)?;
        if is_localhost(name) && !self.policy.allows_name(name) {
            return Ok(self.own_addresses());
        }
        let named = self.policy.allows_name(name);
        // The dot keeps search domains out; a name that the operator allowed may be one of /etc/hosts, which knows none.
        let absolute = if named || name.ends_with('.') { name.to_owned() } else { format!("{name}.") };
        let unresolved = |why: String| EgressError::Unresolved { name: name.to_owned(), why };
        let addresses = self.lookup.lookup(&absolute).await.map_err(|e| unresolved(e.to_string()))?;
        if addresses.is_empty() {
            return Err(unresolved("it has no address".to_owned()));
        }
        if !named {
            for address in &addresses {
                self.check_address(*address)?;
            }
        }
        Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }

    /// This machine's own addresses, as far as they are allowed.
    fn own_addresses(&self) -> Vec<SocketAddr> {
        [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            .into_iter()
            .filter(|ip| self.policy.allows_address(*ip))
            .map(|ip| SocketAddr::new(ip, 0))
            .collect()
    }
}

impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.resolve(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
