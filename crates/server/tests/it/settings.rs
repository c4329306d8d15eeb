//! No setting that does nothing: each one of `config print` has a proof here of what it does.

mod bus;
mod dispatch;
mod door;
mod ending;
mod keeping;
mod peers;
mod sending;
mod tokens;

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::harness::api::{Admin, http};
use crate::harness::command::{ended, tidegate};
use crate::harness::process::Process;
use crate::harness::{Api, Mode, Sink, Tidegate, eventually, ports};
use bus::*;
use dispatch::*;
use door::*;
use ending::*;
use keeping::*;
pub(crate) use peers::secured;
use peers::*;
use sending::*;
use tokens::*;

macro_rules! proofs {
    ($($key:literal => $proof:ident),+ $(,)?) => {
        const PROVEN: &[&str] = &[$($key),+];
        mod proof {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $proof() {
                super::$proof().await;
            })+
        }
    };
}

proofs! {
    "database.url" => the_database_is_where_it_says,
    "database.connections" => no_more_connections_are_made,
    "bus.url" => events_travel_where_it_says,
    "bus.prefix" => streams_and_subjects_begin_with_it,
    "bus.replicas" => the_streams_are_made_on_so_many_servers,
    "bus.credentials" => what_is_no_such_file_is_refused,
    "bus.ca" => the_broker_is_known_by_it,
    "bus.certificate" => the_broker_is_shown_it,
    "bus.key" => it_stands_beside_its_certificate,
    "http.listen" => it_listens_there,
    "http.tls_certificate" => it_is_shown_and_nothing_is_said_without_tls,
    "http.tls_key" => it_goes_with_no_other_certificate,
    "http.client_ca" => nobody_is_a_peer_without_a_certificate_of_it,
    "http.linger" => calls_are_still_taken_for_so_long,
    "http.drain" => what_is_under_way_is_cut_off_after_it,
    "http.graphiql" => browsers_see_graphiql,
    "webhook.public_url" => webhook_urls_begin_with_it,
    "webhook.trusted_proxies" => they_tell_what_was_called,
    "webhook.calls" => one_more_is_told_to_come_again,
    "webhook.calls_per_tenant" => one_more_of_the_tenant_is_told_to_come_again,
    "webhook.calls_per_integration" => one_more_of_the_integration_is_told_to_come_again,
    "webhook.patience" => a_call_waits_so_long_for_its_turn,
    "webhook.rate_limit" => a_call_too_often_is_refused,
    "oauth2.public_url" => tokens_are_issued_under_it,
    "oauth2.token_lifetime" => tokens_live_so_long,
    "oauth2.key_lifetime" => another_key_is_published_after_it,
    "secrets.key" => what_is_sealed_opens_with_no_other,
    "peers.director" => the_gateway_asks_there,
    "peers.credentials" => the_director_asks_there,
    "peers.client_id" => who_is_no_service_is_refused,
    "peers.client_secret" => who_has_another_client_secret_is_refused,
    "peers.secret" => another_one_is_refused,
    "peers.ca" => nobody_elses_certificate_is_believed,
    "peers.certificate" => the_others_believe_no_certificate_of_somebody_else,
    "peers.key" => its_certificate_goes_with_it,
    "egress.allow" => nothing_private_is_called_without_it,
    "admin.client_id" => the_administrator_is_the_configured_one,
    "admin.client_secret" => the_administrator_has_no_other_secret,
    "scripts.incoming_timeout" => a_webhooks_script_ends_after_it,
    "scripts.outgoing_timeout" => an_events_script_ends_after_it,
    "scripts.max_cpu" => an_integration_may_not_allow_more_cpu_time,
    "scripts.max_timeout" => an_integration_may_not_allow_more_time,
    "scripts.max_memory" => an_integration_may_not_allow_more_memory,
    "scripts.max_http_calls" => an_integration_may_not_allow_more_calls,
    "dispatch.attempts" => a_delivery_is_dead_after_them,
    "dispatch.first_delay" => the_second_attempt_waits_for_it,
    "dispatch.max_delay" => no_attempt_waits_longer,
    "dispatch.timeout" => a_call_ends_after_it,
    "dispatch.max_timeout" => an_integration_may_not_allow_its_calls_more_time,
    "dispatch.max_concurrency" => an_integration_may_not_ask_for_more_at_once,
    "dispatch.in_hand" => all_integrations_share_so_many_places,
    "dispatch.pause_after" => after_it_an_integration_is_paused,
    "dispatch.circuit_calls" => so_many_calls_are_made_before_others_wait,
    "dispatch.circuit_failed" => with_fewer_failures_nobody_waits,
    "dispatch.circuit_window" => what_is_longer_ago_does_not_count,
    "dispatch.circuit_pause" => after_it_one_call_is_tried,
    "records.retention" => older_records_go,
    "audit.retention" => older_entries_of_the_log_go,
    "limits.body" => a_larger_body_is_refused,
    "limits.body_timeout" => a_body_that_takes_longer_is_refused,
    "limits.body_rate" => a_body_that_comes_more_slowly_is_refused,
    "limits.head_timeout" => a_head_that_takes_longer_is_hung_up_on,
    "limits.connections" => one_more_connection_waits,
    "limits.connection_age" => an_older_connection_ends_with_its_next_call,
    "log.format" => lines_are_json,
    "log.level" => more_is_logged,
}

#[test]
fn every_setting_has_a_proof() {
    let printed = ended(tidegate().args(["config", "print"])).out;
    let mut section = "";
    let mut keys = Vec::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.push(format!("{section}.{key}"));
        }
    }
    assert_eq!(keys, PROVEN, "each key of `config print`, in its order, has a line in `proofs!`");
}

const CREATED: [(&str, &str); 1] = [("Order", "CREATE")];

async fn together(settings: &[(&str, &str)]) -> Tidegate {
    Tidegate::start_with(Mode::Together, settings).await.unwrap()
}

async fn acme(tidegate: &Tidegate) -> Api {
    tidegate.api().await.make_tenant("acme", &["Order"]).await
}

async fn post(integration: &Value) -> u16 {
    http().post(integration["webhookUrl"].as_str().unwrap()).json(&json!({})).send().await.unwrap().status().as_u16()
}

async fn the_database_is_where_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/elsewhere/it.db", folder.path().display());
    let running = together(&[("DATABASE__URL", &url)]).await;
    assert!(folder.path().join("elsewhere/it.db").exists());
    assert!(!running.data_dir().join("tidegate.db").exists());
}

async fn no_more_connections_are_made() {
    let Some(running) = Tidegate::start_with(Mode::Apart, &[("DATABASE__CONNECTIONS", "2")]).await else { return };
    let acme = &acme(&running).await;
    let sink = Sink::start().await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &[("Order", "CREATE")], json!({})).await;
    // As many at once as would each take one.
    join_all((0..40).map(|n| async move { acme.create_object("Order", &n.to_string(), json!({})).await })).await;
    acme.ended(&out, 40).await;
    let database = &running.servers.as_ref().unwrap().database;
    let mut connection = sqlx::PgConnection::connect(database).await.unwrap();
    let used = "SELECT application_name, count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1 ORDER BY 1";
    let used: Vec<(String, i64)> = sqlx::query_as(used).fetch_all(&mut connection).await.unwrap();
    let names: Vec<_> = used.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tidegate credentials", "tidegate director", "tidegate outgoing-dispatcher"]);
    assert!(used.iter().all(|(_, count)| *count <= 2), "{used:?}");
}

async fn it_listens_there() {
    let running = together(&[]).await;
    assert_eq!(http().get(running.gateway("/healthz")).send().await.unwrap().status(), 200);
}

async fn what_is_under_way_is_cut_off_after_it() {
    let mut running = together(&[("HTTP__DRAIN", "100ms"), ("SCRIPTS__INCOMING_TIMEOUT", "60s")]).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("http.request({{ url = '{}' }}) return {{}}", sink.url("/slow"));
    let incoming = acme(&running).await.make_incoming("shop", &core, json!({})).await;
    let url = incoming["webhookUrl"].as_str().unwrap().to_owned();
    let call = tokio::task::spawn(async move { http().post(url).send().await });
    sink.wait_for("/slow", 1).await;
    running.stop().await;
    assert!(call.await.unwrap().is_err(), "it was not waited for");
}

async fn browsers_see_graphiql() {
    for (setting, status) in [("on", 200), ("off", 405)] {
        let running = together(&[("HTTP__GRAPHIQL", setting)]).await;
        assert_eq!(http().get(running.director("/graphql")).send().await.unwrap().status(), status, "{setting}");
    }
}

async fn webhook_urls_begin_with_it() {
    let running = together(&[("WEBHOOK__PUBLIC_URL", "https://hooks.example.com/in/")]).await;
    let incoming = acme(&running).await.make_incoming("shop", "return {}", json!({})).await;
    assert!(
        incoming["webhookUrl"].as_str().unwrap().starts_with("https://hooks.example.com/in/webhook/"),
        "{incoming}"
    );
}

async fn what_is_sealed_opens_with_no_other() {
    let mut running = together(&[("SECRETS__KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")]).await;
    assert!(!running.data_dir().join("master.key").exists());
    running.stop().await;
    let mut other = tidegate();
    other.args(["dev", "--data-dir"]).arg(running.data_dir()).args(["--port", &ports::free().to_string()]);
    let refused = ended(other.env("TIDEGATE_SECRETS__KEY", "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="));
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.lines().last().unwrap().contains("secrets.key"), "{}", refused.err);
}

async fn nothing_private_is_called_without_it() {
    let running = together(&[("EGRESS__ALLOW", "")]).await;
    let sink = Sink::start().await;
    let acme = acme(&running).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &CREATED, json!({})).await;
    acme.create_object("Order", "1", json!({})).await;
    let record = acme.ended(&out, 1).await.remove(0);
    assert_eq!((&record["status"], sink.calls("/erp").len()), (&json!("FAILED"), 0), "{record}");
}

const ID: &str = "01890000-0000-7000-8000-000000000002";

async fn configured() -> (tempfile::TempDir, Process, String) {
    let (folder, port) = (tempfile::tempdir().unwrap(), ports::free());
    let mut command = tidegate();
    command.args(["dev", "--port", &port.to_string(), "--data-dir"]).arg(folder.path().join("data"));
    command.env("TIDEGATE_ADMIN__CLIENT_ID", ID).env("TIDEGATE_ADMIN__CLIENT_SECRET", "a-configured-secret");
    let process = Process::start(&mut command);
    let base = format!("http://127.0.0.1:{port}");
    eventually("it is ready", || async {
        (http().get(format!("{base}/readyz")).send().await.ok()?.status() == 200).then_some(())
    })
    .await;
    (folder, process, base)
}

async fn the_administrator_is_the_configured_one() {
    let (folder, _process, base) = configured().await;
    assert!(!folder.path().join("data/admin.json").exists());
    let admin = Admin { client_id: ID.to_owned(), client_secret: "a-configured-secret".to_owned() };
    let api = Api::sign_in(&format!("{base}/oauth2/token"), base, &admin).await;
    api.ask("{ tenants { totalCount } }", json!({})).await;
}

async fn the_administrator_has_no_other_secret() {
    let (_folder, _process, base) = configured().await;
    let form = [("grant_type", "client_credentials"), ("client_id", ID), ("client_secret", "another-secret-by-far")];
    let answer = http().post(format!("{base}/oauth2/token")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

async fn a_webhooks_script_ends_after_it() {
    let running = together(&[("SCRIPTS__INCOMING_TIMEOUT", "300ms")]).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("http.request({{ url = '{}' }}) return {{}}", sink.url("/slow"));
    let acme = acme(&running).await;
    let incoming = acme.make_incoming("shop", &core, json!({})).await;
    assert_eq!(post(&incoming).await, 500);
    let record = acme.ended(&incoming, 1).await.remove(0);
    assert!(record["error"].as_str().unwrap().contains("300"), "the error names the limit: {record}");
}

async fn an_events_script_ends_after_it() {
    let running = together(&[("SCRIPTS__OUTGOING_TIMEOUT", "300ms")]).await;
    let sink = Sink::start().await;
    sink.hold("/slow");
    let core = format!("http.request({{ url = '{}' }}) return {{}}", sink.url("/slow"));
    let acme = acme(&running).await;
    let out = acme.make_outgoing("erp", &core, &sink.url("/erp"), &CREATED, json!({})).await;
    acme.create_object("Order", "1", json!({})).await;
    let record = acme.ended(&out, 1).await.remove(0);
    assert!(record["error"].as_str().unwrap().contains("300"), "the error names the limit: {record}");
}

/// With the setting, an Integration with `most` of a limit is made, and one with `more` is refused.
async fn bounds(setting: (&str, &str), limit: &str, most: u32, more: u32) {
    let running = together(&[setting]).await;
    let acme = acme(&running).await;
    acme.make_incoming("within", "return {}", json!({ "limits": { limit: most } })).await;
    let logic = acme.make_logic("core", "CORE", "return {}").await;
    let input = json!({ "name": "beyond", "type": "INCOMING", "httpMethod": "POST", "coreLogicID": logic, "limits": { limit: more } });
    let make = "mutation($in: IntegrationInput!) { createIntegration(in: $in) { id } }";
    assert_eq!(acme.refused(make, json!({ "in": input })).await, 22, "{limit} of {more}");
}

async fn an_integration_may_not_allow_more_cpu_time() {
    bounds(("SCRIPTS__MAX_CPU", "2s"), "coreCpuMs", 2_000, 2_001).await;
}

async fn an_integration_may_not_allow_more_time() {
    bounds(("SCRIPTS__MAX_TIMEOUT", "2m"), "coreTimeoutMs", 120_000, 120_001).await;
}

async fn an_integration_may_not_allow_more_memory() {
    bounds(("SCRIPTS__MAX_MEMORY", "16MiB"), "memoryMiB", 16, 17).await;
}

async fn an_integration_may_not_allow_more_calls() {
    bounds(("SCRIPTS__MAX_HTTP_CALLS", "3"), "httpCalls", 3, 4).await;
}

/// What becomes of a delivery to somebody who answers 503 at first; the record once `settled`.
async fn delivery(settings: &[(&str, &str)], failures: usize, settled: impl Fn(&Value) -> bool) -> Value {
    let running = together(settings).await;
    let sink = Sink::start().await;
    sink.answer("/erp", &vec![503; failures]);
    let acme = acme(&running).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &CREATED, json!({})).await;
    acme.create_object("Order", "1", json!({})).await;
    eventually("the delivery is settled", || async { acme.executions(&out).await.pop().filter(&settled) }).await
}

async fn a_delivery_is_dead_after_them() {
    let record = delivery(&[("DISPATCH__ATTEMPTS", "2")], 9, |e| e["status"] == "DEAD").await;
    assert_eq!(record["attempts"].as_array().unwrap().len(), 2, "{record}");
}

async fn the_second_attempt_waits_for_it() {
    let settings = [("DISPATCH__FIRST_DELAY", "3000d"), ("DISPATCH__MAX_DELAY", "3000d")];
    let record = delivery(&settings, 9, |e| e["status"] == "RETRYING").await;
    let next = record["nextAttemptAt"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let started = record["finishedAt"].as_str().is_none();
    // The wait is drawn between nothing and 3000 days: that it is less than a minute comes once in millions of times.
    assert!(started && next.signed_duration_since(chrono::DateTime::UNIX_EPOCH).num_days() > 0, "{record}");
    assert_eq!(record["attempts"].as_array().unwrap().len(), 1, "{record}");
}

async fn no_attempt_waits_longer() {
    let settings = [("DISPATCH__FIRST_DELAY", "200ms"), ("DISPATCH__MAX_DELAY", "200ms")];
    // Without it the sixth wait would be an hour at most, and nearly always many minutes.
    let record = delivery(&settings, 6, |e| e["status"] == "SUCCESS").await;
    assert_eq!(record["attempts"].as_array().unwrap().len(), 7, "{record}");
}

async fn a_call_ends_after_it() {
    let running = together(&[("DISPATCH__TIMEOUT", "150ms"), ("DISPATCH__ATTEMPTS", "1")]).await;
    let sink = Sink::start().await;
    sink.hold("/erp");
    let acme = acme(&running).await;
    let out = acme.make_outgoing("erp", "return {}", &sink.url("/erp"), &CREATED, json!({})).await;
    acme.create_object("Order", "1", json!({})).await;
    let record = acme.ended(&out, 1).await.remove(0);
    assert!(record["attempts"][0]["error"].as_str().unwrap().contains("150"), "{record}");
}

async fn lines_are_json() {
    let mut running = together(&[("LOG__FORMAT", "json")]).await;
    let line =
        eventually("a log line", || async { running.said().into_iter().find(|line| line.starts_with('{')) }).await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    running.stop().await;
}

async fn more_is_logged() {
    for (level, expected) in [("info", 0), ("debug", 1)] {
        let running = together(&[("LOG__LEVEL", level)]).await;
        let seen =
            |running: &Tidegate| running.said().iter().filter(|line| line.contains("/.well-known/jwks.json")).count();
        assert_eq!(http().get(running.credentials("/.well-known/jwks.json")).send().await.unwrap().status(), 200);
        if expected > 0 {
            eventually("the request's line", || async { (seen(&running) > 0).then_some(()) }).await;
        }
        assert_eq!(seen(&running), expected, "{level}");
    }
}
