//! TLS on the port, and what the caller showed of itself.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::config::{Fault, Served};

/// Speaks TLS as the configuration says. Callers need no certificate here; one that they show must be of the roles' authority.
pub(super) fn acceptor(served: &Served) -> Result<TlsAcceptor, Fault> {
    let provider = Arc::new(ring::default_provider());
    let wrong = |key: &'static str, cause: &dyn std::fmt::Display| {
        Fault::new(key, format!("cannot be used: {cause}"), "the path of a PEM file")
    };
    let chain = certificates(&served.certificate).map_err(|e| wrong("http.tls_certificate", &e))?;
    let key = PrivateKeyDer::from_pem_slice(&served.key).map_err(|e| wrong("http.tls_key", &e))?;
    let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let config = config.map_err(|e| wrong("http.tls_certificate", &e))?;
    let config = match &served.client_ca {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            for one in certificates(authority).map_err(|e| wrong("http.client_ca", &e))? {
                roots.add(one).map_err(|e| wrong("http.client_ca", &e))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            // Who is no peer calls here as well: a certificate is asked of those who call as peers.
            let verifier = verifier.allow_unauthenticated().build().map_err(|e| wrong("http.client_ca", &e))?;
            config.with_client_cert_verifier(verifier)
        }
    };
    let mut config = config.with_single_cert(chain, key).map_err(|e| wrong("http.tls_key", &e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    if all.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(all) }
}
