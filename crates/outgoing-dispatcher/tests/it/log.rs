//! What the log holds besides events that are new.

use std::collections::BTreeMap;

use tidegate_model::{Clock as _, Execution, PageOf, Status, Tenant};

use crate::harness::{Definition, World, created, tenant};

#[tokio::test]
async fn an_unreadable_entry_of_the_log_is_kept_aside_and_what_is_behind_it_is_delivered() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    for event in ["e-1", "e-2", "e-3"] {
        world.publish(event, created()).await;
    }
    let file = sqlx::SqlitePool::connect(&world.url.to_string()).await.unwrap();
    let damage = "UPDATE local_log SET body = $1 WHERE event_id = 'e-2'";
    sqlx::query(damage).bind(vec![255_u8, 254]).execute(&file).await.unwrap();
    let _running = world.dispatch();
    let all = world.ended(2).await;
    let about = |record: &Execution| (record.event.as_ref().unwrap().id.to_string(), record.status);
    let about: BTreeMap<_, _> = all.iter().map(about).collect();
    let delivered = ["e-1", "e-3"].map(|event| (event.to_owned(), Status::Success));
    assert_eq!(about, BTreeMap::from(delivered));
    let aside = world.store.aside_entries(Some(&tenant()), PageOf { first: 10, after: None }).await.unwrap().data;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(aside[0].entry.reason.contains("e-2") && aside[0].entry.reason.contains("cannot be read"), "{aside:?}");
    assert_eq!((aside[0].position, aside[0].entry.payload.as_slice()), (2, &[255, 254][..]));
}

/// A tenant is deleted, and another one of that id comes: what was its predecessor's is not known of it.
#[tokio::test]
async fn an_event_id_of_a_deleted_tenant_counts_anew_in_another_of_its_id() {
    let world = World::new().await;
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let running = world.dispatch();
    world.publish("same", created()).await;
    world.one().await;
    running.stop().await;
    world.store.delete_tenant(&tenant()).await.unwrap();
    let again = Tenant { id: tenant(), name: "Acme".to_owned(), created_at: world.clock.now() };
    world.store.insert_tenant(&again).await.unwrap();
    Definition::new("orders", world.sink.url("/in"), "return {}").insert(&world).await;
    let _running = world.dispatch();
    world.publish("same", created()).await;
    world.publish("same", created()).await;
    world.taken_in().await;
    assert_eq!(world.one().await.status, Status::Success);
}
