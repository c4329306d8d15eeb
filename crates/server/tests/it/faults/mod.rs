//! Faults under load, and nothing that was accepted is lost. `scripts/faults` makes many more of them than a run of all tests does.

mod full;
mod load;
mod rolling;
mod tally;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::harness::proxy::Line;
use crate::harness::{Mode, Sink, Tidegate, in_every_mode};
use load::Load;
use tally::{Tally, ended};

in_every_mode!(under_faults_nothing_that_was_accepted_is_lost);

const IN: &str = "objects.create('Order', { n = 1 }, parameters.id) return { id = parameters.id }";
const OUT: &str = "return { body = { id = object.id } }";

/// How long a caller waits: a fault may swallow its call.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many faults, unless `TIDEGATE_TEST_FAULTS` says otherwise.
const FAULTS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// SIGKILL for one process, at once started anew.
    Kill,
    /// For all of them.
    KillAll,
    /// SIGSTOP, and some time later SIGCONT.
    Freeze,
    /// For this one, by the order of their start.
    FreezeThe(usize),
    /// Somebody else holds the file's lock.
    Locked,
    /// The broker is killed, and started on what it had stored.
    Broker,
    /// PostgreSQL is killed, and some time later started on what it had stored.
    Postgres,
    Database(Line),
    Bus(Line),
    /// Between the roles.
    Peers(Line),
}

impl Fault {
    fn all(mode: Mode) -> &'static [Self] {
        use Fault::*;
        match mode {
            Mode::Together => &[Kill, Freeze, Locked],
            Mode::OnServers | Mode::Apart if !is_long() => &[
                Kill,
                Broker,
                Database(Line::Cut),
                KillAll,
                Freeze,
                Bus(Line::Cut),
                Database(Line::Silent),
                Bus(Line::Silent),
                Database(Line::Slow),
                Bus(Line::Slow),
            ],
            Mode::OnServers => &[
                Kill,
                Broker,
                Database(Line::Cut),
                KillAll,
                Freeze,
                Bus(Line::Cut),
                Postgres,
                Database(Line::Silent),
                Bus(Line::Silent),
                Database(Line::Slow),
                Bus(Line::Slow),
            ],
            Mode::Apart => &[
                Kill,
                Broker,
                Database(Line::Cut),
                Peers(Line::Cut),
                KillAll,
                Freeze,
                Bus(Line::Cut),
                Postgres,
                Peers(Line::Silent),
                Database(Line::Silent),
                Bus(Line::Silent),
                Database(Line::Slow),
                Peers(Line::Slow),
                Bus(Line::Slow),
            ],
        }
    }

    async fn strike(self, tidegate: &mut Tidegate, dice: &mut Dice) {
        let which = dice.below(tidegate.parts());
        let length =
            Duration::from_millis(500) + Duration::from_micros(2_500) * u32::try_from(dice.below(1_000)).unwrap();
        match self {
            Self::Kill => tidegate.kill(which),
            Self::KillAll => (0..tidegate.parts()).for_each(|part| tidegate.kill(part)),
            Self::Freeze => freeze(tidegate, which, length).await,
            Self::FreezeThe(which) => freeze(tidegate, which, length).await,
            Self::Locked => {
                let file = tidegate.data_dir().join("tidegate.db");
                let mut other = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
                // It waits for a moment between two changes.
                other.execute("PRAGMA busy_timeout = 20000").await.unwrap();
                other.execute("BEGIN EXCLUSIVE").await.unwrap();
                tokio::time::sleep(length).await;
                other.execute("ROLLBACK").await.unwrap();
                other.close().await.unwrap();
            }
            Self::Broker => tidegate.servers.as_mut().unwrap().restart_nats(),
            Self::Postgres => tidegate.servers.as_ref().unwrap().restart_postgres(length).await,
            Self::Peers(line) => tidegate.peer_lines(line, length).await,
            Self::Database(line) => tidegate.servers.as_ref().unwrap().database_line(line, length).await,
            Self::Bus(line) => tidegate.servers.as_ref().unwrap().bus_line(line, length).await,
        }
        tidegate.resume().await;
    }
}

/// Whether this is `scripts/faults`, which hurts the servers' own processes and the lines between the roles too.
fn is_long() -> bool {
    std::env::var("TIDEGATE_TEST_FAULTS").is_ok()
}

async fn freeze(tidegate: &Tidegate, which: usize, length: Duration) {
    tidegate.signal(which, "STOP");
    tokio::time::sleep(length).await;
    tidegate.signal(which, "CONT");
}

async fn under_faults_nothing_that_was_accepted_is_lost(mode: Mode) {
    let mut dice = Dice::new();
    let faults = std::env::var("TIDEGATE_TEST_FAULTS").map_or(FAULTS, |text| text.parse().unwrap());
    let kinds = Fault::all(mode);
    // A few come in each run of the tests, and over some runs all do.
    let first = dice.below(kinds.len());
    let faults: Vec<Fault> = (0..faults).map(|number| kinds[(first + number) % kinds.len()]).collect();
    hurt(mode, &faults, dice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_faults_of_both_servers_and_of_each_role_nothing_that_was_accepted_is_lost() {
    use Fault::*;
    if !is_long() {
        return eprintln!("skipped: it is part of scripts/faults");
    }
    let faults = [Postgres, FreezeThe(0), Broker, FreezeThe(1), FreezeThe(2), FreezeThe(3)];
    hurt(Mode::Apart, &faults, Dice::new()).await;
}

/// Webhooks and events go on while these faults come, and afterwards all is counted.
async fn hurt(mode: Mode, faults: &[Fault], mut dice: Dice) {
    // Tokens outlive the longest run.
    let settings = [("OAUTH2__TOKEN_LIFETIME", "12h")];
    let Some(mut tidegate) = Tidegate::start_behind_proxies(mode, &settings, is_long()).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let created = [("Order", "CREATE")];
    let steady = acme.make_outgoing("steady", OUT, &sink.url("/steady"), &created, json!({})).await;
    let moody = acme.make_outgoing("moody", OUT, &sink.url("/moody"), &created, json!({})).await;
    sink.fail_sometimes("/moody", 30);

    let mut load = Load::begin(shop["webhookUrl"].as_str().unwrap(), &acme, PATIENCE);
    for (number, fault) in faults.iter().enumerate() {
        load.goes_on(5 + dice.below(20)).await;
        eprintln!("{mode:?}: fault {} of {}: {fault:?}", number + 1, faults.len());
        fault.strike(&mut tidegate, &mut dice).await;
    }
    load.goes_on(5).await;
    let asked = load.end().await;

    let (webhooks, events) = (load.webhooks.all(), load.events.all());
    let runs = ended(&acme, &shop, &webhooks).await;
    eprintln!("{mode:?}: {asked} asked for; accepted {} webhooks, {} events", webhooks.len(), events.len());
    eprintln!("{mode:?}: {} runs of webhooks on record", runs.len());
    let mut all: BTreeSet<String> = webhooks.union(&events).cloned().collect();
    // Nothing is half-written: where a run is on record as a success, whoever was told so, its object has its deliveries.
    let done = runs.iter().filter(|run| run["status"] == "SUCCESS");
    all.extend(done.map(|run| run["coreResult"]["id"].as_str().unwrap().to_owned()));
    for (name, integration) in [("/steady", &steady), ("/moody", &moody)] {
        let records = ended(&acme, integration, &all).await;
        eprintln!("{mode:?}: {name}: {:?}", Tally::of(&records, &sink.answered(name), &all));
    }
}

/// Other moments in each run of the tests; said, so that a run can be told from another.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        Self(RandomState::new().hash_one(0))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % bound
    }
}
