//! What a proxy in between may say, over the route: the connection's address is what the listener tells.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use serde_json::json;
use tidegate_model::contract::Resolved;
use tidegate_webhook_gateway::Options;

use crate::harness::{KEY, World, integration, post};

#[tokio::test]
async fn only_a_trusted_proxy_tells_what_was_called_and_who_called() {
    let options = || Options { trusted_proxies: "10.0.0.0/8".parse().unwrap(), ..Options::default() };
    let public = || Options { public_url: Some("https://public.example".to_owned()), ..options() };
    let cases = [
        (options(), [10, 0, 0, 1], "https://hooks.example", [203, 0, 113, 1]),
        (options(), [192, 0, 2, 1], "http://gate.example", [192, 0, 2, 1]),
        (Options::default(), [10, 0, 0, 1], "http://gate.example", [10, 0, 0, 1]),
        (public(), [10, 0, 0, 1], "https://public.example", [203, 0, 113, 1]),
    ];
    for (options, peer, base, caller) in cases {
        let world = World::of(Resolved::One(Arc::new(integration("return { url = requestUrl }"))), options);
        let request = post()
            .header("x-forwarded-for", "192.0.2.66, 203.0.113.1")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "hooks.example")
            .extension(ConnectInfo(SocketAddr::from((peer, 4711))));
        let answer = world.call(request, "{}").await;
        assert_eq!(answer.json(), json!({ "url": format!("{base}/webhook/{KEY}") }));
        let request = world.records().remove(0).request.unwrap();
        assert_eq!(request.caller_address, Some(caller.into()));
        assert_eq!(request.url, format!("{base}/webhook/***"));
    }
}
