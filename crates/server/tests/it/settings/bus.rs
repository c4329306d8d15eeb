//! How NATS is reached, and what is found there.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::harness::authority::Authority;
use crate::harness::servers::{Servers, nats_server};

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

pub(super) async fn events_travel_where_it_says() {
    let Some(running) = Tidegate::start(Mode::OnServers).await else { return };
    acme(&running).await.create_object("Order", "1", json!({})).await;
    arrives_in(&running, "TIDEGATE_EVENTS").await;
}

/// Waits for a message in a stream.
async fn arrives_in(running: &Tidegate, stream: &str) -> async_nats::jetstream::Context {
    let url = running.servers.as_ref().unwrap().nats_url();
    let streams = async_nats::jetstream::new(async_nats::connect(url).await.unwrap());
    eventually("a message in the stream", || async {
        let mut stream = streams.get_stream(stream).await.ok()?;
        (stream.info().await.ok()?.state.messages > 0).then_some(())
    })
    .await;
    streams
}

pub(super) async fn streams_and_subjects_begin_with_it() {
    let Some(running) = Tidegate::start_with(Mode::OnServers, &[("BUS__PREFIX", "shop")]).await else { return };
    acme(&running).await.create_object("Order", "1", json!({})).await;
    let streams = arrives_in(&running, "SHOP_EVENTS").await;
    assert!(streams.get_stream("TIDEGATE_EVENTS").await.is_err());

    // An installation with a database of its own shares the broker, and nothing else.
    let Some(other) = Servers::start("bus.prefix").await else { return };
    let nats = running.servers.as_ref().unwrap().nats_url();
    let (code, said) = dispatcher(&other.database, &nats, &[("BUS__PREFIX", "shop")]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("bus.prefix") && said.contains("another installation"), "{said}");
    assert_eq!(dispatcher(&other.database, &nats, &[]).await.0, None);
}

pub(super) async fn the_streams_are_made_on_so_many_servers() {
    let Some(servers) = Servers::start("bus.replicas").await else { return };
    // There is one.
    let (code, said) = dispatcher(&servers.database, &servers.nats_url(), &[("BUS__REPLICAS", "3")]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("TIDEGATE_EVENTS") && said.contains("replicas"), "{said}");
    assert_eq!(dispatcher(&servers.database, &servers.nats_url(), &[]).await.0, None);
}

/// A dispatcher with these settings, which makes the streams: how it ended, or `None` where it has the bus; and what it said.
async fn dispatcher(database: &str, nats: &str, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let port = ports::free();
    let mut migrate = tidegate();
    migrate.arg("migrate").env("TIDEGATE_DATABASE__URL", database);
    assert_eq!(tokio::task::spawn_blocking(move || ended(&mut migrate)).await.unwrap().code, Some(0));
    let mut command = tidegate();
    command.args(["serve", "outgoing-dispatcher", "--http-listen", &format!("127.0.0.1:{port}")]);
    command.env("TIDEGATE_BUS__URL", nats).env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles");
    command.env("TIDEGATE_DATABASE__URL", database).env("TIDEGATE_SECRETS__KEY", KEY);
    command.env("TIDEGATE_PEERS__DIRECTOR", "http://127.0.0.1:1");
    command.envs(settings.iter().map(|(name, value)| (format!("TIDEGATE_{name}"), value)));
    let mut process = Process::start(&mut command);
    loop {
        if process.has_ended() {
            let code = process.end().await.code();
            // Its last lines may still be on their way.
            tokio::time::sleep(Duration::from_millis(200)).await;
            return (Some(code.unwrap()), process.said().join("\n"));
        }
        let asked = http().get(format!("http://127.0.0.1:{port}/readyz")).send().await;
        // Whether it is ready is decided by its director too, and there is none.
        if let Ok(answer) = asked
            && answer.json::<Value>().await.is_ok_and(|told| told["bus"] == "ok")
        {
            return (None, String::new());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn what_is_no_such_file_is_refused() {
    let Some(servers) = Servers::start("bus.credentials").await else { return };
    let (code, said) =
        dispatcher(&servers.database, &servers.nats_url(), &[("BUS__CREDENTIALS", "no credentials at all")]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("bus.credentials") && !said.contains("no credentials at all"), "{said}");
}

/// A broker that asks for TLS, and for certificates of this authority.
fn broker(authority: &Authority) -> (Process, String) {
    let ([certificate, key], ca, port) = (authority.issue("broker"), authority.ca(), ports::free());
    let file = authority.folder().join("nats.conf");
    let [certificate, key, ca] = [certificate, key, ca].map(|path| path.display().to_string());
    let tls = format!("tls {{ cert_file: '{certificate}', key_file: '{key}', ca_file: '{ca}', verify: true }}");
    std::fs::write(&file, tls).unwrap();
    let mut command = std::process::Command::new(nats_server());
    command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(authority.folder().join("store"));
    (Process::start(command.arg("-c").arg(&file)), format!("nats://127.0.0.1:{port}"))
}

/// How a dispatcher ends, or not, with these files.
async fn over_tls(files: impl Fn(&Authority, &Authority) -> [std::path::PathBuf; 3]) -> Option<i32> {
    let servers = Servers::start("bus over TLS").await.unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let (_process, url) = broker(&ours);
    let files = files(&ours, &theirs);
    let [ca, certificate, key] = files.each_ref().map(|path: &std::path::PathBuf| path.to_str().unwrap());
    dispatcher(&servers.database, &url, &[("BUS__CA", ca), ("BUS__CERTIFICATE", certificate), ("BUS__KEY", key)])
        .await
        .0
}

fn can_be_tested() -> bool {
    let is_there = |name| std::env::var(name).is_ok();
    is_there("TIDEGATE_TEST_NATS") && is_there("TIDEGATE_TEST_POSTGRES") || is_there("CI")
}

pub(super) async fn the_broker_is_known_by_it() {
    if !can_be_tested() {
        return eprintln!("skipped: TIDEGATE_TEST_NATS or TIDEGATE_TEST_POSTGRES is not set (scripts/services start)");
    }
    let with = |ca: &Authority, role: &Authority| {
        let [certificate, key] = role.issue("role");
        [ca.ca(), certificate, key]
    };
    assert_eq!(over_tls(|ours, _| with(ours, ours)).await, None);
    assert_eq!(over_tls(|ours, theirs| with(theirs, ours)).await, Some(1));
}

pub(super) async fn the_broker_is_shown_it() {
    if !can_be_tested() {
        return eprintln!("skipped: TIDEGATE_TEST_NATS or TIDEGATE_TEST_POSTGRES is not set (scripts/services start)");
    }
    let stranger = |ours: &Authority, theirs: &Authority| {
        let [certificate, key] = theirs.issue("role");
        [ours.ca(), certificate, key]
    };
    assert_eq!(over_tls(stranger).await, Some(1));
}

pub(super) async fn it_stands_beside_its_certificate() {
    let authority = Authority::new("ours");
    let [certificate, key] = authority.issue("role");
    let check = |name: &str, path: &Path| {
        let mut command = tidegate();
        ended(command.args(["config", "check"]).env(format!("TIDEGATE_BUS__{name}"), path))
    };
    check("KEY", &key).is_refused_with(&["bus.certificate", "is missing"]);
    check("CERTIFICATE", &certificate).is_refused_with(&["bus.key", "is missing"]);
}
