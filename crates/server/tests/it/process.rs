//! The process as an operator meets it: its start, its folder, its end.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::api::{Admin, http};
use crate::harness::command::{ended, tidegate};
use crate::harness::{Api, Mode, Sink, Tidegate, eventually, in_every_mode, ports};

in_every_mode!(
    sigterm_finishes_what_is_under_way_and_exits_0,
    health_and_readiness_are_told,
    no_key_token_or_secret_is_ever_logged,
);

async fn sigterm_finishes_what_is_under_way_and_exits_0(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start(mode).await else { return };
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order"]).await;
    let core = format!(
        "http.request({{ url = '{}' }}) objects.create('Order', {{}}, 'late') return {{ ok = true }}",
        sink.url("/slow")
    );
    let incoming = acme.make_incoming("shop", &core, json!({})).await;
    sink.hold("/slow");
    let url = incoming["webhookUrl"].as_str().unwrap().to_owned();
    let under_way = tokio::task::spawn(async move { http().post(url).send().await.unwrap().status().as_u16() });
    sink.wait_for("/slow", 1).await;
    // The gateway alone is asked first when roles are apart: the others are what it works with.
    let stopping = if mode == Mode::Apart { 2 } else { 0 };
    tidegate.ask_to_stop(stopping);
    let readyz = tidegate.gateway("/readyz");
    eventually("it takes no new calls", || async {
        let answer = http().get(&readyz).send().await;
        answer.map_or(true, |answer| answer.status() == 503).then_some(())
    })
    .await;
    sink.release("/slow");
    assert_eq!(under_way.await.unwrap(), 200);
    let ended = tidegate.stop().await;
    assert!(ended.iter().all(|status| status.code() == Some(0)), "{ended:?}: {:#?}", tidegate.said());
    tidegate.resume().await;
    let acme = tidegate.api().await.in_tenant("acme");
    assert_eq!(acme.object("Order", "late").await["id"], "late");
    assert_eq!(acme.ended(&incoming, 1).await[0]["status"], "SUCCESS");
}

async fn health_and_readiness_are_told(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start(mode).await else { return };
    for base in [tidegate.director(""), tidegate.credentials(""), tidegate.gateway("")] {
        assert_eq!(http().get(format!("{base}/healthz")).send().await.unwrap().status(), 200);
        let ready = http().get(format!("{base}/readyz")).send().await.unwrap();
        assert_eq!(
            (ready.status().as_u16(), ready.json::<Value>().await.unwrap()["process"].clone()),
            (200, json!("ok"))
        );
    }
    let bases = [
        (tidegate.director("/readyz"), 200),
        (tidegate.gateway("/readyz"), if mode == Mode::Apart { 503 } else { 200 }),
    ];
    let Some(servers) = &mut tidegate.servers else { return };
    servers.nats.kill();
    for (readyz, status) in bases {
        eventually("the bus is told to be away", || async {
            let answer = http().get(&readyz).send().await.unwrap();
            let (status_told, told) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
            (status_told == status && told["bus"] == "away").then_some(())
        })
        .await;
    }
    assert_eq!(http().get(tidegate.director("/healthz")).send().await.unwrap().status(), 200);
}

async fn no_key_token_or_secret_is_ever_logged(mode: Mode) {
    let Some(mut tidegate) = Tidegate::start_with(mode, &[("LOG__LEVEL", "debug")]).await else { return };
    let api = tidegate.api().await;
    let acme = api.make_tenant("acme", &[]).await;
    let incoming = acme.make_incoming("shop", "error('boom')", json!({})).await;
    let url = incoming["webhookUrl"].as_str().unwrap();
    assert_eq!(http().post(url).body("{}").send().await.unwrap().status(), 500);
    let register = r#"mutation { registerIntegrationSystem(in: { name: "crm" }) { id } }"#;
    let id = api.ask(register, json!({})).await["registerIntegrationSystem"]["id"].take();
    let request = "mutation($id: ID!) { requestClientCredentialsForIntegrationSystem(id: $id) {
        auth { credential { ... on OAuthCredentialData { clientSecret } } } } }";
    let told = api.ask(request, json!({ "id": id })).await;
    let secret = told["requestClientCredentialsForIntegrationSystem"]["auth"]["credential"]["clientSecret"].clone();
    tidegate.stop_and_keep().await;
    let said = tidegate.said().join("\n");
    assert!(said.contains("/graphql"), "requests are logged: {said}");
    for hidden in [url.rsplit('/').next().unwrap(), secret.as_str().unwrap(), &api.token, "the-secret-"] {
        assert!(!said.contains(hidden), "{hidden} is in {said}");
    }
}

#[tokio::test]
async fn grpc_answers_on_the_same_port() {
    let running = Tidegate::start(Mode::Together).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let request = client.post(running.director("/grpc.health.v1.Health/Check"));
    // A frame that is not compressed, with an empty message: the health of the process.
    let answer = request.header("content-type", "application/grpc").body(vec![0; 5]).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    assert_eq!(answer.bytes().await.unwrap().as_ref(), [0, 0, 0, 0, 2, 8, 1], "SERVING");
}

#[tokio::test]
async fn the_administrator_is_written_once_for_its_owner_alone() {
    let mut tidegate = Tidegate::start(Mode::Together).await.unwrap();
    let file = tidegate.data_dir().join("admin.json");
    let written = std::fs::read(&file).unwrap();
    let told: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(told["tokenUrl"], tidegate.credentials("/oauth2/token"));
    for name in ["admin.json", "master.key", "tidegate.db", "lock"] {
        let mode = std::fs::metadata(tidegate.data_dir().join(name)).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{name} is for its owner alone");
    }
    assert_eq!(std::fs::metadata(tidegate.data_dir()).unwrap().permissions().mode() & 0o777, 0o700);
    let secret = told["clientSecret"].as_str().unwrap();
    let shown = |tidegate: &Tidegate| tidegate.said().iter().filter(|line| line.contains(secret)).count();
    assert_eq!(shown(&tidegate), 1, "{:#?}", tidegate.said());
    tidegate.stop().await;
    tidegate.resume().await;
    assert_eq!(shown(&tidegate), 0);
    assert_eq!(std::fs::read(&file).unwrap(), written);
}

#[tokio::test]
async fn a_data_directory_that_another_process_holds_is_refused() {
    let running = Tidegate::start(Mode::Together).await.unwrap();
    let port = ports::free().to_string();
    let refused = ended(tidegate().args(["dev", "--port", &port, "--data-dir"]).arg(running.data_dir()));
    assert_eq!((refused.code, refused.err.lines().count()), (Some(1), 1), "{}", refused.err);
    assert!(refused.err.contains("held by another process"), "{}", refused.err);
    running.api().await.ask("{ tenants { totalCount } }", json!({})).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_before_anything_is_written() {
    let running = Tidegate::start(Mode::Together).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = running.gateway("").rsplit(':').next().unwrap().to_owned();
    let data = folder.path().join("data");
    let refused = ended(tidegate().args(["dev", "--port", &port, "--data-dir"]).arg(&data));
    refused.is_refused_with(&["http.listen", &port]);
    assert!(!data.join("tidegate.db").exists());
}

#[tokio::test]
async fn serve_without_servers_lives_in_one_folder_too() {
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free();
    let database = format!("sqlite://{}/tidegate.db", folder.path().join("data").display());
    let mut command = tidegate();
    command.args(["serve", "--database-url", &database, "--http-listen", &format!("127.0.0.1:{port}")]);
    let mut process = crate::harness::process::Process::start(&mut command);
    let base = format!("http://127.0.0.1:{port}");
    eventually("it is ready", || async {
        let answer = http().get(format!("{base}/readyz")).send().await.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
    let admin = Admin::read(&folder.path().join("data/admin.json"));
    let api = Api::sign_in(&format!("{base}/oauth2/token"), base, &admin).await;
    api.ask("{ tenants { totalCount } }", json!({})).await;
    process.ask_to_stop();
    assert_eq!(process.end().await.code(), Some(0));
}

#[tokio::test]
async fn a_folder_is_applied_and_applied_again() {
    let running = Tidegate::start(Mode::Together).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("hello.lua", "return { greeting = 'Hello, ' .. parameters.name }");
    write(
        "tidegate.toml",
        r#"
        tenant = { id = "acme", name = "Acme" }
        object_types = ["Visit"]
        [[logic]]
        name = "hello"
        kind = "CORE"
        file = "hello.lua"
        [[integration]]
        name = "hello"
        type = "INCOMING"
        http_method = "POST"
        core = "hello"
        [[integration]]
        name = "out"
        type = "OUTGOING"
        http_method = "GET"
        core = "hello"
        url = "https://example.com/x"
        subscriptions = [
          { object_type = "Visit", event_type = "CREATE" },
          { object_type = "Visit", event_type = "UPDATE" },
        ]"#,
    );
    let apply = || {
        let mut command = tidegate();
        command.arg("apply").arg(folder.path()).args(["--url", &running.director("")]);
        ended(command.arg("--admin-file").arg(running.data_dir().join("admin.json")))
    };
    let first = apply();
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(first.out.matches(" made").count(), 5, "{}", first.out);
    let url = first.out.split_whitespace().find(|word| word.contains("/webhook/")).unwrap().to_owned();
    let answer = http().post(&url).json(&json!({ "name": "Ada" })).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "greeting": "Hello, Ada" }));

    let second = apply();
    assert_eq!((second.out.matches(" unchanged").count(), second.out.contains(&url)), (5, true), "{}", second.out);
    write("hello.lua", "return { greeting = 'Bye, ' .. parameters.name }");
    let third = apply();
    assert_eq!(
        (third.out.matches(" updated").count(), third.out.matches(" unchanged").count()),
        (1, 4),
        "{}",
        third.out
    );
    eventually("the new version runs", || async {
        let answer = http().post(&url).json(&json!({ "name": "Ada" })).send().await.unwrap();
        (answer.json::<Value>().await.unwrap()["greeting"] == "Bye, Ada").then_some(())
    })
    .await;

    write("hello.lua", "return {\n  greeting = \n}");
    let broken = apply();
    assert_eq!((broken.code, broken.err.lines().count()), (Some(1), 1), "{}", broken.err);
    assert!(broken.err.contains("logic hello") && broken.err.contains("line 3"), "{}", broken.err);
    write("tidegate.toml", "tenant = { id = \"acme\", name = \"Acme\" }\nlogics = []");
    let unknown = apply();
    assert!(unknown.err.contains("tidegate.toml") && unknown.err.contains("logics"), "{}", unknown.err);
}

#[tokio::test]
async fn the_demo_shows_the_whole_way() {
    let port = ports::free().to_string();
    let mut demo = crate::harness::process::Process::start(tidegate().args(["demo", "--port", &port]));
    let all = eventually("the demo has shown everything", || {
        let all = demo.said().join("\n");
        std::future::ready(all.contains("curl ").then_some(all))
    })
    .await;
    for part in ["Codertocat/Hello-World#1", "New issue", "SUCCESS", "/hooks/ops", "WEBHOOK", "EVENT", "/webhook/"] {
        assert!(all.contains(part), "{part:?} is not in {all}");
    }
    demo.ask_to_stop();
    assert_eq!(demo.end().await.code(), Some(0));
}

#[test]
fn the_scripts_that_people_call_say_how_they_are_called() {
    let services = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/services");
    let refused = Command::new(services).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("scripts/services start"));
}
