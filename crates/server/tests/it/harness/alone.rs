//! One `tidegate dev`, by a command that the test has put together.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::api::{Admin, Api, http};
use super::process::Process;
use super::{eventually, ports};

/// A running process, and where it is.
pub(crate) struct Alone {
    pub(crate) process: Process,
    pub(crate) data: PathBuf,
    base: String,
}

impl Alone {
    /// Starts it by a command to which only its arguments are missing, and waits until it is ready.
    pub(crate) async fn start(command: &mut Command, data: &Path) -> Self {
        let port = ports::free().to_string();
        let command = command.args(["dev", "--port", &port, "--data-dir"]).arg(data);
        let process = Process::start(command);
        let alone = Self { process, data: data.to_owned(), base: format!("http://127.0.0.1:{port}") };
        eventually("it is ready", || async { (alone.status("/readyz").await == Some(200)).then_some(()) }).await;
        alone
    }

    /// What it answers there, if it does.
    pub(crate) async fn status(&self, path: &str) -> Option<u16> {
        let answer = http().get(format!("{}{path}", self.base)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// The registry, as the administrator.
    pub(crate) async fn api(&self) -> Api {
        let admin = Admin::read(&self.data.join("admin.json"));
        Api::sign_in(&format!("{}/oauth2/token", self.base), self.base.clone(), &admin).await
    }
}
