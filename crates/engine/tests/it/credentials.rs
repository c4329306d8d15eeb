//! `credential` in `http.request`: secrets that scripts use and never see.

use std::sync::Arc;

use serde_json::json;
use tidegate_engine::{Engine, Run};
use tidegate_model::contract::{Trial, TrialInput, Trials};
use tidegate_model::{AuthStyle, Change, FailureKind, Material, OAuth2Client, Secret};

use crate::harness::{
    Definition, Memory, call, engine_naming, event, failed, incoming, json as text, noon, outgoing, run, succeeded,
};
use crate::http::{Answer, Server, header, serve};
use crate::vault::Kept;

const SECRET: &str = "hunter2-hunter2";

/// `ann:hunter2-hunter2`
const PAIR: &str = "YW5uOmh1bnRlcjItaHVudGVyMg==";

fn bearer() -> Material {
    Material::Bearer { token: Secret::new(SECRET) }
}

fn one(hosts: &[&str]) -> (Engine, Arc<Kept>) {
    let vault = Arc::new(Kept::default());
    vault.keep("shop", hosts, bearer());
    (engine_naming(vault.clone()), vault)
}

/// Answers with all that it got.
async fn echo() -> Server {
    serve(|request| Answer {
        status: 200,
        headers: vec![("x-echo", header(request, "authorization").unwrap_or_default().to_owned())],
        body: json!(request.headers).to_string(),
    })
    .await
}

fn assert_tells_nothing(run: &Run) {
    let told = format!("{run:?}");
    assert!(!told.contains("hunter2") && !told.contains(PAIR), "{told}");
}

#[tokio::test]
async fn each_kind_of_credential_goes_with_the_call_in_both_directions_and_into_no_record() {
    let tokens =
        serve(|_| Answer::ok(&json!({ "access_token": SECRET, "token_type": "bearer", "expires_in": 60 }).to_string()))
            .await;
    let client = OAuth2Client {
        token_url: tokens.url("/token"),
        client_id: "id".to_owned(),
        client_secret: Secret::new("client-hunter2"),
        scope: None,
        auth_style: AuthStyle::Post,
    };
    let header_of_its_own = Material::Header { name: "X-Partner".into(), value: Secret::new(SECRET) };
    let basic = Material::Basic { username: "ann".into(), password: Secret::new(SECRET) };
    for (name, material, into, sent) in [
        ("bearer", bearer(), "authorization", "Bearer hunter2-hunter2".to_owned()),
        ("basic", basic, "authorization", format!("Basic {PAIR}")),
        ("header", header_of_its_own, "x-partner", SECRET.to_owned()),
        ("oauth2", Material::OAuth2(client), "authorization", "Bearer hunter2-hunter2".to_owned()),
    ] {
        let vault = Arc::new(Kept::default());
        vault.keep(name, &["127.0.0.1"], material);
        let engine = engine_naming(vault);
        let server = echo().await;
        let core = format!(
            "local headers = {{ Authorization = 'mine', ['X-Partner'] = 'mine', ['X-A'] = '1' }}
            local answer = http.post('{}', {{ credential = '{name}', headers = headers }})
            log(headers, answer.body)
            return {{ status = answer.status, headers = headers, body = {{ echo = answer.body }} }}",
            server.url("/")
        );
        let called = run(&engine, incoming(&core), "{}").await;
        let change = event(Change::Create { new: text("{}") });
        let told = engine.run_outgoing(&Arc::new(outgoing(&core)), &change, noon()).await;
        for (done, received) in [called, told].iter().zip(server.received()) {
            let result = succeeded(done);
            let given = json!({ "Authorization": "mine", "X-Partner": "mine", "X-A": "1" });
            assert_eq!((&result["status"], &result["headers"]), (&json!(200), &given), "{name}");
            assert_eq!(received.headers.iter().filter(|(known, _)| known == into).count(), 1, "{name}");
            assert_eq!(header(&received, into), Some(&*sent), "{name}");
            let call = &done.calls[0];
            assert_eq!((call.credential.as_deref(), call.status), (Some(name), Some(200)));
            let headers = call.request_headers.to_value();
            assert_eq!((&headers[into], &headers["x-a"]), (&json!("***"), &json!("1")), "{name}");
            assert_tells_nothing(done);
        }
    }
    assert_eq!(tokens.received().len(), 1, "the token is kept");
}

#[tokio::test]
async fn what_an_echo_repeats_neither_the_script_nor_the_record_gets() {
    let server = echo().await;
    let (engine, _) = one(&["127.0.0.1"]);
    let ask = format!("local answer = http.get('{}', {{ credential = 'shop' }}) log(answer.body)", server.url("/"));
    let core = format!(
        "{ask}
        local whole = answer.body .. answer.headers['X-Echo']
        return {{ heard = whole, length = #answer.headers['X-Echo'], seen = string.find(whole, 'unter2', 1, true) ~= nil,
            decoded = answer.json() }}"
    );
    let done = run(&engine, incoming(&core), "{}").await;
    let result = succeeded(&done);
    assert!(result["heard"].as_str().unwrap().ends_with("Bearer ***"), "{result}");
    assert_eq!((&result["seen"], &result["length"]), (&json!(false), &json!("Bearer ***".len())));
    assert!(done.log[0].text.contains("Bearer ***"), "{:?}", done.log);
    let call = &done.calls[0];
    assert!(call.response_body.as_ref().unwrap().contains("Bearer ***"), "{call:?}");
    assert_eq!(call.response_headers.as_ref().unwrap().to_value()["x-echo"], "Bearer ***");
    assert_tells_nothing(&done);
    let done = run(&engine, incoming(&format!("{ask} error(answer.body)")), "{}").await;
    assert!(failed(&done).message.contains("Bearer ***"), "{}", failed(&done).message);
    assert_tells_nothing(&done);
    let enables = incoming("return {}").enabled_by(&format!("{ask} return {{ result = false, why = answer.body }}"));
    let done = run(&engine, enables, "{}").await;
    assert!(done.enable_result.as_ref().unwrap().as_str().contains("Bearer ***"), "{done:?}");
    assert_tells_nothing(&done);
}

#[tokio::test]
async fn what_a_third_party_remembers_is_masked_in_the_answers_to_later_calls_of_the_run() {
    let remembered = std::sync::Mutex::new(String::new());
    let server = serve(move |request| {
        let mut remembered = remembered.lock().unwrap();
        remembered.push_str(header(request, "authorization").unwrap_or_default());
        Answer::ok(&remembered)
    })
    .await;
    let (engine, _) = one(&["127.0.0.1"]);
    let core =
        format!("http.get('{0}', {{ credential = 'shop' }}) return {{ body = http.get('{0}').body }}", server.url("/"));
    let enables = format!("http.get('{}', {{ credential = 'shop' }}) return {{ result = true }}", server.url("/"));
    let done = run(&engine, incoming(&core).enabled_by(&enables), "{}").await;
    assert_eq!(succeeded(&done), json!({ "body": "Bearer ***Bearer ***" }));
    assert_eq!((done.calls.len(), done.calls[2].credential.as_deref()), (3, None));
    assert_tells_nothing(&done);
}

#[tokio::test]
async fn an_answer_that_is_cut_within_the_secret_does_not_show_its_beginning() {
    let limit = tidegate_engine::Limits::default().http_response;
    let server = serve(move |_| Answer::ok(&format!("{}{SECRET}", "x".repeat(limit - 7)))).await;
    let (engine, _) = one(&["127.0.0.1"]);
    let core = format!(
        "local answer = http.get('{}', {{ credential = 'shop' }}) return {{ cut = answer.truncated, last = answer.body:sub(-5) }}",
        server.url("/")
    );
    let done = run(&engine, incoming(&core), "{}").await;
    assert_eq!(succeeded(&done), json!({ "cut": true, "last": "xx***" }));
}

#[tokio::test]
async fn no_spelling_of_json_or_of_urls_brings_a_secret_before_the_script() {
    let server =
        serve(|_| Answer::ok(r#"{"php":"pin\/n\u00fcmber \ud83d\ude00","url":"pin%2fn%C3%bcmber+%F0%9F%98%80"}"#))
            .await;
    let vault = Arc::new(Kept::default());
    let basic = Material::Basic { username: "ann".to_owned(), password: Secret::new("pin/nümber 😀") };
    vault.keep("shop", &["127.0.0.1"], basic);
    let core = format!("return {{ body = http.get('{}', {{ credential = 'shop' }}).body }}", server.url("/"));
    let done = run(&engine_naming(vault), incoming(&core), "{}").await;
    assert_eq!(succeeded(&done), json!({ "body": r#"{"php":"***","url":"***"}"# }));
    assert_eq!(done.calls[0].response_body.as_deref(), Some(r#"{"php":"***","url":"***"}"#));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_neither_is_told() {
    let issued = std::sync::atomic::AtomicUsize::new(0);
    let server = serve(move |request| {
        use std::sync::atomic::Ordering::SeqCst;
        if request.path == "/token" {
            let token = format!("{SECRET}-{}", issued.fetch_add(1, SeqCst) + 1);
            return Answer::ok(&json!({ "access_token": token, "token_type": "Bearer" }).to_string());
        }
        let good = header(request, "authorization") == Some("Bearer hunter2-hunter2-2");
        let body = format!("{SECRET}-1 {SECRET}-2");
        Answer { status: if good { 200 } else { 401 }, headers: Vec::new(), body }
    })
    .await;
    let client = OAuth2Client {
        token_url: server.url("/token"),
        client_id: "id".to_owned(),
        client_secret: Secret::new("client-hunter2"),
        scope: None,
        auth_style: AuthStyle::Basic,
    };
    let vault = Arc::new(Kept::default());
    vault.keep("shop", &["127.0.0.1"], Material::OAuth2(client));
    let engine = engine_naming(vault);
    let core = format!(
        "local answer = http.get('{}', {{ credential = 'shop' }}) return {{ status = answer.status, body = answer.body }}",
        server.url("/api")
    );
    for body in ["*** ***", "hunter2-hunter2-1 ***"] {
        let done = run(&engine, incoming(&core), "{}").await;
        assert_eq!(succeeded(&done), json!({ "status": 200, "body": body }));
        assert_eq!(done.calls.len(), 1);
    }
    let paths: Vec<_> = server.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/token", "/api", "/token", "/api", "/api"]);
}

#[tokio::test]
async fn a_credential_goes_to_its_hosts_alone_and_only_from_scripts_of_its_tenant() {
    let server = echo().await;
    let vault = Arc::new(Kept::default());
    vault.keep("elsewhere", &["api.example.com"], bearer());
    vault.keep("ours", &["127.0.0.1"], bearer());
    let engine = engine_naming(vault);
    let ask = |name: &str| format!("http.get('{}', {{ credential = {name} }}) return {{}}", server.url("/"));
    for (tenant, name, why) in [
        ("acme", "'elsewhere'", "credential \"elsewhere\" may not be sent to \"127.0.0.1\""),
        ("acme", "'none'", "there is no credential \"none\""),
        ("other", "'ours'", "there is no credential \"ours\""),
        ("acme", "''", "there is no credential \"\""),
        ("acme", "7", "credential must be a string"),
        ("acme", "{}", "credential must be a string"),
    ] {
        let done = run(&engine, incoming(&ask(name)).of(tenant), "{}").await;
        let message = &failed(&done).message;
        assert!(message.starts_with("shop-orders/core:1: ") && message.contains(why), "{message}");
        assert_eq!(failed(&done).kind, FailureKind::Script);
        assert_tells_nothing(&done);
        if name.contains("ours") || name.contains("else") {
            let call = &done.calls[0];
            assert!(call.credential.is_some() && call.error.as_ref().unwrap().contains(why), "{call:?}");
        }
    }
    let done = run(&crate::harness::engine(), incoming(&ask("'ours'")), "{}").await;
    assert!(failed(&done).message.contains("there is no credential \"ours\""), "{}", failed(&done).message);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_vault_that_is_away_is_the_platforms_failure() {
    let engine = engine_naming(Arc::new(Kept::that_is_away()));
    let core = "http.get('http://127.0.0.1:1/', { credential = 'x' }) return {}";
    let done = run(&engine, incoming(core), "{}").await;
    assert_eq!(failed(&done).kind, FailureKind::Platform, "{}", failed(&done).message);
    assert!(failed(&done).message.contains("credential \"x\""), "{}", failed(&done).message);
}

#[tokio::test]
async fn a_trial_opens_no_credential_unless_it_sends() {
    let server = echo().await;
    let (engine, vault) = one(&["127.0.0.1"]);
    let core = format!(
        "local ok, answer = pcall(http.get, '{}', {{ credential = 'shop' }}) return {{ ok = ok, body = ok and answer.body or answer }}",
        server.url("/")
    );
    let trial = Trial {
        runnable: Arc::new(incoming(&core)),
        input: TrialInput::Incoming(call("{}")),
        enable_only: false,
        send_http: false,
    };
    let tried = Trials::run(&engine, trial.clone(), Arc::new(Memory::default())).await.unwrap();
    assert_eq!((tried.calls[0].credential.as_deref(), vault.asked()), (Some("shop"), 0));
    assert!(server.received().is_empty());
    let sends = Trial { send_http: true, ..trial };
    let tried = Trials::run(&engine, sends, Arc::new(Memory::default())).await.unwrap();
    assert_eq!((tried.calls[0].status, vault.asked(), server.received().len()), (Some(200), 1, 1));
    assert_eq!(tried.calls[0].request_headers.to_value()["authorization"], "***");
    assert!(!format!("{tried:?}").contains("hunter2"), "{tried:?}");
}
