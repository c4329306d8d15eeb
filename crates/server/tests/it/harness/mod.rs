//! Starts the real binary, in every way it can live, and talks to it.

pub(crate) mod alone;
pub(crate) mod api;
pub(crate) mod authority;
pub(crate) mod balancer;
pub(crate) mod cluster;
pub(crate) mod command;
mod part;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod servers;
pub(crate) mod sink;
#[path = "../../../../storage/tests/shared/steps.rs"]
pub(crate) mod steps;
pub(crate) mod tidegate;

use std::time::Duration;

pub(crate) use api::Api;
pub(crate) use sink::Sink;
pub(crate) use tidegate::{Mode, Tidegate};

/// Makes each function of a test file a test in every mode.
macro_rules! in_every_mode {
    ($($name:ident),+ $(,)?) => {
        in_every_mode!(@mode together Together $($name)+);
        in_every_mode!(@mode together_on_servers OnServers $($name)+);
        in_every_mode!(@mode apart Apart $($name)+);
    };
    (@mode $module:ident $mode:ident $($name:ident)+) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::Mode::$mode).await;
            })+
        }
    };
}
pub(crate) use in_every_mode;

/// Asks until there is an answer. The bound only ends a test that has failed.
pub(crate) async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let patience = Duration::from_secs(90);
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| panic!("never happened: {what}"))
}
