//! The command line.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Fault, KEYS, Layers, Role};

/// Turns webhooks into objects and events into calls.
#[derive(Parser)]
#[command(name = "tidegate", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    /// A TOML file with settings.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs everything on one loopback port, remembering in a folder.
    Dev(Local),
    /// Runs everything, applies the examples, sends a webhook through them and shows what happens.
    Demo(Local),
    /// Runs roles; without a name all of them.
    Serve {
        /// Which roles run in this process.
        #[arg(value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Brings the database to this version's tables.
    Migrate,
    /// Shows or checks the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Changes the key that everything secret is sealed with, or the one that signs access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Makes and withdraws the client credentials of Tidegate's own services, where roles are apart.
    #[command(subcommand)]
    Services(ServicesCommand),
    /// Makes and withdraws administrators' client credentials.
    #[command(subcommand)]
    Admins(AdminsCommand),
    /// Makes a running Tidegate hold what a folder's tidegate.toml says; what is there already is updated.
    Apply(Apply),
}

/// Where `dev` and `demo` live.
#[derive(Args)]
pub(crate) struct Local {
    /// The folder to remember in. `demo` takes a temporary one when none is named.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The loopback port to listen on.
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Shows every setting with the value that holds; secrets are hidden.
    Print,
    /// Tells whether these roles (all of them when none is named) could start with this configuration.
    Check {
        /// Which roles.
        #[arg(value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Shows the reference page of all settings.
    #[command(hide = true)]
    Reference,
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Draws a key and puts it in front of those in master.key. Where secrets.key is configured, it is written there by hand.
    Add,
    /// Seals everything anew under the first key, and counts. Afterwards the others may go; run again, it goes on where it ended.
    Rotate,
    /// Makes a new key for access tokens. It signs ten minutes later; the one before it counts until its last token has expired.
    Renew {
        /// Withdraws the keys before it now: within five minutes no token that they signed counts anywhere.
        #[arg(long)]
        at_once: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum ServicesCommand {
    /// Makes a client for one process, and shows its secret this once.
    Add {
        /// What it is called in lists and logs, such as webhook-gateway.
        name: String,
    },
    /// Shows every client of a service: its id, when it was made, and the name.
    List,
    /// Ends a client and its tokens.
    Remove {
        /// The client's id.
        id: tidegate_model::ClientId,
    },
}

#[derive(Subcommand)]
pub(crate) enum AdminsCommand {
    /// Makes another administrator's client, and shows its secret this once.
    Add,
    /// Shows every administrator's client: its id, and when it was made.
    List,
    /// Ends an administrator's client and its tokens; not the last one, and not the one that is configured.
    Remove {
        /// The client's id.
        id: tidegate_model::ClientId,
    },
}

#[derive(Args)]
pub(crate) struct Apply {
    /// The folder; its tidegate.toml says what there is to be.
    pub(crate) dir: PathBuf,
    /// Where Tidegate is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub(crate) url: url::Url,
    /// The file with the client id, secret and token URL to use.
    #[arg(long, value_name = "FILE", default_value = "tidegate-data/admin.json")]
    pub(crate) admin_file: PathBuf,
}

/// What was asked for, with the flags of settings beside it.
pub(crate) struct Asked {
    pub(crate) cli: Cli,
    flags: Vec<(String, String)>,
}

/// Reads the command line. Help and version print themselves and end the process.
pub(crate) fn parse() -> Result<Asked, Fault> {
    let command = Cli::command().args(setting_flags());
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return Err(refusal(&error)),
    };
    let cli = Cli::from_arg_matches(&matches).map_err(|e| refusal(&e))?;
    Ok(Asked { cli, flags: given(&matches) })
}

impl Asked {
    /// The settings, layer upon layer; `defaults` are the command's own.
    pub(crate) fn layers(&self, defaults: Layers) -> Result<Layers, Fault> {
        let layers = match &self.cli.config {
            Some(file) => defaults.file(file)?,
            None => defaults,
        };
        layers.environment()?.flags(self.flags.clone())
    }

    /// Whether a flag sets this.
    pub(crate) fn has_flag(&self, key: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == key)
    }
}

fn setting_flags() -> Vec<Arg> {
    let flag = |key: &'static crate::config::Key| {
        // The parser wants texts that outlive it; there are as many as settings, made once.
        let long: &'static str = key.flag()?.leak();
        let arg = Arg::new(key.name).long(long).help(key.meaning).value_name("VALUE").global(true);
        Some(arg.help_heading("Settings").hide_short_help(true))
    };
    KEYS.iter().filter_map(flag).collect()
}

fn given(matches: &ArgMatches) -> Vec<(String, String)> {
    let value = |name: &'static str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    KEYS.iter().filter_map(|key| Some((key.name.to_owned(), value(key.name)?))).collect()
}

/// What the parser says over several lines, in one.
fn refusal(error: &clap::Error) -> Fault {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let what = if first.ends_with(':') { text.lines().take(2).collect::<Vec<_>>().join(" ") } else { first.to_owned() };
    let possible = text.lines().find_map(|line| line.trim().strip_prefix("[possible values: ")?.strip_suffix(']'));
    let instead = match possible {
        Some(values) => format!("one of {values}"),
        None => "what `tidegate --help` shows".to_owned(),
    };
    Fault::new("arguments", what.trim_start_matches("error: "), instead)
}
