//! `tidegate`: every role, in one process or apart.
#![warn(clippy::print_stdout, clippy::print_stderr, reason = "they panic when nobody reads any longer: use tell!")]

mod administrator;
mod apply;
mod cli;
mod client;
mod commands;
mod compose;
mod config;
mod data_dir;
mod health;
mod listen;
mod stop;
mod telemetry;
mod tell;

use std::io::Write as _;
use std::process::ExitCode;

use cli::Command;
use config::Fault;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tidegate: {}", in_one_line(&error));
            ExitCode::from(if error.is::<Fault>() { 2 } else { 1 })
        }
    }
}

fn run() -> anyhow::Result<()> {
    let asked = cli::parse()?;
    match &asked.cli.command {
        Command::Dev(local) => commands::dev(&asked, local),
        Command::Demo(local) => commands::demo(&asked, local),
        Command::Serve { roles } => commands::serve(&asked, roles),
        Command::Migrate => commands::migrate(&asked),
        Command::Config(command) => commands::config(&asked, command),
        Command::Keys(command) => commands::keys(&asked, command),
        Command::Services(command) => commands::services(&asked, command),
        Command::Admins(command) => commands::admins(&asked, command),
        Command::Apply(apply) => commands::apply(apply),
    }
}

fn in_one_line(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some libraries' errors end with their cause, and name it as their cause too.
        if !said.ends_with(&cause) {
            said.push_str(if said.is_empty() { "" } else { ": " });
            said.push_str(&cause);
        }
    }
    said.lines().collect::<Vec<_>>().join(" ")
}
