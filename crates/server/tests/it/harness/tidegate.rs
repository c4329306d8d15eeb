//! Tidegate as a whole, in one process or in four.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::api::{Admin, Api};
use super::balancer::Balancer;
use super::command::{Ended, ended, tidegate};
use super::part::Part;
use super::ports;
use super::process::Process;
use super::proxy::{Line, Proxy};
use super::servers::Servers;
use super::steps::Steps;

/// How it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One process, SQLite, local bus: `tidegate dev`.
    Together,
    /// One process, PostgreSQL, NATS: `tidegate serve`.
    OnServers,
    /// Four processes, PostgreSQL, NATS: `tidegate serve ROLE`.
    Apart,
}

/// A running Tidegate.
pub(crate) struct Tidegate {
    parts: Vec<Part>,
    pub(crate) mode: Mode,
    scheme: &'static str,
    pub(crate) servers: Option<Servers>,
    /// In front of credentials, director and gateway, where there are two of each.
    balancers: Vec<Balancer>,
    /// Between the roles, where the test hurts them.
    lines: Vec<Proxy>,
    pub(crate) folder: tempfile::TempDir,
    director: u16,
    credentials: u16,
    gateway: u16,
    admin: Option<Admin>,
}

const CLIENT_ID: &str = "01890000-0000-7000-8000-000000000001";
const CLIENT_SECRET: &str = "the-secret-of-the-tests-administrator";

/// So that nothing has to be waited for long.
const QUICK: [(&str, &str); 7] = [
    ("HTTP__LINGER", "0s"),
    ("EGRESS__ALLOW", "127.0.0.1, ::1"),
    ("DISPATCH__FIRST_DELAY", "50ms"),
    ("DISPATCH__MAX_DELAY", "200ms"),
    ("DISPATCH__TIMEOUT", "2s"),
    ("SCRIPTS__INCOMING_TIMEOUT", "2s"),
    ("SCRIPTS__OUTGOING_TIMEOUT", "1s"),
];

impl Tidegate {
    /// Starts one; `None` where this mode cannot be tested here.
    pub(crate) async fn start(mode: Mode) -> Option<Self> {
        Self::start_with(mode, &[]).await
    }

    /// Starts one with these settings besides (`SECTION__KEY`).
    pub(crate) async fn start_with(mode: Mode, settings: &[(&str, &str)]) -> Option<Self> {
        let servers = if mode == Mode::Together { None } else { Some(Self::servers().await?) };
        Some(Self::start_on(servers, mode, settings).await)
    }

    /// Starts one whose servers can be hurt, the lines to them, and those between the roles.
    pub(crate) async fn start_behind_proxies(mode: Mode, settings: &[(&str, &str)]) -> Option<Self> {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let mut servers = if mode == Mode::Together { None } else { Some(Servers::start_with(&test, true).await?) };
        if let Some(servers) = &mut servers {
            servers.hide().await;
        }
        if mode != Mode::Apart {
            return Some(Self::start_on(servers, mode, settings).await);
        }
        let own: [u16; 4] = std::array::from_fn(|_| ports::free());
        let lines = [Proxy::before(own[0]).await, Proxy::before(own[1]).await];
        let seen = [lines[0].port, lines[1].port, own[2]];
        let mut whole = Self::start_at(servers, mode, settings, own, seen).await;
        whole.lines = lines.into();
        Some(whole)
    }

    /// Starts one that reaches its database over a line where each statement is a step.
    pub(crate) async fn start_in_steps(mode: Mode, settings: &[(&str, &str)]) -> Option<(Self, Steps)> {
        let mut servers = Self::servers().await?;
        let steps = Steps::before(&servers.database).await;
        let through = steps.url(&servers.database);
        let direct = std::mem::replace(&mut servers.database, through);
        let mut whole = Self::start_on(Some(servers), mode, settings).await;
        // The test itself asks the database past the line.
        whole.servers.iter_mut().for_each(|servers| servers.database.clone_from(&direct));
        Some((whole, steps))
    }

    /// The lines to director and credentials are like this for so long.
    pub(crate) async fn peer_lines(&self, line: Line, length: Duration) {
        self.lines.iter().for_each(|proxy| proxy.set(line));
        tokio::time::sleep(length).await;
        self.lines.iter().for_each(|proxy| proxy.set(Line::Open));
    }

    /// Starts one with two processes of each role, behind balancers; the second of each comes after the first of all.
    pub(crate) async fn start_in_pairs(settings: &[(&str, &str)]) -> Option<Self> {
        let servers = Self::servers().await?;
        let pairs: [[u16; 2]; 4] = std::array::from_fn(|_| [ports::free(), ports::free()]);
        let mut balancers = Vec::new();
        for pair in &pairs[..3] {
            balancers.push(Balancer::before(pair.to_vec()).await);
        }
        let [credentials, director, gateway, _] = pairs.map(|[first, _]| first);
        let own = [director, credentials, gateway, pairs[3][0]];
        let seen = [balancers[1].port, balancers[0].port, balancers[2].port];
        let mut whole = Self::start_at(Some(servers), Mode::Apart, settings, own, seen).await;
        whole.balancers = balancers;
        for (first, [_, port]) in pairs.into_iter().enumerate() {
            let Part { arguments, settings, .. } = &whole.parts[first];
            let second = Part {
                arguments: arguments.clone(),
                port,
                settings: settings.clone(),
                process: None,
                scheme: whole.scheme,
            };
            whole.parts.push(second);
        }
        whole.resume().await;
        Some(whole)
    }

    async fn servers() -> Option<Servers> {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        Servers::start(&test).await
    }

    async fn start_on(servers: Option<Servers>, mode: Mode, settings: &[(&str, &str)]) -> Self {
        let own: [u16; 4] = std::array::from_fn(|_| ports::free());
        let own = if mode == Mode::Apart { own } else { [own[0]; 4] };
        Self::start_at(servers, mode, settings, own, [own[0], own[1], own[2]]).await
    }

    /// `own`: where director, credentials, gateway and dispatcher listen; `seen`: where others find the first three.
    async fn start_at(
        servers: Option<Servers>,
        mode: Mode,
        settings: &[(&str, &str)],
        own: [u16; 4],
        seen: [u16; 3],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut all: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
        for (name, value) in QUICK {
            set(name, value);
        }
        let apart = mode == Mode::Apart;
        let secured = settings.iter().any(|(name, _)| *name == "HTTP__TLS_CERTIFICATE");
        let scheme = if secured { "https" } else { "http" };
        let [director, credentials, gateway] = seen;
        if let Some(servers) = &servers {
            set("DATABASE__URL", &servers.database);
            set("BUS__URL", &servers.nats_url());
            set("SECRETS__KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
            set("ADMIN__CLIENT_ID", CLIENT_ID);
            set("ADMIN__CLIENT_SECRET", CLIENT_SECRET);
            set("WEBHOOK__PUBLIC_URL", &format!("{scheme}://127.0.0.1:{gateway}"));
            set("OAUTH2__PUBLIC_URL", &format!("{scheme}://127.0.0.1:{credentials}"));
        }
        if apart {
            set("PEERS__DIRECTOR", &format!("{scheme}://127.0.0.1:{director}"));
            set("PEERS__CREDENTIALS", &format!("{scheme}://127.0.0.1:{credentials}"));
        }
        for (name, value) in settings {
            set(name, value);
        }
        let data = folder.path().join("data").display().to_string();
        let new = |arguments: &[&str], port: u16| Part {
            arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            port,
            settings: all.clone(),
            process: None,
            scheme,
        };
        let parts = match mode {
            Mode::Together => vec![new(&["dev", "--data-dir", &data], own[0])],
            Mode::OnServers => vec![new(&["serve"], own[0])],
            Mode::Apart => vec![
                new(&["serve", "credentials"], own[1]),
                new(&["serve", "director"], own[0]),
                new(&["serve", "webhook-gateway"], own[2]),
                new(&["serve", "outgoing-dispatcher"], own[3]),
            ],
        };
        let (balancers, lines) = (Vec::new(), Vec::new());
        let mut whole = Self {
            parts,
            mode,
            scheme,
            servers,
            balancers,
            lines,
            folder,
            director,
            credentials,
            gateway,
            admin: None,
        };
        if whole.servers.is_some() {
            let migrated = ended(whole.parts[0].settled(tidegate().arg("migrate")));
            assert_eq!(migrated.code, Some(0), "{}", migrated.err);
        }
        let share_a_secret = settings.iter().any(|(name, _)| *name == "PEERS__SECRET");
        if apart && !share_a_secret {
            whole.parts.iter_mut().skip(1).for_each(Part::become_a_service);
        }
        whole.resume().await;
        whole
    }

    /// Starts what is not running, and waits until all of it is ready.
    pub(crate) async fn resume(&mut self) {
        for part in self.parts.iter_mut().filter(|part| part.process.is_none()) {
            let process = Process::start(part.settled(tidegate().args(&part.arguments)));
            part.process = Some(process);
        }
        for part in &mut self.parts {
            part.ready().await;
        }
        let file = self.data_dir().join("admin.json");
        if self.mode != Mode::Together {
            self.admin = Some(Admin { client_id: CLIENT_ID.to_owned(), client_secret: CLIENT_SECRET.to_owned() });
        } else if file.exists() {
            self.admin = Some(Admin::read(&file));
        }
    }

    /// What one process was given.
    pub(crate) fn setting(&self, which: usize, name: &str) -> &str {
        self.parts[which].setting(name)
    }

    /// Runs a command with the settings of one process.
    pub(crate) fn command(&self, which: usize, arguments: &[&str]) -> Ended {
        ended(self.parts[which].settled(tidegate().args(arguments)))
    }

    /// SIGKILL for one process (by the order of their start), or for the only one there is.
    pub(crate) fn kill(&mut self, which: usize) {
        let which = which % self.parts.len();
        if let Some(mut process) = self.parts[which].process.take() {
            process.kill();
        }
    }

    /// Stops one process in order and starts it anew; answers how it ended.
    pub(crate) async fn restart(&mut self, which: usize) -> ExitStatus {
        let mut process = self.parts[which].process.take().unwrap();
        process.ask_to_stop();
        let status = process.end().await;
        self.resume().await;
        status
    }

    /// How many connections the replicas of each role were given.
    pub(crate) fn given(&self) -> Vec<Vec<usize>> {
        self.balancers.iter().map(Balancer::given).collect()
    }

    /// Kills one process and starts it with these settings besides.
    pub(crate) async fn replace(&mut self, which: usize, settings: &[(&str, &str)]) {
        self.kill(which);
        let own = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.parts[which].settings.extend(own);
        let part = &mut self.parts[which];
        part.process = Some(Process::start(part.settled(tidegate().args(&part.arguments))));
        part.answers().await;
    }

    /// Kills one process and starts it on a machine whose clock is off, as `FAKETIME` says it, played by this library.
    pub(crate) async fn with_clock(&mut self, which: usize, library: &str, off: &str) {
        self.kill(which);
        let part = &mut self.parts[which];
        let mut command = tidegate();
        command.args(&part.arguments).env("LD_PRELOAD", library);
        command.env("FAKETIME", off).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        part.process = Some(Process::start(part.settled(&mut command)));
        part.ready().await;
    }

    /// Starts one more gateway, set up like the first; answers what its URLs begin with.
    pub(crate) async fn another_gateway(&mut self) -> String {
        self.another(2).await
    }

    /// Starts one more director.
    pub(crate) async fn another_director(&mut self) -> String {
        self.another(1).await
    }

    /// Starts one more dispatcher.
    pub(crate) async fn another_dispatcher(&mut self) -> String {
        self.another(3).await
    }

    async fn another(&mut self, which: usize) -> String {
        let port = ports::free();
        let like = &self.parts[which];
        let (arguments, settings) = (like.arguments.clone(), like.settings.clone());
        let mut added = Part { arguments, port, settings, process: None, scheme: self.scheme };
        added.process = Some(Process::start(added.settled(tidegate().args(&added.arguments))));
        added.ready().await;
        self.parts.push(added);
        format!("http://127.0.0.1:{port}")
    }

    /// SIGTERM for one process.
    pub(crate) fn ask_to_stop(&self, which: usize) {
        self.signal(which, "TERM");
    }

    pub(crate) fn signal(&self, which: usize, name: &str) {
        self.parts[which].process.as_ref().unwrap().signal(name);
    }

    /// SIGTERM for all, and what they said stays readable.
    pub(crate) async fn stop_and_keep(&mut self) {
        for process in self.parts.iter_mut().filter_map(|part| part.process.as_mut()) {
            process.ask_to_stop();
            process.end().await;
        }
    }

    /// SIGTERM for all; answers how each ended.
    pub(crate) async fn stop(&mut self) -> Vec<ExitStatus> {
        let mut running: Vec<Process> = self.parts.iter_mut().filter_map(|part| part.process.take()).collect();
        running.iter().for_each(Process::ask_to_stop);
        let mut all = Vec::new();
        for process in &mut running {
            all.push(process.end().await);
        }
        all
    }

    /// Everything the processes said so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.parts.iter().filter_map(|part| part.process.as_ref()).flat_map(Process::said).collect()
    }

    pub(crate) fn director(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.director)
    }

    pub(crate) fn credentials(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.credentials)
    }

    pub(crate) fn gateway(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.gateway)
    }

    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The administrator's own credentials.
    pub(crate) fn admin(&self) -> &Admin {
        self.admin.as_ref().unwrap()
    }

    /// The registry, as the administrator.
    pub(crate) async fn api(&self) -> Api {
        Api::sign_in(&self.credentials("/oauth2/token"), self.director(""), self.admin()).await
    }
}

impl Admin {
    /// Reads the file that the first start wrote.
    pub(crate) fn read(file: &Path) -> Self {
        let told: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Self { client_id: text("clientId"), client_secret: text("clientSecret") }
    }
}
