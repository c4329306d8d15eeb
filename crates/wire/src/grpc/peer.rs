//! The other end of a [`Server`](super::Server): contracts that are carried out elsewhere.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::contract::{Objects, Registry, TokenAuthority, Vault};
use tonic::transport::{Channel, Endpoint};

use super::authority::RemoteTokenAuthority;
use super::objects::RemoteObjects;
use super::proof::{PeerChannel, Proof};
use super::registry::RemoteRegistry;
use super::vault::RemoteVault;

/// A role that runs elsewhere.
///
/// It is connected by the first call, and again by the first call after it was lost; a peer that is silent for a while is found out by
/// pings. A call that gets no answer is `Unavailable`. Reads are tried again a few times, changes never.
#[derive(Clone)]
pub struct Peer {
    channel: PeerChannel,
}

/// The peer cannot be called at all, however long one waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeer {
    /// The URL is none.
    #[error("{0:?} is not the URL of a peer: write http://host:port")]
    Url(String),
    /// The secret is empty, or cannot stand in a header.
    #[error("the peer secret is empty, or has other characters than visible ASCII")]
    Secret,
}

impl Peer {
    /// Prepares to call the role at `url` (`http://host:port`), showing `proof` with each call; nothing is connected yet.
    pub fn connect(url: &str, proof: impl Into<Proof>) -> Result<Self, InvalidPeer> {
        let channel = PeerChannel::new(channel(url)?, proof.into());
        Ok(Self { channel: channel.ok_or(InvalidPeer::Secret)? })
    }

    /// The definitions, from a director.
    pub fn registry(&self) -> Arc<dyn Registry> {
        Arc::new(RemoteRegistry::new(self.channel.clone()))
    }

    /// The domain objects, from a director.
    pub fn objects(&self) -> Arc<dyn Objects> {
        Arc::new(RemoteObjects::new(self.channel.clone()))
    }

    /// Third parties' secrets, from a director.
    pub fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(RemoteVault::new(self.channel.clone()))
    }

    /// Who vouches for access tokens, from a credentials service.
    pub fn authority(&self) -> Arc<dyn TokenAuthority> {
        Arc::new(RemoteTokenAuthority::new(self.channel.clone()))
    }
}

/// A line to the role at this URL.
pub(super) fn channel(url: &str) -> Result<Channel, InvalidPeer> {
    let invalid = || InvalidPeer::Url(url.to_owned());
    if !url.starts_with("http://") {
        return Err(invalid());
    }
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| invalid())?;
    let channel = endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true)
        .http2_adaptive_window(true)
        .connect_lazy();
    Ok(channel)
}
