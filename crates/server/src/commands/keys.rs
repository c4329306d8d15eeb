//! `tidegate keys`: changing the operator's key, and the one that signs access tokens.

use tidegate_model::SystemRandomness;
use tidegate_storage::{Resealed, Rotated};

use super::run::{block_on, hold_made};
use crate::cli::{Asked, KeysCommand};
use crate::config::{Config, Fault, Layers};
use crate::tell::tell;
use crate::{compose, telemetry};

/// Adds a key, seals everything anew, or has tokens signed by another key.
pub(crate) fn keys(asked: &Asked, command: &KeysCommand) -> anyhow::Result<()> {
    let config = Config::read(&asked.layers(Layers::defaults())?)?;
    telemetry::start(&config)?;
    let held = hold_made(&config)?;
    match command {
        KeysCommand::Add => {
            let (None, Some(folder)) = (&config.master_keys, &held) else {
                let wrong = "holds the keys, no file of Tidegate's own does";
                return Err(Fault::new("secrets.key", wrong, "a new key in front of the others there").into());
            };
            let keys = folder.add_master_key(&SystemRandomness)?;
            tell!("the new key is the first of {}; now: tidegate keys rotate", keys.former.len() + 1)?;
        }
        KeysCommand::Rotate => {
            let done = block_on(compose::rotate(&config, held.as_ref()))?;
            print(&done)?;
        }
        KeysCommand::Renew { at_once } => {
            let withdrawn = block_on(compose::renew(&config, held.as_ref(), *at_once))?;
            match at_once {
                false => tell!("a new key signs access tokens in ten minutes; nothing else needs to be done")?,
                true => tell!("a new key signs access tokens; {withdrawn} withdrawn")?,
            }
        }
    }
    Ok(())
}

fn print(done: &Rotated) -> anyhow::Result<()> {
    let line = |what: &str, count: Resealed| tell!("{what:<13} {} of {} sealed anew", count.resealed, count.of);
    line("data keys", done.data_keys)?;
    line("webhook keys", done.webhook_keys)?;
    line("signing keys", done.signing_keys)?;
    tell!("everything opens with the first key; the others are needed no longer")
}
