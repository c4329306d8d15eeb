//! `http.request` from scripts, against a server of ours.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tidegate_engine::{Limits, Options, Time};
use tidegate_model::FailureKind;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::harness::{Definition, Memory, engine, engine_with, failed, incoming, result, run, succeeded};

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn ok(body: &str) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_owned() }
    }
}

pub(crate) struct Server {
    address: std::net::SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers every request by `answer`, one connection each.
#[expect(clippy::disallowed_methods, reason = "the server ends with its test")]
pub(crate) async fn serve(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(Mutex::new(Vec::new()));
    let (seen, answer) = (received.clone(), Arc::new(answer));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, answer) = (seen.clone(), answer.clone());
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let request = read(&mut stream).await;
                let Answer { status, headers, body } = answer(&request);
                seen.lock().unwrap().push(request);
                let mut text =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
                for (name, value) in headers {
                    text.extend([name, ": ", &value, "\r\n"]);
                }
                let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes()).await;
                let _ = stream.flush().await;
            });
        }
    });
    Server { address, received, task }
}

async fn read(stream: &mut BufReader<tokio::net::TcpStream>) -> Received {
    let mut received = Received::default();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    received.method = words.next().unwrap_or_default();
    received.path = words.next().unwrap_or_default();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        received.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    received.body = String::from_utf8(body).unwrap();
    received
}

pub(crate) fn header<'a>(received: &'a Received, name: &str) -> Option<&'a str> {
    received.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

#[tokio::test]
async fn a_script_calls_out_and_reads_the_answer() {
    let server = serve(|_| Answer {
        status: 201,
        headers: vec![("x-a", "1".to_owned()), ("x-a", "2".to_owned())],
        body: r#"{"id":9007199254740993}"#.to_owned(),
    })
    .await;
    let engine = engine();
    let core = format!(
        "local r = http.request{{ method = 'post', url = '{}', headers = {{ ['X-Key'] = 'k', n = 5 }}, json = {{ items = json.array{{}}, n = json.null }} }}
        return {{ status = r.status, a = r.headers['X-A'], id = tostring(r.json().id), id2 = r:json().id == r.json().id, body = r.body, cut = r.truncated }}",
        server.url("/orders?x=1")
    );
    let got = result(&engine, &core).await;
    assert_eq!(
        got,
        json!({"status": 201, "a": "1, 2", "id": "9007199254740993", "id2": true, "body": "{\"id\":9007199254740993}", "cut": false})
    );
    let received = server.received();
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/orders?x=1"));
    assert_eq!(header(&received[0], "x-key"), Some("k"));
    assert_eq!(header(&received[0], "n"), Some("5"));
    assert_eq!(header(&received[0], "content-type"), Some("application/json"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&received[0].body).unwrap(), json!({"items": [], "n": null}));
}

#[tokio::test]
async fn bodies_are_text_json_or_a_form() {
    let server = serve(|_| Answer::ok("")).await;
    let engine = engine();
    let core = format!(
        "local url = '{}'
        http.post(url, {{ body = 'raw', headers = {{ ['content-type'] = 'text/x' }} }})
        http.post(url, {{ form = {{ b = 'x y', a = {{ 1, 2 }} }} }})
        http.get(url)
        http.request{{ url = url }}
        return {{}}",
        server.url("/")
    );
    result(&engine, &core).await;
    let received = server.received();
    let seen: Vec<_> =
        received.iter().map(|r| (r.method.as_str(), r.body.as_str(), header(r, "content-type"))).collect();
    assert_eq!(
        seen,
        [
            ("POST", "raw", Some("text/x")),
            ("POST", "a=1&a=2&b=x+y", Some("application/x-www-form-urlencoded")),
            ("GET", "", None),
            ("GET", "", None),
        ]
    );
}

#[tokio::test]
async fn a_call_that_fails_is_an_error_that_the_script_can_catch() {
    let engine = engine();
    let core = "
        local function try(options) local ok, e = pcall(http.request, options) return e end
        return {
            refused = try{ url = 'http://10.0.0.1/' }, metadata = try{ url = 'http://169.254.169.254/latest' }, scheme = try{ url = 'file:///etc/passwd' },
            nobody = try{ url = 'http://127.0.0.1:1/' }, credential = try{ url = 'http://127.0.0.1:1/', credential = 'x' },
            host = try{ url = 'http://127.0.0.1:1/', headers = { Host = 'x' } }, typo = try{ url = 'http://127.0.0.1:1/', heders = {} },
            none = try{}, kind = try{ url = 1 },
        }";
    let got = result(&engine, core).await;
    for (key, what) in [
        ("refused", "call refused: not a public address: 10.0.0.1"),
        ("metadata", "call refused"),
        ("scheme", "only http and https are called"),
        ("nobody", "call failed"),
        ("credential", "there is no credential \"x\""),
        ("host", "is not for callers to set"),
        ("typo", "knows no option \"heders\""),
        ("none", "needs a url"),
        ("kind", "url must be a string"),
    ] {
        assert!(got[key].as_str().unwrap().contains(what), "{key}: {}", got[key]);
    }
    let done = run(&engine, incoming("\nhttp.get('http://10.0.0.1/')\nreturn {}"), "{}").await;
    assert!(failed(&done).message.starts_with("shop-orders/core:2: call refused"), "{}", failed(&done).message);
    assert_eq!(failed(&done).kind, FailureKind::Script);
}

#[tokio::test]
async fn calls_work_within_the_scripts_own_coroutines_and_pcalls() {
    let server = serve(|request| Answer::ok(&request.path)).await;
    let engine = engine();
    let core = format!(
        "local base = '{}'
        local seen = {{}}
        local gen = coroutine.wrap(function()
            for i = 1, 3 do
                local inner = coroutine.create(function() local ok, r = pcall(http.get, base .. i) coroutine.yield(r.body) return 'end' .. i end)
                local _, body = coroutine.resume(inner)
                local _, last = coroutine.resume(inner)
                coroutine.yield(body .. last)
            end
        end)
        for i = 1, 3 do seen[i] = gen() end
        return {{ seen = seen }}",
        server.url("/")
    );
    assert_eq!(result(&engine, &core).await, json!({"seen": ["/1end1", "/2end2", "/3end3"]}));
}

#[tokio::test]
async fn a_call_where_lua_cannot_wait_says_so() {
    let engine = engine();
    for core in [
        "table.sort({ 2, 1 }, function() http.get('http://127.0.0.1:1/') end)",
        "string.gsub('a', 'a', function() http.get('http://127.0.0.1:1/') end)",
    ] {
        let done = run(&engine, incoming(core), "{}").await;
        assert!(failed(&done).message.contains("cannot wait within a comparator"), "{}", failed(&done).message);
    }
}

#[tokio::test]
async fn waiting_costs_no_cpu_time_and_ends_at_the_wall_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let time = Time { cpu: std::time::Duration::from_mins(1), wall: std::time::Duration::from_millis(200) };
    let limits = Limits { incoming: time, ..Limits::default() };
    let engine = engine_with(Options { threads: 1, limits, ..Options::default() }, Arc::new(Memory::default()));
    let core = format!("log('before')\npcall(http.get, 'http://{}/') return {{}}", listener.local_addr().unwrap());
    let done = run(&engine, incoming(&core), "{}").await;
    let message = &failed(&done).message;
    assert!(message.starts_with("shop-orders/core:2: wall time limit reached (200 ms)"), "{message}");
    assert!(!message.contains("tidegate"), "{message}");
    assert_eq!(failed(&done).kind, FailureKind::Limit);
    assert_eq!(done.log.len(), 1);
    assert_eq!(succeeded(&run(&engine, incoming("return {}"), "{}").await), json!({}));
}

#[tokio::test]
async fn many_runs_wait_on_one_thread_at_once() {
    let server = serve(|_| Answer::ok("x")).await;
    let engine = engine_with(Options { threads: 1, ..Options::default() }, Arc::new(Memory::default()));
    let core = format!("return {{ body = http.get('{}').body, t = organization.id }}", server.url("/"));
    let runs = (0..20).map(|i| run(&engine, incoming(&core).of(&format!("t{}", i % 4)), "{}"));
    for (i, done) in futures::future::join_all(runs).await.iter().enumerate() {
        assert_eq!(succeeded(done), json!({"body": "x", "t": format!("t{}", i % 4)}));
    }
    assert_eq!(server.received().len(), 20);
}
