//! Coming in at the broker: who this process is, and that the broker is who it says.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use tidegate_model::cloud_event::percent_decoded;

use super::notices::Changes;
use super::{DEADLINE, NatsFault, NatsOptions};
use crate::standing::{Standing, with_causes};

/// The first connection; from then on it is made anew whenever it is lost.
pub(super) async fn reach(options: &NatsOptions, changes: &Arc<Changes>) -> Result<Client, NatsFault> {
    let addresses: Vec<ServerAddr> =
        options.url.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>().map_err(|_| NatsFault::Url)?;
    let (began, standing) = (tokio::time::Instant::now(), Standing::default());
    loop {
        let connection = presenting(secured(connection(changes), options), options, &addresses)?;
        match connection.connect(&addresses[..]).await {
            Ok(client) => return Ok(client),
            Err(fault) if began.elapsed() >= patience(options, &fault) => return Err(refused(fault)),
            Err(fault) => {
                if let Some(cause) = standing.fails(with_causes(&fault)) {
                    tracing::warn!(cause, "the broker does not answer yet: it is waited for");
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Who we are does not change by waiting, nor who the broker is.
fn patience(options: &NatsOptions, fault: &ConnectError) -> Duration {
    match fault.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => Duration::ZERO,
        _ if is_about_certificates(fault) => Duration::ZERO,
        _ => options.patience,
    }
}

/// Whether one side does not take the other's certificate: to the library that is an I/O error whose data is invalid.
pub(super) fn is_about_certificates(fault: &ConnectError) -> bool {
    let mut next = fault.source();
    while let Some(cause) = next {
        if cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        next = cause.source();
    }
    false
}

fn refused(fault: ConnectError) -> NatsFault {
    match fault.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => NatsFault::Refused(fault),
        _ => NatsFault::Unreachable(fault),
    }
}

/// The library takes who we are from its options alone, not from URLs.
fn presenting(
    connection: ConnectOptions,
    options: &NatsOptions,
    addresses: &[ServerAddr],
) -> Result<ConnectOptions, NatsFault> {
    if let Some(credentials) = &options.credentials {
        return connection.credentials(credentials.reveal()).map_err(|_| NatsFault::Credentials);
    }
    let named = addresses.iter().find_map(|address| Some((percent_decoded(address.username()?), address.password())));
    Ok(match named {
        Some((user, Some(password))) => connection.user_and_password(user, percent_decoded(password)),
        Some((token, None)) => connection.token(token),
        None => connection,
    })
}

fn secured(connection: ConnectOptions, options: &NatsOptions) -> ConnectOptions {
    let tls = &options.tls;
    let connection = connection.require_tls(tls.ca.is_some() || tls.identity.is_some());
    let connection = tls.ca.iter().fold(connection, |connection, ca| connection.add_root_certificates(ca.clone()));
    tls.identity.iter().fold(connection, |connection, (certificate, key)| {
        connection.add_client_certificate(certificate.clone(), key.clone())
    })
}

fn connection(changes: &Arc<Changes>) -> ConnectOptions {
    let (changes, standing) = (Arc::clone(changes), Standing::default());
    ConnectOptions::new()
        .name("tidegate")
        .connection_timeout(DEADLINE)
        .request_timeout(Some(DEADLINE))
        .ping_interval(Duration::from_secs(10))
        .max_reconnects(None)
        .reconnect_delay_callback(|tries| Duration::from_millis(100) * u32::try_from(tries.min(20)).unwrap_or(20))
        .event_callback(move |event| {
            match event {
                // Notices may have been missed, and whoever waited for an answer waits in vain.
                Event::Connected => {
                    if standing.works() {
                        tracing::info!("the broker is connected again");
                    }
                    changes.reconnected();
                }
                // This process did.
                Event::Closed => {}
                other => {
                    if let Some(event) = standing.fails(other) {
                        tracing::warn!(event, "the broker connection reports");
                    }
                }
            }
            std::future::ready(())
        })
}
