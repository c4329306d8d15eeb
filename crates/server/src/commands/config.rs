//! `tidegate config`.

use crate::cli::{Asked, ConfigCommand};
use crate::config::{Config, Layers, Roles, effective, reference};
use crate::tell::tell;

/// Shows, explains or checks.
pub(crate) fn config(asked: &Asked, command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Print => {
            let layers = asked.layers(Layers::defaults())?;
            Config::read(&layers)?;
            tell!("{}", effective(&layers).trim_end())
        }
        ConfigCommand::Check { roles } => {
            let config = Config::read(&asked.layers(Layers::defaults())?)?;
            config.check(&Roles::of(roles.clone()))?;
            tell!("the configuration is good")
        }
        ConfigCommand::Reference => tell!("{}", reference().trim_end()),
    }
}
