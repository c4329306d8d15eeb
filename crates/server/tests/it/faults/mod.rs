//! Faults under load, and nothing that was accepted is lost. `scripts/faults` makes many more of them than a run of all tests does.

mod cluster;
mod full;
mod left;
mod load;
mod order;
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
use order::Steps;
use tally::{Tally, done, ended};

in_every_mode!(under_faults_nothing_that_was_accepted_is_lost);

const IN: &str = "objects.create('Order', { n = 1 }, parameters.id) return { id = parameters.id }";
const OUT: &str = "return { body = { id = object.id } }";

/// How long a caller waits: a fault may swallow its call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tokens outlive the longest run. What a killed process had in hand is taken over after some 15 seconds: longer than any is frozen.
const SETTINGS: [(&str, &str); 4] = [
    ("OAUTH2__TOKEN_LIFETIME", "12h"),
    ("SCRIPTS__INCOMING_TIMEOUT", "5s"),
    ("SCRIPTS__OUTGOING_TIMEOUT", "5s"),
    ("SCRIPTS__MAX_TIMEOUT", "5s"),
];

/// How many faults in a run of all tests.
const FAULTS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// SIGKILL for one process, by the order of their start, or for any; at once started anew.
    Kill(Option<usize>),
    /// For all of them.
    KillAll,
    /// SIGSTOP, and some time later SIGCONT.
    Freeze(Option<usize>),
    /// Somebody else holds the file's lock.
    Locked,
    /// The broker is killed, and started on what it had stored.
    Broker,
    /// PostgreSQL is killed, and some time later started on what it had stored.
    Postgres,
    /// PostgreSQL takes no changes for a while.
    ReadOnly,
    Database(Line),
    Bus(Line),
    /// Between the roles.
    Peers(Line),
}

impl Fault {
    /// In the order in which they come.
    const ALL: [Self; 16] = {
        use Fault::*;
        [
            Kill(None),
            Broker,
            Database(Line::Cut),
            Peers(Line::Cut),
            KillAll,
            Freeze(None),
            Locked,
            Bus(Line::Cut),
            ReadOnly,
            Postgres,
            Peers(Line::Silent),
            Database(Line::Silent),
            Bus(Line::Silent),
            Database(Line::Slow),
            Peers(Line::Slow),
            Bus(Line::Slow),
        ]
    };

    fn all(mode: Mode) -> Vec<Self> {
        Self::ALL.into_iter().filter(|fault| fault.is_for(mode)).collect()
    }

    fn is_for(self, mode: Mode) -> bool {
        match self {
            Self::Kill(_) | Self::Freeze(_) => true,
            Self::Locked => mode == Mode::Together,
            Self::KillAll | Self::Broker | Self::Postgres | Self::ReadOnly | Self::Database(_) | Self::Bus(_) => {
                mode != Mode::Together
            }
            Self::Peers(_) => mode == Mode::Apart,
        }
    }

    async fn strike(self, tidegate: &mut Tidegate, dice: &mut Dice) {
        let any = dice.below(tidegate.parts());
        let length =
            Duration::from_millis(500) + Duration::from_micros(2_500) * u32::try_from(dice.below(1_000)).unwrap();
        match self {
            Self::Kill(which) => tidegate.kill(which.unwrap_or(any)),
            Self::KillAll => (0..tidegate.parts()).for_each(|part| tidegate.kill(part)),
            Self::Freeze(which) => freeze(tidegate, which.unwrap_or(any), length).await,
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
            Self::ReadOnly => tidegate.servers.as_ref().unwrap().read_only(length).await,
            Self::Peers(line) => tidegate.peer_lines(line, length).await,
            Self::Database(line) => tidegate.servers.as_ref().unwrap().database_line(line, length).await,
            Self::Bus(line) => tidegate.servers.as_ref().unwrap().bus_line(line, length).await,
        }
        tidegate.resume().await;
    }
}

/// How many faults `scripts/faults` was asked for.
fn asked_for() -> Option<usize> {
    std::env::var("TIDEGATE_TEST_FAULTS").ok().map(|text| text.parse().unwrap())
}

async fn freeze(tidegate: &Tidegate, which: usize, length: Duration) {
    tidegate.signal(which, "STOP");
    tokio::time::sleep(length).await;
    tidegate.signal(which, "CONT");
}

async fn under_faults_nothing_that_was_accepted_is_lost(mode: Mode) {
    hurt(mode, &Fault::all(mode), asked_for().unwrap_or(FAULTS), Dice::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_faults_of_both_servers_and_of_each_role_nothing_that_was_accepted_is_lost() {
    // Credentials, director, gateway, two dispatchers.
    let roles = (0..5).map(Some).flat_map(|role| [Fault::Freeze(role), Fault::Kill(role)]);
    let servers = [Fault::Postgres, Fault::Broker].into_iter().cycle();
    let kinds: Vec<Fault> = servers.zip(roles).flat_map(|(server, role)| [server, role]).collect();
    hurt(Mode::Apart, &kinds, asked_for().map_or(FAULTS, |_| kinds.len()), Dice::new()).await;
}

/// So many faults of these kinds come while webhooks and events go on, and afterwards all is counted.
async fn hurt(mode: Mode, kinds: &[Fault], faults: usize, mut dice: Dice) {
    // A few come in each run of the tests, and over some runs all do.
    let first = dice.below(kinds.len());
    let faults: Vec<Fault> = kinds.iter().cycle().skip(first).take(faults).copied().collect();
    let Some(mut tidegate) = Tidegate::start_behind_proxies(mode, &SETTINGS).await else { return };
    if mode == Mode::Apart {
        tidegate.another_dispatcher().await;
    }
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order", "Step"]).await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let created = [("Order", "CREATE")];
    let steady = acme.make_outgoing("steady", OUT, &sink.url("/steady"), &created, json!({})).await;
    let moody = acme.make_outgoing("moody", OUT, &sink.url("/moody"), &created, json!({})).await;
    let changes = acme.make_incoming("changes", order::CHANGE, json!({})).await;
    let steps = [("Step", "CREATE"), ("Step", "UPDATE")];
    let in_order = json!({ "outgoing": { "ordering": "PER_OBJECT" } });
    let ordered = acme.make_outgoing("ordered", order::TELL, &sink.url("/ordered"), &steps, in_order).await;
    for path in ["/moody", "/ordered"] {
        sink.fail_sometimes(path, 30);
    }

    let mut load = Load::begin(shop["webhookUrl"].as_str().unwrap(), &acme, PATIENCE);
    let steps = Steps::begin(&mut load, changes["webhookUrl"].as_str().unwrap(), &acme);
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
    all.extend(done(&runs));
    for (name, integration) in [("/steady", &steady), ("/moody", &moody)] {
        let records = ended(&acme, integration, &all).await;
        eprintln!("{mode:?}: {name}: {:?}", Tally::of(&records, &sink.answered(name), &all));
    }

    let runs = ended(&acme, &changes, &steps.changed.all()).await;
    let mut all = steps.all();
    all.extend(done(&runs));
    let records = ended(&acme, &ordered, &all).await;
    let calls = sink.answered("/ordered");
    let objects = order::assert_kept(&calls, &records);
    eprintln!("{mode:?}: in order, of {objects} objects: {:?}", Tally::of(&records, &calls, &all));
    if let Some(servers) = &tidegate.servers {
        let left = left::on_the_bus(servers, &acme).await;
        eprintln!("{mode:?}: {left} records are on the bus still, each of them in the database too");
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
