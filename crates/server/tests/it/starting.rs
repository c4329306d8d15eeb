//! How processes begin whose servers, peers or keys are not there, or not the right ones.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::command::{ended, tidegate};
use crate::harness::process::Process;
use crate::harness::proxy::Line;
use crate::harness::servers::Servers;
use crate::harness::{Mode, Tidegate, eventually, ports};

const GATEWAY: usize = 2;

/// Another one than the tests' processes have.
const OTHER_KEY: &str = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_role_starts_with_a_key_that_does_not_open_what_the_others_have_sealed() {
    let Some(tidegate) = Tidegate::start(Mode::Apart).await else { return };
    for (which, role) in [(0, "credentials"), (1, "director"), (3, "outgoing-dispatcher")] {
        let listen = format!("127.0.0.1:{}", ports::free());
        let mut command = crate::harness::command::tidegate();
        command.args(["serve", role, "--http-listen", &listen]);
        for name in ["DATABASE__URL", "BUS__URL", "OAUTH2__PUBLIC_URL", "WEBHOOK__PUBLIC_URL"] {
            command.env(format!("TIDEGATE_{name}"), tidegate.setting(which, name));
        }
        for name in ["PEERS__DIRECTOR", "PEERS__CREDENTIALS"] {
            command.env(format!("TIDEGATE_{name}"), tidegate.setting(which, name));
        }
        command.env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles").env("TIDEGATE_SECRETS__KEY", OTHER_KEY);
        command.env("TIDEGATE_LOG__LEVEL", "error");
        let refused = tokio::task::spawn_blocking(move || ended(&mut command)).await.unwrap();
        refused.is_refused_with(&["secrets.key", "does not open what this database holds"]);
    }
}

/// What a process answers at a path, if it answers.
async fn status(port: u16, path: &str) -> Option<u16> {
    let asked = http().get(format!("http://127.0.0.1:{port}{path}")).send().await;
    Some(asked.ok()?.status().as_u16())
}

/// A credentials role on these servers.
fn credentials(servers: &Servers, port: u16) -> std::process::Command {
    let mut command = tidegate();
    command.args(["serve", "credentials", "--http-listen", &format!("127.0.0.1:{port}")]);
    command.env("TIDEGATE_DATABASE__URL", &servers.database).env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles");
    command.env("TIDEGATE_SECRETS__KEY", OTHER_KEY).env("TIDEGATE_OAUTH2__PUBLIC_URL", "http://127.0.0.1:1");
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_waits_for_the_schema_and_can_be_stopped_meanwhile() {
    let Some(servers) = Servers::start("waiting for the schema").await else { return };
    let (port, other) = (ports::free(), ports::free());
    let mut waits = Process::start(&mut credentials(&servers, port));
    let mut stopped = Process::start(&mut credentials(&servers, other));
    for port in [port, other] {
        eventually("it waits", || async { (status(port, "/readyz").await == Some(503)).then_some(()) }).await;
        assert_eq!(status(port, "/healthz").await, Some(200));
        assert_eq!(status(port, "/.well-known/jwks.json").await, Some(503));
    }
    stopped.ask_to_stop();
    assert_eq!(stopped.end().await.code(), Some(0), "{:#?}", stopped.said());

    let mut migrate = tidegate();
    migrate.arg("migrate").env("TIDEGATE_DATABASE__URL", &servers.database);
    let migrated = tokio::task::spawn_blocking(move || ended(&mut migrate)).await.unwrap();
    assert_eq!(migrated.code, Some(0), "{}", migrated.err);
    eventually("it is ready", || async { (status(port, "/readyz").await == Some(200)).then_some(()) }).await;
    let said = waits.said().join("\n");
    assert!(said.contains("it is waited for") && said.contains("tidegate migrate"), "{said}");
    assert!(!waits.has_ended());
}

/// Whether a process that is not ready yet for other reasons has the bus.
async fn has_bus(port: u16) -> Option<()> {
    let asked = http().get(format!("http://127.0.0.1:{port}/readyz")).send().await.ok()?;
    (asked.json::<Value>().await.ok()?["bus"] == "ok").then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_wait_for_the_broker_and_gateways_for_who_makes_the_streams() {
    let Some(mut servers) = Servers::start("waiting for the broker").await else { return };
    servers.nats.kill();
    let ports = [ports::free(), ports::free()];
    let [mut gateway, mut dispatcher] = ["webhook-gateway", "outgoing-dispatcher"].map(|_| tidegate());
    for (command, role, port) in
        [(&mut gateway, "webhook-gateway", ports[0]), (&mut dispatcher, "outgoing-dispatcher", ports[1])]
    {
        command.args(["serve", role, "--http-listen", &format!("127.0.0.1:{port}")]);
        command.env("TIDEGATE_BUS__URL", servers.nats_url()).env("TIDEGATE_PEERS__SECRET", "a-secret-between-roles");
        command.env("TIDEGATE_PEERS__DIRECTOR", "http://127.0.0.1:1");
    }
    dispatcher.env("TIDEGATE_DATABASE__URL", &servers.database).env("TIDEGATE_SECRETS__KEY", OTHER_KEY);
    let gateway = Process::start(&mut gateway);
    eventually("it waits", || async { (status(ports[0], "/readyz").await == Some(503)).then_some(()) }).await;
    servers.restart_nats();
    eventually("it waits for the streams", || async {
        gateway.said().iter().any(|line| line.contains("TIDEGATE_EVENTS is not there")).then_some(())
    })
    .await;
    assert_eq!(status(ports[0], "/readyz").await, Some(503));

    servers.nats.kill();
    let mut migrate = tidegate();
    migrate.arg("migrate").env("TIDEGATE_DATABASE__URL", &servers.database);
    let migrated = tokio::task::spawn_blocking(move || ended(&mut migrate)).await.unwrap();
    assert_eq!(migrated.code, Some(0), "{}", migrated.err);
    let _dispatcher = Process::start(&mut dispatcher);
    eventually("it waits", || async { (status(ports[1], "/readyz").await == Some(503)).then_some(()) }).await;
    servers.restart_nats();
    for port in ports {
        eventually("it has the bus", || has_bus(port)).await;
    }
}

/// What gRPC's health says of a process: 1 is SERVING, 2 is not.
async fn grpc_health(base: &str) -> Option<u8> {
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let request = client.post(format!("{base}/grpc.health.v1.Health/Check"));
    let answer = request.header("content-type", "application/grpc").body(vec![0; 5]).send().await.ok()?;
    answer.bytes().await.ok()?.last().copied()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_its_peers_refuse_is_not_ready_and_says_why_once() {
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let secret = tidegate.setting(GATEWAY, "PEERS__CLIENT_SECRET").to_owned();
    tidegate.replace(GATEWAY, &[("PEERS__CLIENT_SECRET", "tgs_another-secret-than-its-own")]).await;
    for number in 0..20 {
        let key = tidegate.gateway(&format!("/webhook/key-{number}"));
        assert_eq!(http().post(key).send().await.unwrap().status(), 503);
    }
    let answer = http().get(tidegate.gateway("/readyz")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["director"], "away");
    let base = tidegate.gateway("");
    eventually("gRPC's health says so too", || async { (grpc_health(&base).await == Some(2)).then_some(()) }).await;
    let said = tidegate.said();
    let causes = said.iter().filter(|line| line.contains("check peers.client_id and peers.client_secret")).count();
    assert!((1..=3).contains(&causes), "{said:#?}");

    tidegate.replace(GATEWAY, &[("PEERS__CLIENT_SECRET", &secret)]).await;
    let is_ready = async |tidegate: &Tidegate| {
        let answer = http().get(tidegate.gateway("/readyz")).send().await.ok()?;
        (answer.status() == 200).then_some(())
    };
    eventually("it is let in", || is_ready(&tidegate)).await;
    eventually("gRPC's health says so too", || async { (grpc_health(&base).await == Some(1)).then_some(()) }).await;
    // Once it was let in, a director that is away takes it from nobody.
    tidegate.kill(1);
    assert_eq!(is_ready(&tidegate).await, Some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_known_is_answered_while_the_director_stands_still() {
    let Some(tidegate) = Tidegate::start(Mode::Apart).await else { return };
    let acme = tidegate.api().await.make_tenant("acme", &[]).await;
    let shop = acme.make_incoming("shop", "return {}", json!({})).await;
    let call = || async { http().post(shop["webhookUrl"].as_str().unwrap()).send().await.unwrap().status() };
    assert_eq!(call().await, 200);
    tidegate.signal(1, "STOP");
    let said = || tidegate.said().iter().filter(|line| line.contains("older answers serve")).count();
    // What is fresh is used first.
    eventually("older answers serve", || async {
        assert_eq!(call().await, 200);
        (said() > 0).then_some(())
    })
    .await;
    let before = said();
    for _ in 0..20 {
        assert_eq!(call().await, 200);
    }
    assert_eq!(said(), before, "it is said once");
    tidegate.signal(1, "CONT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grpc_is_told_of_its_health_follows_the_database() {
    let Some(tidegate) = Tidegate::start_behind_proxies(Mode::Apart, &[]).await else { return };
    let (director, gateway) = (tidegate.director(""), tidegate.gateway(""));
    let told = |number: u8| {
        let director = &director;
        eventually("gRPC's health", move || async move { (grpc_health(director).await == Some(number)).then_some(()) })
    };
    told(1).await;
    let away = async {
        told(2).await;
        // It has none, and goes on.
        assert_eq!(grpc_health(&gateway).await, Some(1));
    };
    let servers = tidegate.servers.as_ref().unwrap();
    tokio::join!(servers.database_line(Line::Cut, Duration::from_secs(20)), away);
    told(1).await;
}
