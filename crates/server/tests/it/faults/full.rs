//! The disk is full, in the local mode: writes are refused, what was accepted is whole, and all goes on when there is room again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::tally::{Tally, ended};
use super::{IN, OUT};
use crate::harness::api::{Admin, http};
use crate::harness::command::tidegate;
use crate::harness::process::Process;
use crate::harness::{Api, Sink, eventually, ports};

/// How the disk gets full, and how there is room again.
trait Disk {
    fn folder(&self) -> &Path;
    fn fill(&self, process: &Process);
    fn free(&self, process: &Process);
}

/// No file may grow beyond what the largest one has: works everywhere, and is an I/O error to the database.
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

    fn fill(&self, process: &Process) {
        let files = std::fs::read_dir(self.0.path().join("data")).unwrap().flatten();
        let largest = files.map(|file| file.metadata().unwrap().len()).max().unwrap();
        Self::limit(process, &(largest + (16 << 10)).to_string());
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
        let done = mount.args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
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

    fn fill(&self, _: &Process) {
        use std::io::Write as _;
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        // To the last page.
        while filler.write_all(&[0; 4096]).is_ok() {}
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

async fn full(disk: &impl Disk) {
    let (data, port) = (disk.folder().join("data"), ports::free());
    // A write beyond the limit is to fail; by default it would end the process.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(tidegate().get_program());
    command.args(["dev", "--port", &port.to_string(), "--data-dir"]).arg(&data);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIDEGATE_")) {
        command.env_remove(name);
    }
    command.env("TIDEGATE_DISPATCH__FIRST_DELAY", "50ms").env("TIDEGATE_DISPATCH__MAX_DELAY", "200ms");
    let mut process = Process::start(&mut command);
    let base = format!("http://127.0.0.1:{port}");
    let status = |path: &'static str| {
        let url = format!("{base}{path}");
        async move { http().get(url).send().await.ok().map(|answer| answer.status().as_u16()) }
    };
    eventually("it is ready", || async { (status("/readyz").await == Some(200)).then_some(()) }).await;
    let admin = Admin::read(&data.join("admin.json"));
    let acme = Api::sign_in(&format!("{base}/oauth2/token"), base.clone(), &admin).await;
    let acme = acme.make_tenant("acme", &["Order"]).await;
    let sink = Sink::start().await;
    let shop = acme.make_incoming("shop", IN, json!({})).await;
    let out = acme.make_outgoing("out", OUT, &sink.url("/out"), &[("Order", "CREATE")], json!({})).await;
    let webhook = shop["webhookUrl"].as_str().unwrap();
    let call = |id: String| async move {
        let answer = http().post(webhook).json(&json!({ "id": id, "text": "x".repeat(2000) })).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let publish = |id: String| {
        let event = json!({ "specversion": "1.0", "id": id, "source": "/x", "type": "x.Order.create",
            "data": { "objectId": id, "new": { "text": "x".repeat(2000) } } });
        let request = acme.post("/v1/events").header("Content-Type", "application/cloudevents+json");
        let request = request.body(event.to_string());
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let (mut webhooks, mut events, mut refused) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    assert_eq!(call("w-first".to_owned()).await.0, 200);
    webhooks.insert("w-first".to_owned());

    disk.fill(&process);
    // Some fit into what there is; then both doors are shut.
    let (mut number, mut shut) = (0, 0);
    while shut < 5 {
        number += 1;
        assert!(number < 5000, "it never refuses");
        let (id, event) = (format!("w-{number}"), format!("e-{number}"));
        let (called, told) = call(id.clone()).await;
        let published = publish(event.clone()).await;
        assert!([200, 500, 503].contains(&called) && [202, 503].contains(&published), "{called} {told} {published}");
        let _ = if called == 200 { webhooks.insert(id) } else { refused.insert(id) };
        let _ = if published == 202 { events.insert(event) } else { refused.insert(event) };
        shut = if (called, published) == (503, 503) { shut + 1 } else { 0 };
    }
    eprintln!("accepted {} webhooks and {} events before it was full", webhooks.len(), events.len());
    assert_eq!(status("/healthz").await, Some(200), "it lives");
    let create = "mutation { createObject(objectType: \"Order\", id: \"g\", data: {}) { id } }";
    let answer = acme.answer(create, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["error_code"], 10, "{answer}");
    assert!(acme.object("Order", "w-first").await["id"] == "w-first", "what is there is read");
    let said = process.said().join("\n");
    assert!(said.contains("the database is not available"), "{said}");

    disk.free(&process);
    let (mut number, again) = (0, Mutex::new(Vec::new()));
    let (again, call, publish) = (&again, &call, &publish);
    eventually("it takes calls again", || {
        number += 1;
        let (id, event) = (format!("w-again-{number}"), format!("e-again-{number}"));
        async move {
            let ((called, _), published) = (call(id.clone()).await, publish(event.clone()).await);
            again.lock().unwrap().push(((called == 200).then_some(id), (published == 202).then_some(event)));
            (called == 200 && published == 202).then_some(())
        }
    })
    .await;
    for (id, event) in again.lock().unwrap().drain(..) {
        webhooks.extend(id);
        events.extend(event);
    }

    let runs = ended(&acme, &shop, &webhooks).await;
    let mut all: BTreeSet<String> = webhooks.union(&events).cloned().collect();
    // Nobody was told yes, and yet it may have been done: then it is done whole, object, event and delivery.
    for id in &refused {
        if acme.object("Order", id).await["id"] == **id {
            all.insert(id.clone());
        }
    }
    for run in runs.iter().filter(|run| run["status"] == "SUCCESS") {
        all.insert(run["coreResult"]["id"].as_str().unwrap().to_owned());
    }
    let records = ended(&acme, &out, &all).await;
    eprintln!("{} refused; {:?}", refused.len(), Tally::of(&records, &sink.answered("/out"), &all));

    process.ask_to_stop();
    assert_eq!(process.end().await.code(), Some(0));
    let mut file = SqliteConnectOptions::new().filename(data.join("tidegate.db")).connect().await.unwrap();
    let checked = sqlx::query("PRAGMA integrity_check").fetch_all(&mut file).await.unwrap();
    assert_eq!(checked.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["ok"]);
    file.close().await.unwrap();
}
