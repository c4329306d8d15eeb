//! `tidegate services`: who may call roles as a role of Tidegate's own.

use tidegate_model::ClientOwner;

use super::run::{block_on, hold_made};
use crate::cli::{Asked, ServicesCommand};
use crate::config::{Config, Layers};
use crate::tell::tell;
use crate::{compose, telemetry};

/// Makes a service's client, lists them, or ends one.
pub(crate) fn services(asked: &Asked, command: &ServicesCommand) -> anyhow::Result<()> {
    let config = Config::read(&asked.layers(Layers::defaults())?)?;
    telemetry::start(&config)?;
    let _held = hold_made(&config)?;
    match command {
        ServicesCommand::Add { name } => {
            let (id, secret) = block_on(compose::add_service(&config, name))?;
            tell!("peers.client_id      {id}\npeers.client_secret  {}", secret.reveal())?;
        }
        ServicesCommand::List => {
            for client in block_on(compose::services(&config))? {
                if let ClientOwner::Service(name) = client.owner {
                    tell!("{}  {}  {name}", client.id, client.created_at.to_rfc3339())?;
                }
            }
        }
        ServicesCommand::Remove { id } => {
            let client = block_on(compose::remove_service(&config, *id))?;
            tell!("{} is no peer any longer; its tokens end within two seconds", client.id)?;
        }
    }
    Ok(())
}
