//! Processes on machines whose clocks differ.

use serde_json::json;

use crate::harness::{Mode, Sink, Tidegate};

const SECOND_DISPATCHER: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_whose_clock_is_off_takes_nothing_from_another_one() {
    let Ok(library) = std::env::var("TIDEGATE_TEST_FAKETIME") else {
        assert!(std::env::var("CI").is_err(), "TIDEGATE_TEST_FAKETIME is not set; start the tests with scripts/test");
        return eprintln!("skipped: TIDEGATE_TEST_FAKETIME is not set");
    };
    let Some(mut tidegate) = Tidegate::start(Mode::Apart).await else { return };
    tidegate.another_dispatcher().await;
    let sink = Sink::start().await;
    let acme = tidegate.api().await.make_tenant("acme", &["Order", "Quick"]).await;
    let slow = acme.make_outgoing("slow", "return {}", &sink.url("/slow"), &[("Order", "CREATE")], json!({})).await;
    let quick = acme.make_outgoing("quick", "return {}", &sink.url("/quick"), &[("Quick", "CREATE")], json!({})).await;
    let mut made = 0;
    for off in ["+10m", "-10m"] {
        tidegate.with_clock(SECOND_DISPATCHER, &library, off).await;
        sink.hold("/slow");
        for _ in 0..10 {
            made += 1;
            acme.create_object("Order", &made.to_string(), json!({})).await;
        }
        sink.wait_for("/slow", made).await;
        // Both are at work meanwhile, and look for what is due.
        for number in 0..10 {
            acme.create_object("Quick", &format!("{off} {number}"), json!({})).await;
            let all = if off == "+10m" { number + 1 } else { number + 11 };
            acme.ended(&quick, all).await;
        }
        sink.release("/slow");
        acme.ended(&slow, made).await;
        assert_eq!(sink.calls("/slow").len(), made, "{off}: some were called again");
    }
    let said = tidegate.said();
    assert!(said.iter().any(|line| line.contains("this machine's clock is behind the database's")), "{said:#?}");
}
