//! `Notices`, in one process and over NATS.

use tidegate_model::contract::Notices;
use tidegate_wire::LocalNotices;
use tidegate_wire::nats::Nats;

use crate::harness::{eventually, nats_url, options};

async fn announcing_shows_at_once(notices: &dyn Notices) {
    for _ in 0..3 {
        let before = notices.revision();
        notices.announce().await;
        assert!(notices.revision() > before);
    }
}

#[tokio::test]
async fn a_change_shows_in_its_own_process_at_once() {
    announcing_shows_at_once(&LocalNotices::new()).await;
    let Some(url) = nats_url() else { return };
    let nats = Nats::connect(options(url)).await.unwrap();
    announcing_shows_at_once(nats.notices().as_ref()).await;
}

#[tokio::test]
async fn a_change_is_heard_in_other_processes_and_under_its_prefix_alone() {
    let Some(url) = nats_url() else { return };
    let options = options(url.clone());
    let here = Nats::connect(options.clone()).await.unwrap();
    let there = Nats::connect(options).await.unwrap();
    let elsewhere = Nats::connect(self::options(url)).await.unwrap();
    let (before, aside) = (there.notices().revision(), elsewhere.notices().revision());
    here.notices().announce().await;
    eventually("the notice", || async { (there.notices().revision() > before).then_some(()) }).await;
    assert_eq!(elsewhere.notices().revision(), aside);
}
