//! What is left of a call once it is over: everything that was asked for, and nothing that is a secret.

use std::io::Read as _;
use std::path::Path;

use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use crate::harness::api::http;
use crate::harness::{Mode, Tidegate};

/// Everything in a SQLite file: its bytes, and every value of every row, unpacked where it is packed.
async fn dumped(file: &Path) -> String {
    let mut dump = String::new();
    for name in ["tidegate.db", "tidegate.db-wal"] {
        let bytes = std::fs::read(file.with_file_name(name)).unwrap_or_default();
        dump.push_str(&String::from_utf8_lossy(&bytes));
    }
    let pool = SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&pool).await.unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        for row in sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&pool).await.unwrap() {
            for column in 0..row.len() {
                let value: Option<Vec<u8>> = row.try_get_unchecked(column).unwrap();
                let value = value.unwrap_or_default();
                let mut unpacked = Vec::new();
                if let Some((1, packed)) = value.split_first() {
                    let _ = flate2::read::DeflateDecoder::new(packed).read_to_end(&mut unpacked);
                }
                for bytes in [value, unpacked] {
                    dump.push_str(&String::from_utf8_lossy(&bytes));
                    dump.push('\n');
                }
            }
        }
    }
    pool.close().await;
    dump
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_call_is_in_the_database_or_the_log() {
    let mut running = Tidegate::start_with(Mode::Together, &[("LOG__LEVEL", "trace")]).await.unwrap();
    let acme = running.api().await.make_tenant("acme", &["Order"]).await;
    let core = r#"
        log("called at " .. requestUrl)
        if parameters.fail then error("failed at " .. requestUrl) end
        return { url = requestUrl, seen = parameters }
    "#;
    let masks = json!({ "maskedHeaders": ["X-Shop-Pin"] });
    let calls = [
        (acme.make_incoming("shop", core, masks.clone()).await, 200, "{}"),
        (acme.make_incoming("failing", core, masks.clone()).await, 500, r#"{"fail":true}"#),
        (acme.make_incoming("unread", core, masks.clone()).await, 500, "{"),
        (
            acme.make_incoming("inactive", core, json!({ "active": false, "maskedHeaders": masks["maskedHeaders"] }))
                .await,
            200,
            "{}",
        ),
    ];
    let mut keys = Vec::new();
    for (integration, status, body) in &calls {
        let url = integration["webhookUrl"].as_str().unwrap();
        keys.push(url.rsplit('/').next().unwrap());
        let body = body.replace("{}", &format!(r#"{{"hook":"{url}"}}"#));
        let call =
            http().post(format!("{url}?card=canary-query")).header("Content-Type", "application/json").body(body);
        let call =
            call.header("Authorization", "Bearer canary-authorization").header("Cookie", "session=canary-cookie");
        let call = call.header("Proxy-Authorization", "canary-proxy").header("X-Api-Key", "canary-api-key");
        let call = call.header("X-Shop-Pin", "canary-pin");
        let call = call.header("Referer", url).header("X-Seen", "kept-header");
        assert_eq!(call.send().await.unwrap().status().as_u16(), *status);
    }
    for (integration, ..) in &calls {
        assert_eq!(acme.ended(integration, 1).await.len(), 1);
    }
    running.stop_and_keep().await;
    let dump = dumped(&running.data_dir().join("tidegate.db")).await;
    assert_eq!(
        dump.matches("kept-header").count(),
        calls.len(),
        "records are found in the dump, and what is no secret in them"
    );
    let log = running.said().join("\n");
    assert!(log.contains("/webhook/..."), "requests are logged");
    for secret in keys.into_iter().chain(["canary-"]) {
        for (place, text) in [("database", &dump), ("log", &log)] {
            let found = text.find(secret).map(|at| {
                String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(200)..])
                    .chars()
                    .take(400)
                    .collect::<String>()
            });
            assert_eq!(found, None, "{secret} is in the {place}");
        }
    }
}
