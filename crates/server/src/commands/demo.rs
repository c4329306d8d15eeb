//! `tidegate demo`: the examples, applied and tried, before your eyes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use super::run::{Up, block_on, local_config, print_urls, run};
use crate::apply::{Manifest, apply};
use crate::cli::{Asked, Local};
use crate::client::{Client, egress_to, post};
use crate::config::Roles;
use crate::data_dir::AdminFile;
use crate::tell::tell;

static EXAMPLES: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../examples");

const TENANT: &str = "acme";
/// Named by the sender's header and what happened; sent in this order.
const PAYLOADS: [&str; 2] = ["issues.opened.json", "issues.closed.json"];

/// Runs everything as `dev` does, and shows the whole way.
pub(crate) fn demo(asked: &Asked, local: &Local) -> anyhow::Result<()> {
    let began = Instant::now();
    let temporary = TemporaryFolder::unless(local.data_dir.is_some())?;
    let folder = local.data_dir.as_deref().or(temporary.as_ref().map(|t| t.0.as_path())).unwrap_or(Path::new("."));
    let config = local_config(asked, local, folder)?;
    block_on(run(&config, &Roles::of(Vec::new()), began, |up| async move {
        print_urls(&up)?;
        show(&up).await
    }))
}

async fn show(up: &Up) -> anyhow::Result<()> {
    let sink = Sink::open().await?;
    let mut admin = AdminFile::read(&up.folder.as_deref().unwrap_or(Path::new(".")).join("admin.json"))?;
    let base: Url = up.base.parse()?;
    // The public URLs may be others; the demo calls itself.
    admin.token_url = base.join("/oauth2/token")?.into();
    let client = Client::sign_in(base.clone(), &admin).await?;

    tell!("\nThe examples, applied:")?;
    let mut webhook = None;
    for folder in EXAMPLES.dirs() {
        let mut manifest = Manifest::read(|name| text_of(folder, name))?;
        manifest.redirect_calls(&sink.url);
        for line in apply(&client, &manifest).await? {
            tell!("  {line}")?;
            webhook = webhook.or_else(|| line.webhook_url.clone().map(|url| (line.name.clone(), url, folder)));
        }
    }
    let (name, url, folder) = webhook.context("no example has a webhook")?;
    let here = base.join(Url::parse(&url)?.path())?;
    let mut calls = sink.calls;
    for payload in PAYLOADS {
        let event = payload.split('.').next().unwrap_or_default();
        let body = folder
            .get_file(folder.path().join("payloads").join(payload))
            .with_context(|| format!("payloads/{payload} is missing"))?;
        tell!("\nGitHub says {payload}:  POST {url}")?;
        let headers = [("Content-Type", "application/json"), ("X-GitHub-Event", event)];
        let answer = post(&egress_to(&[&here])?, here.as_str(), &headers, body.contents().to_vec()).await?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        tell!("  answered     {} {said}", answer.status)?;
        if let (Some(object_type), Some(id)) = (said["saved"].as_str(), said["id"].as_str()) {
            let query = "query($t: String!, $id: ID!) { object(objectType: $t, id: $id) { version data createdBy } }";
            let object = client.ask(Some(TENANT), query, json!({ "t": object_type, "id": id })).await?;
            tell!("  object       {object_type} {id} {}", object["object"])?;
        }
        match tokio::time::timeout(Duration::from_secs(10), calls.recv()).await {
            Ok(Some(call)) => tell!("  chat heard   {call}")?,
            _ => tell!("  chat heard   nothing: the object did not change")?,
        }
    }
    tell!("\nOn record, newest first:")?;
    for line in records(&client, PAYLOADS.len() * 2).await? {
        tell!("  {line}")?;
    }
    let file = format!("examples/{}/payloads/{}", folder.path().display(), PAYLOADS[0]);
    tell!("\nTry {name} yourself (press Ctrl-C to stop):")?;
    tell!("  curl -i {url} -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' -d @{file}")?;
    // Goes on taking calls as long as the process lives.
    while let Some(call) = calls.recv().await {
        tell!("chat heard     {call}")?;
    }
    Ok(())
}

/// The newest records, once that many have ended.
async fn records(client: &Client, count: usize) -> anyhow::Result<Vec<String>> {
    let query = "{ executions(first: 10) { data { trigger status method url objectType eventType objectId log integration { name }
        attempts { status url } } } }";
    let mut all = Vec::new();
    for _ in 0..100 {
        let told = client.ask(Some(TENANT), query, json!({})).await?;
        all = told["executions"]["data"].as_array().cloned().unwrap_or_default();
        let open = all.iter().any(|e| e["status"] == "PENDING" || e["status"] == "RETRYING");
        if !open && all.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(all.iter().take(count).map(record_line).collect())
}

fn record_line(record: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = if record["trigger"] == "WEBHOOK" {
        text(&record["method"])
    } else {
        let attempt = &record["attempts"][0];
        let event = format!("{} {}", text(&record["eventType"]), text(&record["objectId"]));
        format!("{event} -> {} {}", text(&attempt["url"]), attempt["status"])
    };
    let log = text(&record["log"]);
    let name = text(&record["integration"]["name"]);
    let (trigger, status) = (text(&record["trigger"]), text(&record["status"]));
    format!("{trigger:<8} {name:<8} {status:<8} {about}  {}", log.lines().next().unwrap_or_default())
}

fn text_of(folder: &Dir, name: &str) -> anyhow::Result<String> {
    let path = folder.path().join(name);
    let file = folder.get_file(&path).with_context(|| format!("examples/{} is missing", path.display()))?;
    Ok(file.contents_utf8().with_context(|| format!("examples/{} is no text", path.display()))?.to_owned())
}

/// The third party of the demo: takes every call and says what it heard.
struct Sink {
    url: Url,
    calls: mpsc::Receiver<String>,
    _server: tokio::task::JoinSet<()>,
}

impl Sink {
    async fn open() -> anyhow::Result<Self> {
        // Printing is quick, and a demo makes few calls; whoever finds it full waits.
        let (heard, calls) = mpsc::channel(64);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let router = Router::new().fallback(hear).with_state(Arc::new(heard));
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, calls, _server: server })
    }
}

async fn hear(State(heard): State<Arc<mpsc::Sender<String>>>, request: Request) -> &'static str {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let line = format!("{} {} {}", parts.method, parts.uri, String::from_utf8_lossy(&body));
    let _ = heard.send(line).await;
    "ok"
}

/// A folder that goes with the process.
struct TemporaryFolder(std::path::PathBuf);

impl TemporaryFolder {
    fn unless(named: bool) -> anyhow::Result<Option<Self>> {
        if named {
            return Ok(None);
        }
        let path = std::env::temp_dir().join(format!("tidegate-demo-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Some(Self(path)))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
