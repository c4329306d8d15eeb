//! What third parties are given to call with: each snippet is run, each document is read by tools of others.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::api::http;
use crate::harness::{Api, Mode, Tidegate};

/// What the shell, Python and JSON each would like to read as something else.
const SECRET: &str = "it's $HOME `id` \"q\" \\n +/=&";
const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PASSWORD: &str = "p:a$s'w";

const CORE: &str = "return { let_in = true, seen = parameters }";

struct Case {
    method: &'static str,
    signature: Value,
    idempotency_key: &'static str,
    /// What its snippets read from the environment.
    secret: &'static str,
}

fn cases() -> Vec<Case> {
    let of = |method, signature, secret| Case { method, signature, idempotency_key: "NONE", secret };
    let scheme = |name: &str| json!({ "scheme": name, "credentials": ["partner"] });
    let with = |mut signature: Value, more: Value| {
        signature.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        signature
    };
    let everything = json!({ "header": "X-Sig", "prefix": "it's=", "algorithm": "SHA512", "encoding": "BASE64",
        "template": "it's \"$HOME\" {timestamp}.{id}.{method}.{url}.{body}\\n", "timestampHeader": "X-Time", "idHeader": "X-Id" });
    let of_url = json!({ "header": "X-Sig", "algorithm": "SHA1", "template": "{method} {url}" });
    vec![
        of("POST", Value::Null, ""),
        of("GET", Value::Null, ""),
        Case { idempotency_key: "REQUIRED", ..of("POST", Value::Null, "") },
        Case { idempotency_key: "ACCEPTED", ..of("POST", scheme("SHOPIFY"), SECRET) },
        of("POST", json!({ "scheme": "STANDARD_WEBHOOKS", "credentials": ["standard"] }), STANDARD),
        of("POST", scheme("GITHUB"), SECRET),
        of("POST", scheme("STRIPE"), SECRET),
        of("POST", scheme("SLACK"), SECRET),
        of("POST", scheme("SHOPIFY"), SECRET),
        of("POST", scheme("TWILIO"), SECRET),
        of("GET", scheme("TWILIO"), SECRET),
        of("POST", with(scheme("GENERIC"), json!({ "header": "X-Sig" })), SECRET),
        of("POST", with(scheme("GENERIC"), everything), SECRET),
        of("GET", with(scheme("GENERIC"), of_url), SECRET),
        of("POST", with(scheme("TOKEN"), json!({ "header": "Authorization", "prefix": "Bearer " })), SECRET),
        of("POST", with(scheme("TOKEN"), json!({ "header": "X-Token" })), SECRET),
        of("POST", with(scheme("TOKEN"), json!({ "parameter": "to&ken" })), SECRET),
        of("GET", with(scheme("TOKEN"), json!({ "parameter": "token" })), SECRET),
        of("POST", json!({ "scheme": "BASIC", "credentials": ["basic"] }), PASSWORD),
    ]
}

/// A Tidegate with a tenant that has what every scheme needs.
async fn start() -> Option<(Tidegate, Api)> {
    let tidegate = Tidegate::start(Mode::Together).await?;
    let api = tidegate.api().await.make_tenant("acme", &[]).await;
    for credential in [
        json!({ "name": "partner", "kind": "SIGNING", "secret": SECRET }),
        json!({ "name": "standard", "kind": "SIGNING", "secret": STANDARD }),
        json!({ "name": "basic", "kind": "BASIC", "allowedHosts": ["api.example.com"], "username": "ada", "secret": PASSWORD }),
    ] {
        let create = "mutation($in: CredentialInput!) { createCredential(in: $in) { id } }";
        api.ask(create, json!({ "in": credential })).await;
    }
    Some((tidegate, api))
}

/// Makes an Integration that takes a name which is not easily written down.
async fn make(api: &Api, name: &str, case: &Case) -> Value {
    let schema = json!({ "type": "object", "required": ["name"], "additionalProperties": false, "properties": { "name": {
        "type": "string", "minLength": 3, "examples": ["O'Neil \"x\" ü $HOME `id` \\ %41+&="] } } });
    let incoming = json!({ "signature": case.signature, "idempotencyKey": case.idempotency_key, "bodySchema": schema, "checkBody": true });
    api.make_incoming(name, CORE, json!({ "httpMethod": case.method, "incoming": incoming })).await
}

/// Runs lines in their language.
async fn run(language: &str, lines: String, secret: &str) -> Output {
    let mut command = Command::new(if language == "Shell" { "sh" } else { "python3" });
    command.arg("-c").arg(lines).env("WEBHOOK_SECRET", secret);
    command.env("WEBHOOK_USERNAME", "ada").env("WEBHOOK_PASSWORD", secret).env("no_proxy", "127.0.0.1");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_snippet_of_each_scheme_is_let_in_with_the_secret_and_without_it_is_not() {
    let Some((_tidegate, api)) = start().await else { return };
    for (number, case) in cases().iter().enumerate() {
        let made = make(&api, &format!("hook-{number}"), case).await;
        let read = "query($id: ID!) { integration(id: $id) { snippets { language text } } }";
        let told = api.ask(read, json!({ "id": made["id"] })).await;
        let snippets = told["integration"]["snippets"].as_array().unwrap();
        assert_eq!(snippets.len(), 2);
        for snippet in snippets {
            let (language, lines) = (snippet["language"].as_str().unwrap(), snippet["text"].as_str().unwrap());
            assert!(case.secret.is_empty() || !lines.contains(case.secret), "{lines}");
            let done = run(language, lines.to_owned(), case.secret).await;
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            let answer: Value = serde_json::from_str(&said).unwrap_or_else(|_| {
                panic!("{}\n{lines}\n{said}{}", case.signature, String::from_utf8_lossy(&done.stderr))
            });
            assert_eq!(answer["let_in"], true, "{}\n{lines}\n{said}", case.signature);
            assert_eq!(answer["seen"]["name"], "O'Neil \"x\" ü $HOME `id` \\ %41+&=", "{lines}");
            if !case.secret.is_empty() {
                let done = run(language, lines.to_owned(), "whsec_AAAA").await;
                let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
                assert!(said.contains("401"), "{}\n{lines}\n{said}", case.signature);
            }
        }
    }
}

/// The Python that has what these tests need; `None` where there is none.
fn python() -> Option<String> {
    let python = std::env::var("TIDEGATE_TEST_PYTHON").ok();
    if python.is_none() {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_PYTHON is not set; start the tests with scripts/test");
        eprintln!("skipped: TIDEGATE_TEST_PYTHON is not set (scripts/clients)");
    }
    python
}

/// Fetches a document, as JSON and as YAML; answers where the former is.
async fn save(tidegate: &Tidegate, api: &Api, integration: &Value, folder: &Path) -> PathBuf {
    let id = integration["id"].as_str().unwrap();
    for form in ["json", "yaml"] {
        let url = tidegate.director(&format!("/v1/integrations/{id}/openapi.{form}"));
        let answer = http().get(url).bearer_auth(&api.token).header("Tenant", "acme").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        std::fs::write(folder.join(format!("{id}.{form}")), answer.bytes().await.unwrap()).unwrap();
    }
    folder.join(format!("{id}.json"))
}

async fn succeeds(mut command: Command) {
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("no_proxy", "127.0.0.1");
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_document_is_valid_in_json_and_in_yaml() {
    let Some(python) = python() else { return };
    let Some((tidegate, api)) = start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    for (number, case) in cases().iter().enumerate() {
        let made = make(&api, &format!("hook-{number}"), case).await;
        save(&tidegate, &api, &made, folder.path()).await;
    }
    let schema = json!({ "$id": "https://example.com/tree", "$defs": { "leaf": { "$anchor": "leaf", "type": ["integer", "null"] } },
        "properties": { "left": { "$ref": "#" }, "right": { "$ref": "https://example.com/tree#leaf" }, "yes": { "const": "no" } } });
    for (name, more) in [("plain", json!({})), ("tree", json!({ "incoming": { "bodySchema": schema } }))] {
        let made = api.make_incoming(name, CORE, json!({ "description": "- a: \"b\"\n# c\n" })).await;
        save(&tidegate, &api, &made, folder.path()).await;
        let made = api.make_incoming(&format!("{name} 2"), CORE, more).await;
        save(&tidegate, &api, &made, folder.path()).await;
    }
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openapi_documents.py")).arg(folder.path());
    succeeds(command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing_that_a_document_does_not_say() {
    let Some(python) = python() else { return };
    let Some((tidegate, api)) = start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let order = json!({ "type": "object", "required": ["number", "lines"], "additionalProperties": false, "properties": {
        "number": { "type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,6}$" },
        "state": { "enum": ["open", "closed"] },
        "lines": { "type": "array", "minItems": 1, "maxItems": 5, "items": { "$ref": "#/$defs/line" } } },
        "$defs": { "line": { "type": "object", "required": ["qty"], "properties": {
            "qty": { "type": "integer", "minimum": 1, "maximum": 1000 }, "note": { "type": ["string", "null"], "maxLength": 20 } } } } });
    let search = json!({ "type": "object", "required": ["state"], "properties": { "state": { "enum": ["open", "closed"] },
        "name": { "type": "string", "minLength": 1, "maxLength": 10 } } });
    let token = json!({ "scheme": "TOKEN", "credentials": ["token"], "header": "X-Token" });
    let create = "mutation($in: CredentialInput!) { createCredential(in: $in) { id } }";
    api.ask(create, json!({ "in": { "name": "token", "kind": "SIGNING", "secret": "let-me-in" } })).await;
    // What calls itself JSON and is none is a failed run, 500: the document says so.
    let fails = "not_a_server_error";
    // Data that fits is refused with a key that other data had, which no schema can say.
    let repeats = "not_a_server_error,positive_data_acceptance";
    let ordering = json!({ "bodySchema": order, "checkBody": true, "signature": token });
    let mut keyed = ordering.clone();
    keyed["idempotencyKey"] = json!("ACCEPTED");
    for (name, more, excluded) in [
        ("order", json!({ "incoming": ordering }), fails),
        ("keyed", json!({ "incoming": keyed }), repeats),
        ("search", json!({ "httpMethod": "GET", "incoming": { "bodySchema": search, "checkBody": true } }), fails),
    ] {
        let made = api.make_incoming(name, CORE, more).await;
        let document = save(&tidegate, &api, &made, folder.path()).await;
        let mut command = Command::new(&python);
        command.args(["-m", "schemathesis.cli", "run"]).arg(document).args(["--url", &tidegate.gateway("")]);
        command.args(["--checks", "all", "--exclude-checks", excluded, "--header", "X-Token: let-me-in"]);
        command.args(["--max-examples", "25", "--generation-deterministic", "--phases", "examples,coverage,fuzzing"]);
        command.args(["--no-color", "--warnings", "off"]);
        command.current_dir(folder.path());
        succeeds(command).await;
        let ran = api.executions(&made).await;
        let came = |status: &str| ran.iter().filter(|run| run["status"] == status).count();
        assert!(came("SUCCESS") > 0 && came("FAILED") > 0, "{name}: some fit and some did not");
    }
}
