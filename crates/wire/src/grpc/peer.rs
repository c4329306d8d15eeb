//! The other end of a [`Server`](super::Server): contracts that are carried out elsewhere.

use std::sync::Arc;
use std::time::Duration;

use tidegate_model::contract::{Objects, Registry, TokenAuthority, Vault};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::authority::RemoteTokenAuthority;
use super::objects::RemoteObjects;
use super::proof::{PeerChannel, Proof};
use super::registry::RemoteRegistry;
use super::vault::RemoteVault;
use crate::standing::with_causes;

/// A role that runs elsewhere.
///
/// It is connected by the first call, and again by the first call after it was lost; a peer that is silent for a while is found out by
/// pings. A call that gets no answer is `Unavailable`. Reads are tried again a few times, changes never.
#[derive(Clone)]
pub struct Peer {
    channel: PeerChannel,
}

/// By what a peer is known over TLS, and knows this process; all of it in PEM.
#[derive(Clone)]
pub struct PeerTls {
    /// Who signs the certificates of peers: nobody else's is believed.
    pub authority: Vec<u8>,
    /// What peers are shown: a certificate, with its chain, and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// The peer cannot be called at all, however long one waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeer {
    /// The URL is none.
    #[error(
        "{0:?} is not the URL of a peer: write http://host:port, or https://host:port and who signs its certificate"
    )]
    Url(String),
    /// Certificates or keys are none.
    #[error("the certificates for calls to peers cannot be used: {0}")]
    Certificate(String),
    /// The secret is empty, or cannot stand in a header.
    #[error("the peer secret is empty, or has other characters than visible ASCII")]
    Secret,
}

impl Peer {
    /// Prepares to call the role at `url` (`http://host:port`, with `tls` also `https://host:port`), showing `proof` with each call; nothing
    /// is connected yet.
    pub fn connect(url: &str, proof: impl Into<Proof>, tls: Option<&PeerTls>) -> Result<Self, InvalidPeer> {
        let channel = PeerChannel::new(url, channel(url, tls)?, proof.into());
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
pub(super) fn channel(url: &str, tls: Option<&PeerTls>) -> Result<Channel, InvalidPeer> {
    let invalid = || InvalidPeer::Url(url.to_owned());
    let endpoint = || Endpoint::from_shared(url.to_owned()).map_err(|_| invalid());
    let endpoint = match (url.split_once("://"), tls) {
        (Some(("http", _)), _) => endpoint()?,
        (Some(("https", _)), Some(tls)) => {
            let secured = endpoint()?.tls_config(tls.config());
            secured.map_err(|cause| InvalidPeer::Certificate(with_causes(&cause)))?
        }
        _ => return Err(invalid()),
    };
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

impl PeerTls {
    fn config(&self) -> ClientTlsConfig {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.authority));
        match &self.identity {
            Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
            None => config,
        }
    }
}
