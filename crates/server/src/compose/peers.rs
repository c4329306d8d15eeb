//! How this process calls the roles that are other processes, and how they know it.

use std::sync::Arc;

use async_trait::async_trait;
use tidegate_model::contract::{KeySet, TokenAuthority};
use tidegate_model::{ClientId, Clock, Error, TokenId};
use tidegate_storage::Store;
use tidegate_wire::grpc::{InvalidPeer, Peer, PeerTls, PeerTokens, Proof};

use crate::config::{Config, Fault};

/// What this process shows to others: tokens of its own, or the secret that all share.
pub(super) fn proof(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Proof>, Fault> {
    let peers = &config.peers;
    let (Some((client, secret)), Some(url)) = (&peers.client, &peers.credentials) else {
        return Ok(peers.secret.as_ref().map(Proof::from));
    };
    let tokens = PeerTokens::new(url, *client, secret, tls(config).as_ref(), clock);
    Ok(Some(Proof::Tokens(Arc::new(tokens.map_err(|invalid| fault("peers.credentials", invalid))?))))
}

/// A role that is another process.
pub(super) fn connect(
    config: &Config,
    proof: Option<&Proof>,
    url: Option<&str>,
    key: &'static str,
) -> Result<Peer, Fault> {
    let missing = || Fault::new(key, "is missing", "the URL of that process, such as http://director:8080");
    let (url, proof) = (url.ok_or_else(missing)?, proof.ok_or_else(missing)?);
    Peer::connect(url, proof.clone(), tls(config).as_ref()).map_err(|invalid| fault(key, invalid))
}

fn tls(config: &Config) -> Option<PeerTls> {
    let called = config.peers.tls.as_ref()?;
    Some(PeerTls { authority: called.ca.clone(), identity: called.shown.clone() })
}

fn fault(key: &'static str, invalid: InvalidPeer) -> Fault {
    match invalid {
        InvalidPeer::Certificate(why) => {
            let why = format!("cannot be used: {why}");
            Fault::new("peers.certificate", why, "the path of a PEM file that goes with peers.key")
        }
        other => Fault::new(key, other.to_string(), "the URL of that process, such as http://director:8080"),
    }
}

/// Keys from whoever issues, and from the store which tokens still count.
pub(super) struct KnownHere {
    pub(super) keys: Arc<dyn TokenAuthority>,
    pub(super) store: Arc<dyn Store>,
}

#[async_trait]
impl TokenAuthority for KnownHere {
    async fn key_set(&self) -> Result<KeySet, Error> {
        self.keys.key_set().await
    }

    async fn is_live(&self, client: ClientId, token: TokenId) -> Result<bool, Error> {
        self.store.is_live(client, token).await
    }
}
