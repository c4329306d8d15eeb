//! `tidegate admins`: who may do everything.

use super::run::{block_on, hold_made};
use crate::cli::{AdminsCommand, Asked};
use crate::config::{Config, Fault, Layers};
use crate::tell::tell;
use crate::{compose, telemetry};

/// Makes an administrator's client, lists them, or ends one.
pub(crate) fn admins(asked: &Asked, command: &AdminsCommand) -> anyhow::Result<()> {
    let config = Config::read(&asked.layers(Layers::defaults())?)?;
    telemetry::start(&config)?;
    let held = hold_made(&config)?;
    match command {
        AdminsCommand::Add => {
            let (id, secret) = block_on(compose::add_administrator(&config))?;
            tell!("client id      {id}\nclient secret  {}", secret.reveal())?;
        }
        AdminsCommand::List => {
            for client in block_on(compose::administrators(&config))? {
                tell!("{}  {}", client.id, client.created_at.to_rfc3339())?;
            }
        }
        AdminsCommand::Remove { id } => {
            if config.admin.as_ref().is_some_and(|(configured, _)| configured == id) {
                // The next start would make it again.
                let instead = "another client in admin.client_id and admin.client_secret of every process first";
                return Err(Fault::new("ID", "is the one that admin.client_id names", instead).into());
            }
            let client = block_on(compose::remove_administrator(&config, *id))?;
            tell!("{} is no administrator any longer; its tokens end within two seconds", client.id)?;
            if let Some(file) = held.as_ref().map(|folder| folder.forget_admin(*id)).transpose()?.flatten() {
                tell!("{} held it, and is gone", file.display())?;
            }
        }
    }
    Ok(())
}
