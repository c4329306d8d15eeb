//! Certificates: what this process shows, and whose it believes. Read once, when the process starts.

use std::path::PathBuf;

use super::fault::Fault;
use super::values::Values;

/// With what this process listens; PEM.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
    /// Who signs the certificates of other roles; without it they need none.
    pub(crate) client_ca: Option<Vec<u8>>,
}

/// With what this process calls other roles; PEM.
#[derive(Clone)]
pub(crate) struct Called {
    /// Who signs theirs.
    pub(crate) ca: Vec<u8>,
    /// What they are shown: a certificate and its key.
    pub(crate) shown: Option<(Vec<u8>, Vec<u8>)>,
}

/// A certificate and its key, or neither.
type Pair<T> = Option<(T, T)>;

impl Served {
    pub(super) fn read(values: &Values<'_>) -> Result<Option<Self>, Fault> {
        let pair = pair(values, "http.tls_certificate", "http.tls_key")?;
        let client_ca = values.pem("http.client_ca")?;
        match (pair, client_ca) {
            (Some((certificate, key)), client_ca) => Ok(Some(Self { certificate, key, client_ca })),
            (None, Some(_)) => Err(values.missing("http.tls_certificate", "goes with http.client_ca")),
            (None, None) => Ok(None),
        }
    }
}

impl Called {
    pub(super) fn read(values: &Values<'_>) -> Result<Option<Self>, Fault> {
        let shown = pair(values, "peers.certificate", "peers.key")?;
        match (values.pem("peers.ca")?, shown) {
            (Some(ca), shown) => Ok(Some(Self { ca, shown })),
            (None, Some(_)) => Err(values.missing("peers.ca", "goes with peers.certificate")),
            (None, None) => Ok(None),
        }
    }
}

/// The path of a file that others read; it is there now.
pub(super) fn path(values: &Values<'_>, name: &'static str) -> Result<Option<PathBuf>, Fault> {
    Ok(values.pem(name)?.map(|_| values.0.get(name).text.into()))
}

/// As [`path`], of a certificate and its key: both or neither.
pub(super) fn paths(values: &Values<'_>, certificate: &'static str, key: &'static str) -> Result<Pair<PathBuf>, Fault> {
    both(values, (certificate, path(values, certificate)?), (key, path(values, key)?))
}

fn pair(values: &Values<'_>, certificate: &'static str, key: &'static str) -> Result<Pair<Vec<u8>>, Fault> {
    both(values, (certificate, values.pem(certificate)?), (key, values.pem(key)?))
}

/// A certificate and its key: both or neither.
fn both<T>(
    values: &Values<'_>,
    (certificate, shown): (&'static str, Option<T>),
    (key, kept): (&'static str, Option<T>),
) -> Result<Pair<T>, Fault> {
    match (shown, kept) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (Some(_), None) => Err(values.missing(key, &format!("goes with {certificate}"))),
        (None, Some(_)) => Err(values.missing(certificate, &format!("goes with {key}"))),
        (None, None) => Ok(None),
    }
}
