use tidegate_model::contract::{EventLog, LogBounds, Received};

use crate::harness::Kept;
use crate::samples::{event, tenant, tenant_id};

async fn ids(log: &dyn EventLog, after: u64, max: usize) -> Vec<(u64, String)> {
    let entries = log.read(after, max).await.unwrap();
    let read = entries.into_iter().map(|entry| match entry.received {
        Received::Event(event) => (entry.position, event.id.to_string()),
        Received::Incomprehensible(other) => panic!("{other:?}"),
    });
    read.collect()
}

async fn check_log(kept: &Kept) {
    let log = kept.log.as_deref().unwrap();
    let (a, b) = (tenant_id("a"), tenant_id("b"));
    assert_eq!(log.bounds().await.unwrap(), LogBounds { first: 1, last: 0, made: None });
    for (tenant, id) in [(&a, "1"), (&a, "2"), (&a, "1"), (&b, "1")] {
        log.publish(&event(tenant, id)).await.unwrap();
    }
    assert_eq!(log.bounds().await.unwrap(), LogBounds { first: 1, last: 3, made: None });
    assert_eq!(log.read(0, 1).await.unwrap()[0].received, Received::Event(event(&a, "1")));
    let all = ids(log, 0, 10).await;
    assert_eq!(all.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["1", "2", "1"]);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(ids(log, all[0].0, 1).await, all[1..2]);
    assert!(ids(log, all[2].0, 10).await.is_empty());

    // Published anew it is there again, once.
    log.republish(&event(&a, "1")).await.unwrap();
    log.republish(&event(&a, "new")).await.unwrap();
    log.publish(&event(&a, "1")).await.unwrap();
    let anew = ids(log, 0, 10).await;
    assert_eq!(anew.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["2", "1", "1", "new"]);
    assert!(anew[2].0 > all[2].0);
    let last = anew[3].0;

    // A deleted tenant's entries are gone, and no reader takes that for a gap.
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    kept.store.delete_tenant(&a).await.unwrap();
    assert_eq!(ids(log, 0, 10).await, all[2..]);
    assert_eq!(log.bounds().await.unwrap(), LogBounds { first: 1, last, made: None });

    // Another one of that id has never seen them.
    kept.store.insert_tenant(&tenant("a")).await.unwrap();
    log.publish(&event(&a, "1")).await.unwrap();
    log.publish(&event(&a, "1")).await.unwrap();
    let new = ids(log, last, 10).await;
    assert_eq!(new.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["1"]);
    let last = new[0].0;

    // Pruned to nothing, it still knows where it was.
    let pruned = kept.store.prune_events(kept.after(1), 100).await.unwrap();
    assert_eq!(pruned, 6);
    assert_eq!(log.bounds().await.unwrap(), LogBounds { first: last + 1, last, made: None });
    log.publish(&event(&b, "2")).await.unwrap();
    assert_eq!(ids(log, 0, 10).await, vec![(last + 1, "2".to_owned())]);
}

#[tokio::test]
async fn the_log_in_memory_keeps_order_and_positions() {
    check_log(&Kept::memory().await.unwrap()).await;
}

#[tokio::test]
async fn the_log_in_a_file_keeps_order_and_positions() {
    check_log(&Kept::file().await.unwrap()).await;
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_what_is_published() {
    let kept = Kept::file().await.unwrap();
    let log = kept.log.as_deref().unwrap();
    let read = async {
        loop {
            log.wake(0).await;
            let found = ids(log, 0, 10).await;
            if !found.is_empty() {
                return found.len();
            }
        }
    };
    let one = event(&tenant_id("a"), "1");
    let (read, published) = tokio::join!(read, log.publish(&one));
    published.unwrap();
    assert_eq!(read, 1);
    log.wake(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_while_many_publish_misses_none() {
    let kept = Kept::file().await.unwrap();
    let log = kept.log.as_deref().unwrap();
    let a = tenant_id("a");
    let publish = |from: u32| {
        let a = &a;
        async move {
            for n in from..from + 50 {
                log.publish(&event(a, &n.to_string())).await.unwrap();
            }
        }
    };
    let read = async {
        let (mut position, mut seen) = (0, 0);
        while seen < 150 {
            log.wake(position).await;
            for (at, _) in ids(log, position, 7).await {
                assert!(at > position);
                position = at;
                seen += 1;
            }
        }
        seen
    };
    let (seen, (), (), ()) = tokio::join!(read, publish(0), publish(50), publish(100));
    assert_eq!(seen, 150);
}

/// Damaged, or written by a later version.
#[tokio::test]
async fn an_entry_that_cannot_be_read_is_told_with_its_reason_and_those_behind_it_are_read() {
    let kept = Kept::file().await.unwrap();
    let log = kept.log.as_deref().unwrap();
    let a = tenant_id("a");
    for id in ["1", "2", "3"] {
        log.publish(&event(&a, id)).await.unwrap();
    }
    let file = sqlx::SqlitePool::connect(&kept.url.to_string()).await.unwrap();
    let damage = "UPDATE local_log SET body = $1 WHERE event_id = '2'";
    sqlx::query(damage).bind(vec![255_u8, 254]).execute(&file).await.unwrap();
    let entries = log.read(0, 10).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(entries[0].received, Received::Event(event(&a, "1")));
    assert_eq!(entries[2].received, Received::Event(event(&a, "3")));
    let Received::Incomprehensible(other) = &entries[1].received else { panic!("{:?}", entries[1]) };
    assert_eq!((other.tenant.as_ref(), other.payload.as_slice(), other.time), (Some(&a), &[255, 254][..], kept.now()));
    assert_eq!(other.reason, "event 2: the entry of the log cannot be read: unknown form 255");
}
