//! The disk is full, in the local mode: writes are refused, what was accepted is whole, and all goes on when there is room again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::tally::{Tally, ended};
use super::{IN, OUT, done};
use crate::harness::alone::Alone;
use crate::harness::api::http;
use crate::harness::command::{bare, tidegate};
use crate::harness::process::Process;
use crate::harness::{Api, Sink};

/// How often it gets full.
const TIMES: usize = 2;

/// How much room is left each time: some is accepted before it is full.
const ROOM: u64 = 1 << 20;

/// How many callers and publishers there are at once.
const TOGETHER: usize = 4;

/// How the disk gets full, and how there is room again.
trait Disk {
    fn folder(&self) -> &Path;
    /// From now on there is so much room.
    fn narrow(&self, process: &Process);
    fn free(&self, process: &Process);
}

/// No file may grow much beyond what the largest one has: works everywhere, and is an I/O error to the database.
struct Limited(tempfile::TempDir);

impl Limited {
    fn limit(process: &Process, bytes: &str) {
        let id = process.id().to_string();
        let done = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}:unlimited")]).status();
        assert!(done.unwrap().success());
    }
}

impl Disk for Limited {
    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn narrow(&self, process: &Process) {
        let files = std::fs::read_dir(self.0.path().join("data")).unwrap().flatten();
        let largest = files.map(|file| file.metadata().unwrap().len()).max().unwrap();
        Self::limit(process, &(largest + ROOM).to_string());
    }

    fn free(&self, process: &Process) {
        Self::limit(process, "unlimited");
    }
}

/// A small file system of its own: a full disk as it is, where one can be mounted.
struct Small(tempfile::TempDir);

impl Small {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(folder.path()).output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

impl Disk for Small {
    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn narrow(&self, _: &Process) {
        use std::io::Write as _;
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        // To the last page, and then some back.
        while filler.write_all(&[0; 4096]).is_ok() {}
        let length = filler.metadata().unwrap().len();
        filler.set_len(length - ROOM).unwrap();
    }

    fn free(&self, _: &Process) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_grow_refuses_and_goes_on_when_it_may() {
    full(&Limited(tempfile::tempdir().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room_again() {
    let Some(disk) = Small::mounted() else {
        return eprintln!(
            "skipped: no file system can be mounted here; a limit on files stands for it in the other test"
        );
    };
    full(&disk).await;
}

/// Both ways in, and what was said to whoever came.
struct Doors {
    webhook: String,
    api: Api,
    asked: AtomicU32,
    webhooks: BTreeSet<String>,
    events: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Doors {
    /// Some call and some publish, all at once; answers whether any was let in at each door.
    async fn knock(&mut self) -> (bool, bool) {
        let this = &*self;
        let both = join_all((0..TOGETHER).map(|_| async {
            let number = this.asked.fetch_add(1, Ordering::Relaxed);
            let (call, event) = (format!("w-{number}"), format!("e-{number}"));
            let (called, published) = tokio::join!(this.call(&call), this.publish(&event));
            [(call, called), (event, published)]
        }));
        let answered = both.await;
        let (webhooks, events) = (self.webhooks.len(), self.events.len());
        for [(call, called), (event, published)] in answered {
            assert!([200, 500, 503].contains(&called) && [202, 503].contains(&published), "{called} {published}");
            let _ = if called == 200 { self.webhooks.insert(call) } else { self.refused.insert(call) };
            let _ = if published == 202 { self.events.insert(event) } else { self.refused.insert(event) };
        }
        (self.webhooks.len() > webhooks, self.events.len() > events)
    }

    async fn call(&self, id: &str) -> u16 {
        let body = json!({ "id": id, "text": "x".repeat(2000) });
        http().post(&self.webhook).json(&body).send().await.unwrap().status().as_u16()
    }

    async fn publish(&self, id: &str) -> u16 {
        let event = json!({ "specversion": "1.0", "id": id, "source": "/x", "type": "x.Order.create",
            "data": { "objectId": id, "new": { "text": "x".repeat(2000) } } });
        let request = self.api.post("/v1/events").header("Content-Type", "application/cloudevents+json");
        request.body(event.to_string()).send().await.unwrap().status().as_u16()
    }

    /// Until both are shut for everybody, several times in a row.
    async fn until_shut(&mut self) {
        let mut shut = 0;
        for _ in 0..5000 {
            shut = if self.knock().await == (false, false) { shut + 1 } else { 0 };
            if shut == 5 {
                return;
            }
        }
        panic!("it never refuses");
    }

    /// Until both are open. The bound only ends a test that has failed.
    async fn until_open(&mut self) {
        let knocking = async { while self.knock().await != (true, true) {} };
        tokio::time::timeout(std::time::Duration::from_secs(90), knocking).await.expect("it takes calls again");
    }
}

async fn full(disk: &impl Disk) {
    // A write beyond the limit is to fail; by default it would end the process.
    let mut command = bare("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(tidegate().get_program());
    command.env("TIDEGATE_DISPATCH__FIRST_DELAY", "50ms").env("TIDEGATE_DISPATCH__MAX_DELAY", "200ms");
    let mut alone = Alone::start(&mut command, &disk.folder().join("data")).await;
    let acme = alone.api().await.make_tenant("acme", &["Order"]).await;
    let sink = Sink::start().await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let out = acme.make_outgoing("out", OUT, &sink.url("/out"), &[("Order", "CREATE")], json!({})).await;
    let mut doors = Doors {
        webhook: shop["webhookUrl"].as_str().unwrap().to_owned(),
        api: acme.clone(),
        asked: AtomicU32::new(0),
        webhooks: BTreeSet::new(),
        events: BTreeSet::new(),
        refused: BTreeSet::new(),
    };
    assert_eq!(doors.knock().await, (true, true));
    for time in 1..=TIMES {
        let (webhooks, events) = (doors.webhooks.len(), doors.events.len());
        disk.narrow(&alone.process);
        doors.until_shut().await;
        eprintln!(
            "time {time}: accepted {} webhooks and {} events before it was full, {} refused so far",
            doors.webhooks.len() - webhooks,
            doors.events.len() - events,
            doors.refused.len()
        );
        tells(&alone, &acme).await;
        disk.free(&alone.process);
        doors.until_open().await;
    }
    let Doors { webhooks, events, refused, .. } = doors;

    let runs = ended(&acme, &shop, &webhooks).await;
    let mut all: BTreeSet<String> = webhooks.union(&events).cloned().collect();
    // Nobody was told yes, and yet it may have been done: then it is done whole, object, event and delivery.
    for id in &refused {
        if acme.object("Order", id).await["id"] == **id {
            all.insert(id.clone());
        }
    }
    all.extend(done(&runs));
    let records = ended(&acme, &out, &all).await;
    let tally = Tally::of(&records, &sink.answered("/out"), &all);
    eprintln!("{} webhooks and {} events accepted, {} refused; {tally:?}", webhooks.len(), events.len(), refused.len());

    alone.process.ask_to_stop();
    assert_eq!(alone.process.end().await.code(), Some(0));
    let file = alone.data.join("tidegate.db");
    let mut file = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let checked = sqlx::query("PRAGMA integrity_check").fetch_all(&mut file).await.unwrap();
    assert_eq!(checked.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["ok"]);
    file.close().await.unwrap();
}

/// Without room it lives, says so, and shows what is there.
async fn tells(alone: &Alone, acme: &Api) {
    assert_eq!(alone.status("/healthz").await, Some(200), "it lives");
    let create = "mutation { createObject(objectType: \"Order\", id: \"g\", data: {}) { id } }";
    let answer: Value = acme.answer(create, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["error_code"], 10, "{answer}");
    assert!(acme.object("Order", "w-0").await["id"] == "w-0", "what is there is read");
    let said = alone.process.said().join("\n");
    assert!(said.contains("the database is not available"), "{said}");
}
