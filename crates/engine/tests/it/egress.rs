//! The guard in front of every outgoing call.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tidegate_engine::{Broken, Egress, EgressError, NameLookup, Policy, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::shared;
use crate::http::{Answer, serve};

/// A resolver that knows a few names, and says that every other one is public.
#[derive(Default)]
struct Names(HashMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl NameLookup for Names {
    async fn lookup(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        let known = self.0.get(name.trim_end_matches('.')).cloned();
        Ok(known.unwrap_or_else(|| vec!["93.184.216.34".parse().unwrap()]))
    }
}

fn names(known: &[(&'static str, &[&str])]) -> Arc<Names> {
    let parse = |ips: &[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
    Arc::new(Names(known.iter().map(|(name, ips)| (*name, parse(ips))).collect()))
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (_, true) => match rest.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('\\') => out.push('\\'),
                Some('u') => {
                    let code: String = rest.by_ref().take(4).collect();
                    out.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
                }
                other => panic!("no such escape: {other:?}"),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

fn get(url: &str) -> Request {
    Request {
        method: http_method("GET"),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_secs(10),
        max_response: 1000,
    }
}

fn http_method(name: &str) -> ::http::Method {
    name.parse().unwrap()
}

#[tokio::test]
async fn every_url_of_the_corpus_comes_out_as_expected() {
    let egress = Egress::with_lookup(Policy::default(), names(&[])).unwrap();
    let Some(corpus) = shared("corpora/ssrf/corpus.tsv") else { return };
    let corpus = std::fs::read_to_string(corpus).unwrap();
    let mut judged = 0;
    for line in corpus.lines().filter(|line| line.starts_with("url\t")) {
        let mut columns = line.split('\t').skip(1);
        let (input, expected) = (unescaped(columns.next().unwrap()), columns.next().unwrap());
        let came = egress.check(&input).await;
        let verdict = match &came {
            Ok(()) => "ALLOW",
            Err(EgressError::InvalidUrl(_)) => "INVALID",
            Err(EgressError::Refused { .. }) => "BLOCK",
            Err(other) => panic!("{line}: {other:?}"),
        };
        assert_eq!(verdict, expected, "{line}: {came:?}");
        judged += 1;
    }
    assert!(judged > 50, "{judged} rows");
}

#[tokio::test]
async fn one_private_address_refuses_the_whole_name() {
    let lookup = names(&[
        ("mixed.example", &["93.184.216.34", "10.0.0.5"]),
        ("priv6.example", &["93.184.216.34", "fd00::5"]),
        ("alias.example", &["169.254.169.254"]),
        ("platform.example", &["168.63.129.16"]),
        ("127.0.0.1.nip.example", &["127.0.0.1"]),
        ("empty.example", &[]),
        ("fine.example", &["93.184.216.34", "2606:4700:4700::1111"]),
    ]);
    let egress = Egress::with_lookup(Policy::default(), lookup).unwrap();
    for name in ["mixed.example", "priv6.example", "alias.example", "platform.example", "127.0.0.1.nip.example"] {
        let url = format!("https://{name}/hook");
        assert!(matches!(egress.check(&url).await, Err(EgressError::Refused { .. })), "{name}");
        assert!(matches!(egress.send(get(&url)).await, Err(EgressError::Refused { .. })), "{name}");
    }
    assert!(matches!(egress.check("https://empty.example/").await, Err(EgressError::Unresolved { .. })));
    assert_eq!(egress.check("https://fine.example/").await, Ok(()));
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let server = serve(|_| Answer::ok("hello")).await;
    let lookup = names(&[("shop.example", &["127.0.0.1"])]);
    let allowed = Egress::with_lookup("127.0.0.1".parse().unwrap(), lookup.clone()).unwrap();
    let url = format!("http://shop.example:{}/x", server.port());
    let response = allowed.send(get(&url)).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"hello"[..]));
    let denied = Egress::with_lookup(Policy::default(), lookup).unwrap();
    assert!(matches!(denied.send(get(&url)).await, Err(EgressError::Refused { .. })));
}

/// A name server that says this machine from the second question on, and a public address before.
struct Rebinding(AtomicUsize);

#[async_trait]
impl NameLookup for Rebinding {
    async fn lookup(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let before = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(vec![if before == 0 { "93.184.216.34" } else { "127.0.0.1" }.parse().unwrap()])
    }
}

#[tokio::test]
async fn an_answer_that_changed_since_it_was_checked_is_checked_again_before_anything_is_sent() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let server = serve(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        Answer::ok("inside")
    })
    .await;
    let egress = Egress::with_lookup(Policy::default(), Arc::new(Rebinding(AtomicUsize::new(0)))).unwrap();
    let url = format!("http://rebind.example:{}/", server.port());
    assert_eq!(egress.check(&url).await, Ok(()), "at first it is public");
    for _ in 0..2 {
        assert!(matches!(egress.send(get(&url)).await, Err(EgressError::Refused { .. })));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_operator_allows_addresses_networks_and_names() {
    let lookup = names(&[("sink.svc", &["10.1.2.3"]), ("other.svc", &["10.1.2.3"])]);
    let policy: Policy = "10.9.0.0/16, 192.168.7.7, sink.svc, fd00::/8".parse().unwrap();
    let egress = Egress::with_lookup(policy, lookup).unwrap();
    for url in
        ["http://10.9.1.1/", "http://192.168.7.7:81/", "http://sink.svc/", "http://SINK.svc./", "http://[fd00::1]/"]
    {
        assert_eq!(egress.check(url).await, Ok(()), "{url}");
    }
    for url in
        ["http://10.8.1.1/", "http://192.168.7.8/", "http://other.svc/", "http://localhost/", "http://127.0.0.1/"]
    {
        assert!(egress.check(url).await.is_err(), "{url}");
    }
    assert!("10.0.0.0/99".parse::<Policy>().is_err());
    assert_eq!(Egress::new(Policy::allowing_loopback()).unwrap().check("http://localhost:1/").await, Ok(()));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = serve(|_| Answer {
        status: 302,
        headers: vec![("location", "http://127.0.0.1:1/".to_owned())],
        body: String::new(),
    })
    .await;
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let response = egress.send(get(&server.url("/"))).await.unwrap();
    assert_eq!(response.status, 302);
    assert!(response.headers.contains(&("location".to_owned(), "http://127.0.0.1:1/".to_owned())));
}

#[tokio::test]
async fn an_answer_is_read_up_to_the_limit() {
    let server = serve(|request| Answer::ok(&"x".repeat(request.path[1..].parse().unwrap()))).await;
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    for (size, truncated) in [(999, false), (1000, false), (1001, true), (3_000_000, true)] {
        let response = egress.send(get(&server.url(&format!("/{size}")))).await.unwrap();
        assert_eq!((response.body.len(), response.truncated), (size.min(1000), truncated));
    }
}

#[tokio::test]
async fn headers_that_are_not_the_callers_to_set_are_refused() {
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    for (name, value) in [
        ("Host", "director.integ.svc"),
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\0"),
        ("X A", "a"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Metadata-Flavor", "Google"),
        ("X-aws-ec2-metadata-token", "t"),
    ] {
        let request = Request { headers: vec![(name.to_owned(), value.to_owned())], ..get("http://127.0.0.1:1/") };
        let came = egress.send(request).await;
        assert!(matches!(came, Err(EgressError::Header { .. })), "{name}: {came:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_for_good_and_a_fault_is_not() {
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    assert!(!egress.send(get("http://10.0.0.1/")).await.unwrap_err().is_transient());
    assert!(!egress.send(get("nonsense")).await.unwrap_err().is_transient());
    // Port 1 of this machine: nobody listens.
    assert!(egress.send(get("http://127.0.0.1:1/")).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_url_that_the_client_cannot_send_is_refused_for_good() {
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let refused = egress.send(get(&format!("http://127.0.0.1:1/?a={}", "x".repeat(70_000)))).await.unwrap_err();
    assert!(matches!(refused, EgressError::InvalidUrl(_)) && !refused.is_transient(), "{refused:?}");
}

/// One connection, on which this is said, and then nothing more.
async fn saying(answer: &'static str, then_waits: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio_util::task::TaskTracker::new().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.flush().await;
            if then_waits {
                std::future::pending::<()>().await;
            }
        }
    });
    url
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_answer_to_who_takes_it_and_an_error_to_who_wants_all_of_it() {
    const HALF: &str = "HTTP/1.1 503 x\r\nretry-after: 7\r\ncontent-length: 10\r\n\r\nhalf";
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let limit = Duration::from_secs(5);
    for then_waits in [false, true] {
        let ask = async || Request { timeout: limit, ..get(&saying(HALF, then_waits).await) };
        let (first, second) = (ask().await, ask().await);
        let (came, error) = tokio::join!(egress.call(first), egress.send(second));
        let (came, error) = (came.unwrap(), error.unwrap_err());
        assert_eq!((came.status, &came.body[..], came.truncated), (503, &b"half"[..], true));
        assert!(came.headers.contains(&("retry-after".to_owned(), "7".to_owned())));
        assert_eq!(came.broken == Some(Broken::Late(limit)), then_waits, "{came:?}");
        assert_eq!(error == EgressError::TimedOut(limit), then_waits, "{error:?}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn an_answer_may_have_a_thousand_headers() {
    let many = |count: usize| (0..count).map(|_| ("x-many", "1".to_owned())).collect();
    let server = serve(move |request| Answer {
        status: 200,
        headers: many(request.path[1..].parse().unwrap()),
        body: String::new(),
    })
    .await;
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let response = egress.send(get(&server.url("/990"))).await.unwrap();
    assert_eq!((response.status, response.headers.len()), (200, 992));
    assert!(egress.send(get(&server.url("/1001"))).await.is_err());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let egress = Egress::new(Policy::allowing_loopback()).unwrap();
    let request = Request { timeout: Duration::from_millis(50), ..get(&url) };
    assert!(matches!(egress.send(request).await, Err(EgressError::TimedOut(_))));
}

#[tokio::test]
async fn no_other_way_of_writing_an_inner_address_gets_through() {
    let egress = Egress::with_lookup(Policy::default(), names(&[])).unwrap();
    for url in [
        "http://127.1/",
        "http://127.0.1/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://%31%32%37.0.0.1/",
        "http:///127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "HTTP://127.0.0.1/",
        " http://127.0.0.1/ ",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:10.0.0.1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2001:db8::1]/",
        "http://[ff02::1]/",
        "http://[5f00::1]/",
        "http://224.0.0.1/",
        "http://192.0.0.8/",
        "http://172.16.0.1/",
        "http://169.254.0.1/",
        "http://metadata.google.internal/",
        "http://metadata/",
        "http://instance-data/",
        "http://localhost.localdomain/",
        "http://printer.local/",
        "http://LocalHost/",
        "http://localhost%2e/",
        "http://a.b.localhost/",
        "http://gateway.cluster.local./",
        "http://user:pass@public.example/",
        "http://:pass@public.example/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "ws://public.example/",
        "http://public.example/\r\nX-A: b",
        "http://public.example/\u{7f}",
    ] {
        let came = egress.check(url).await;
        assert!(matches!(came, Err(EgressError::Refused { .. } | EgressError::InvalidUrl(_))), "{url:?}: {came:?}");
    }
    for url in [
        "http://public.example./",
        "https://PUBLIC.example:8443/a?b#c",
        "http://1.1.1.1/",
        "http://xn--bcher-kva.example/",
    ] {
        assert_eq!(egress.check(url).await, Ok(()), "{url}");
    }
}
