//! One process of Tidegate's.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::eventually;
use super::process::Measured;

/// One process as it is started, again and again.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) port: u16,
    /// None while it is stopped.
    pub(super) process: Option<Measured>,
}

impl Part {
    pub(super) fn start(&mut self) {
        if self.process.is_none() {
            let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
            self.process = Some(Measured::new(self.command(&arguments).spawn().unwrap()));
            eventually(&format!("{} is ready", self.name), || ready(self.port));
        }
    }

    /// Gets client credentials of its own; the gateway, which has no database, is told of none from then on.
    pub(super) fn become_a_service(&mut self) {
        let made = self.command(&["services", "add", self.name]).stdout(Stdio::piped()).output().unwrap();
        let made = String::from_utf8(made.stdout).unwrap();
        let names = [("peers.client_id", "PEERS__CLIENT_ID"), ("peers.client_secret", "PEERS__CLIENT_SECRET")];
        for (printed, setting) in names {
            let value = made.lines().find_map(|line| line.strip_prefix(printed)).expect("a client of its own");
            self.settings.push((setting, value.trim().to_owned()));
        }
        if self.name == "webhook-gateway" {
            self.settings.retain(|(setting, _)| *setting != "DATABASE__URL" && *setting != "SECRETS__KEY");
        }
    }

    /// With nothing of this process's own settings.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIDEGATE_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("TIDEGATE_HTTP__LISTEN", format!("127.0.0.1:{}", self.port));
        command.envs(self.settings.iter().map(|(name, value)| (format!("TIDEGATE_{name}"), value)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

fn ready(port: u16) -> Option<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200").then_some(())
}
