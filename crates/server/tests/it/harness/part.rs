//! One process of Tidegate's.

use std::process::Command;

use super::api::http;
use super::command::{ended, tidegate};
use super::eventually;
use super::process::Process;

/// One process as it is started, again and again.
pub(super) struct Part {
    pub(super) arguments: Vec<String>,
    pub(super) scheme: &'static str,
    pub(super) port: u16,
    pub(super) settings: Vec<(String, String)>,
    pub(super) process: Option<Process>,
}

impl Part {
    /// Gets client credentials of its own.
    pub(super) fn become_a_service(&mut self) {
        let made = ended(self.settled(tidegate().args(["services", "add", &self.arguments[1]])));
        assert_eq!(made.code, Some(0), "{}", made.err);
        for (key, setting) in [("peers.client_id", "PEERS__CLIENT_ID"), ("peers.client_secret", "PEERS__CLIENT_SECRET")]
        {
            let line = made.out.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next());
            self.settings.push((setting.to_owned(), line.unwrap().to_owned()));
        }
    }

    pub(super) fn setting(&self, name: &str) -> &str {
        &self.settings.iter().rev().find(|(known, _)| known == name).unwrap().1
    }

    pub(super) fn settled<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("TIDEGATE_HTTP__LISTEN", format!("127.0.0.1:{}", self.port));
        command.envs(self.settings.iter().map(|(name, value)| (format!("TIDEGATE_{name}"), value)))
    }

    pub(super) async fn ready(&mut self) {
        self.answers_at("readyz").await;
    }

    /// It runs, whatever it depends on.
    pub(super) async fn answers(&mut self) {
        self.answers_at("healthz").await;
    }

    async fn answers_at(&mut self, path: &str) {
        let url = format!("{}://127.0.0.1:{}/{path}", self.scheme, self.port);
        let process = self.process.as_mut().unwrap();
        let name = self.arguments.join(" ");
        eventually(&format!("`tidegate {name}` is ready"), || {
            assert!(!process.has_ended(), "`tidegate {name}` ended; it said {:#?}", process.said());
            let asked = http().get(&url).send();
            async move { asked.await.ok().filter(|answer| answer.status() == 200).map(drop) }
        })
        .await;
    }
}
