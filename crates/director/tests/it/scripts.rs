//! Objects as scripts reach them: the contract, with a user of the platform as the actor.

use tidegate_model::contract::Actor;
use tidegate_model::{Error, Json, ObjectId, TypeName};

use crate::desk::{Desk, tenant};

fn actor(of: &str) -> Actor {
    Actor { tenant: tenant(of), attribution: "user:integration/x".to_owned() }
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

async fn desk() -> (Desk, TypeName) {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    (desk, "Order".parse().unwrap())
}

#[tokio::test]
async fn upsert_makes_then_changes_and_attributes_what_it_does() {
    let (desk, order) = desk().await;
    let objects = desk.director.objects();
    let made = objects.upsert(&actor("acme"), &order, &id("1"), &json(r#"{"a":1.50,"id":"1"}"#)).await.unwrap();
    assert_eq!(
        (made.version, made.data.as_str(), made.created_by.as_str()),
        (1, r#"{"a":1.50}"#, "user:integration/x")
    );
    let changed = objects.upsert(&actor("acme"), &order, &id("1"), &json(r#"{"b":[ 1 ]}"#)).await.unwrap();
    assert_eq!((changed.version, changed.data.as_str()), (2, r#"{"a":1.50,"b":[ 1 ]}"#), "exact texts");
    assert_eq!(objects.get(&actor("acme"), &order, &id("1")).await.unwrap().unwrap(), changed);
    assert_eq!(objects.get(&actor("acme"), &order, &id("2")).await.unwrap(), None);
}

#[tokio::test]
async fn concurrent_upserts_of_a_new_object_make_one() {
    let (desk, order) = desk().await;
    let objects = desk.director.objects();
    let all = (0..10).map(|i| {
        let (objects, order) = (objects.clone(), order.clone());
        async move { objects.upsert(&actor("acme"), &order, &id("1"), &json(&format!("{{\"a{i}\":1}}"))).await.unwrap() }
    });
    futures::future::join_all(all).await;
    let object = objects.get(&actor("acme"), &order, &id("1")).await.unwrap().unwrap();
    assert_eq!((object.version, object.data.attributes().unwrap().len()), (10, 10));
}

#[tokio::test]
async fn find_compares_by_meaning_and_answers_the_oldest_first() {
    let (desk, order) = desk().await;
    let objects = desk.director.objects();
    for i in 0..250 {
        let data = format!(r#"{{"n":{i},"even":{},"deep":{{"b":[1],"a":{}.0}}}}"#, i % 2 == 0, i % 3);
        objects.create(&actor("acme"), &order, Some(id(&format!("{:03}", 999 - i))), &json(&data)).await.unwrap();
    }
    let find = async |matching: &str, limit: u32| {
        let found = objects.find(&actor("acme"), &order, &json(matching), limit).await.unwrap();
        found.into_iter().map(|o| o.data.to_value()["n"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(find("{}", 3).await, [0, 1, 2]);
    assert_eq!(find(r#"{"n":249.0}"#, 10).await, [249]);
    assert_eq!(find(r#"{"deep":{"a":2,"b":[1]},"even":true}"#, 3).await, [2, 8, 14]);
    assert_eq!(find(r#"{"even":false}"#, 1000).await.len(), 125);
    assert_eq!(find(r#"{"id":"989"}"#, 10).await, [10]);
    assert!(find(r#"{"id":"989","n":11}"#, 10).await.is_empty());
    assert!(find(r#"{"absent":null}"#, 10).await.is_empty(), "no attribute is not null");
    for bad in [0, 1001] {
        assert!(matches!(objects.find(&actor("acme"), &order, &json("{}"), bad).await, Err(Error::InvalidData(_))));
    }
    assert!(matches!(objects.find(&actor("acme"), &order, &json("[]"), 1).await, Err(Error::InvalidData(_))));
}

#[tokio::test]
async fn an_unknown_type_is_not_found_in_every_call_and_so_is_another_tenants() {
    let (desk, order) = desk().await;
    let objects = desk.director.objects();
    for (actor, name) in [
        (actor("acme"), "Nope".parse().unwrap()),
        (actor("other"), order),
        (actor("acme"), "Application".parse().unwrap()),
    ] {
        let empty = json("{}");
        let errors = [
            objects.get(&actor, &name, &id("1")).await.unwrap_err(),
            objects.find(&actor, &name, &empty, 1).await.unwrap_err(),
            objects.create(&actor, &name, None, &empty).await.unwrap_err(),
            objects.update(&actor, &name, &id("1"), &empty, None).await.unwrap_err(),
            objects.upsert(&actor, &name, &id("1"), &empty).await.unwrap_err(),
            objects.delete(&actor, &name, &id("1"), None).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|e| matches!(e, Error::NotFound { what: "ObjectType", .. })), "{errors:?}");
    }
}
