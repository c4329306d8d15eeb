//! A PostgreSQL of a test's own, which may be killed.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ports;

/// A server on loopback; it ends when dropped.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    server: Server,
    _folder: tempfile::TempDir,
}

#[derive(Clone)]
struct Server {
    bin: PathBuf,
    data: PathBuf,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), ports::free());
        let server = Server { bin: bin(), data: folder.path().join("postgres/data") };
        let making = server.clone();
        tokio::task::spawn_blocking(move || making.make(port)).await.unwrap();
        Self { port, server, _folder: folder }
    }

    /// The URL of its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres://tidegate@127.0.0.1:{}/postgres", self.port)
    }

    /// All its processes end at once, as if they were killed; nothing is written to the files any more.
    pub(crate) async fn kill(&self) {
        self.ask(&["stop", "-m", "immediate", "-w"]).await;
    }

    /// Starts it on what is in the files, and waits until it answers.
    pub(crate) async fn resume(&self) {
        self.ask(&["start", "-w", "-t", "60"]).await;
    }

    async fn ask(&self, arguments: &'static [&'static str]) {
        let server = self.server.clone();
        tokio::task::spawn_blocking(move || server.control(arguments)).await.unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.server.command("pg_ctl").args(["stop", "-m", "immediate", "-w"]).status();
    }
}

impl Server {
    fn make(&self, port: u16) {
        let folder = self.data.parent().unwrap();
        std::fs::create_dir(folder).unwrap();
        if is_root() {
            let whole = folder.parent().unwrap();
            std::fs::set_permissions(whole, std::fs::Permissions::from_mode(0o711)).unwrap();
            assert!(Command::new("chown").arg("postgres:").arg(folder).status().unwrap().success());
        }
        let mut made = self.command("initdb");
        let made = made.args(["-U", "tidegate", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]).status();
        assert!(made.unwrap().success(), "initdb");
        // What was committed outlives its processes without being flushed; that the machine dies is not tested.
        let settings = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 200\n\
             fsync = off\nsynchronous_commit = on\n"
        );
        let file = self.data.join("postgresql.auto.conf");
        std::fs::write(&file, settings).unwrap();
        self.control(&["start", "-w", "-t", "60"]);
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.command("pg_ctl");
        let log = self.data.parent().unwrap().join("log");
        let done = command.args(arguments).arg("-l").arg(&log).status().unwrap();
        assert!(done.success(), "pg_ctl {arguments:?}: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// PostgreSQL refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(&self.data).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Where its programs are: the newest of those that Debian installs, or what is found by name.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut all: Vec<_> = versions.map(|version| version.path().join("bin")).filter(|bin| has(bin)).collect();
    all.sort();
    let named = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|bin| has(bin)).expect("there is no initdb to test with")
    };
    all.pop().unwrap_or_else(named)
}

fn has(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("pg_ctl").exists()
}
