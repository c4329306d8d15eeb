//! `Objects`, in the process and over gRPC.

use tidegate_model::contract::{Actor, ObjectAction, ObjectChange, Objects};
use tidegate_model::{Error, Json, ObjectId, TypeName};
use tidegate_wire::grpc::Server;

use crate::harness::{Ends, acme, nothing};
use crate::memory::MemoryObjects;

/// Each end with objects of its own.
async fn ends() -> [Ends<dyn Objects>; 2] {
    let one = || async {
        let objects = MemoryObjects::new();
        let server = Server { objects: Some(objects.clone()), ..nothing() };
        Ends::<dyn Objects>::of(objects, server, |peer| peer.objects()).await
    };
    [one().await, one().await]
}

fn actor() -> Actor {
    Actor { tenant: acme(), attribution: "user:integration/orders".into() }
}

fn order() -> TypeName {
    "Order".parse().unwrap()
}

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

#[tokio::test]
async fn an_object_is_made_changed_found_and_deleted() {
    let [local, remote] = ends().await;
    for objects in [&local.ends[0].1, &remote.ends[1].1] {
        let (actor, order) = (actor(), order());
        let made =
            objects.create(&actor, &order, Some(id("o 1/\u{e9}")), &json(r#"{"qty":1,"to":null}"#)).await.unwrap();
        assert_eq!((made.version, made.created_by.as_str()), (1, "user:integration/orders"));
        assert_eq!(objects.get(&actor, &order, &made.id).await, Ok(Some(made.clone())));
        assert_eq!(objects.get(&actor, &order, &id("o2")).await, Ok(None));

        let again = objects.create(&actor, &order, Some(made.id.clone()), &json("{}")).await;
        assert_eq!(again, Err(Error::not_unique("Object", &made.id)));
        let without_id = objects.create(&actor, &order, None, &json("{}")).await.unwrap();

        let updated = objects.update(&actor, &order, &made.id, &json(r#"{"qty":2}"#), Some(1)).await.unwrap();
        assert_eq!((updated.version, updated.data.as_str()), (2, r#"{"to":null,"qty":2}"#));
        let stale = objects.update(&actor, &order, &made.id, &json("{}"), Some(1)).await;
        assert_eq!(stale, Err(Error::InvalidOperation("the object has version 2, not 1".into())));
        let gone = objects.update(&actor, &order, &id("o9"), &json("{}"), None).await;
        assert_eq!(gone, Err(Error::not_found("Object", "o9")));

        objects.upsert(&actor, &order, &id("o3"), &json(r#"{"qty":2}"#)).await.unwrap();
        objects.upsert(&actor, &order, &id("o3"), &json(r#"{"a":[]}"#)).await.unwrap();
        let found = objects.find(&actor, &order, &json(r#"{"qty":2}"#), 10).await.unwrap();
        assert_eq!(found.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["o 1/\u{e9}", "o3"]);
        assert_eq!(objects.find(&actor, &order, &json("{}"), 2).await.unwrap().len(), 2);

        let refused = objects.delete(&actor, &order, &made.id, Some(1)).await;
        assert!(matches!(refused, Err(Error::InvalidOperation(_))));
        assert_eq!(objects.delete(&actor, &order, &made.id, Some(2)).await, Ok(updated));
        assert_eq!(objects.delete(&actor, &order, &without_id.id, None).await, Ok(without_id));
    }
}

#[tokio::test]
async fn an_unknown_type_is_not_found_in_every_call() {
    for (end, objects) in &ends().await[0].ends {
        let (actor, kind, one, data) = (actor(), "Nothing".parse().unwrap(), id("1"), json("{}"));
        let unknown = Error::not_found("ObjectType", "Nothing");
        assert_eq!(objects.get(&actor, &kind, &one).await, Err(unknown.clone()), "{end}");
        assert_eq!(objects.find(&actor, &kind, &data, 1).await, Err(unknown.clone()), "{end}");
        assert_eq!(objects.create(&actor, &kind, None, &data).await, Err(unknown.clone()), "{end}");
        assert_eq!(objects.update(&actor, &kind, &one, &data, None).await, Err(unknown.clone()), "{end}");
        assert_eq!(objects.upsert(&actor, &kind, &one, &data).await, Err(unknown.clone()), "{end}");
        assert_eq!(objects.delete(&actor, &kind, &one, None).await, Err(unknown.clone()), "{end}");
    }
}

#[tokio::test]
async fn data_crosses_as_the_text_that_it_was() {
    let texts = [
        r#"{"b":9223372036854775807,"a":18446744073709551615,"f":1.0,"e":1E-7}"#,
        "{ \"spaced\" :\t[ ] ,\n \"empty\" : { } }",
        "{\"u\":\"\\u00e9 \u{e9} \\ud83c\\udf0a\",\"u\":null}",
    ];
    for (end, objects) in &ends().await[0].ends {
        for (i, text) in texts.iter().enumerate() {
            let id = id(&format!("{end}-{i}"));
            objects.create(&actor(), &order(), Some(id.clone()), &Json::trusted(*text)).await.unwrap();
            let read = objects.get(&actor(), &order(), &id).await.unwrap().unwrap();
            assert_eq!(read.data.as_str(), *text, "{end}");
        }
    }
}

#[tokio::test]
async fn an_object_of_megabytes_crosses() {
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(10_000_000));
    for (end, objects) in &ends().await[0].ends {
        let made = objects.create(&actor(), &order(), Some(id(end)), &Json::trusted(text.clone())).await.unwrap();
        assert_eq!(made.data.as_str().len(), text.len());
    }
}

#[tokio::test]
async fn several_changes_are_made_in_their_order_or_not_at_all() {
    let [local, remote] = ends().await;
    for objects in [&local.ends[0].1, &remote.ends[1].1] {
        let change = |name: &str, base: Option<i32>, action: ObjectAction| ObjectChange {
            object_type: order(),
            id: id(name),
            base,
            action,
        };
        let assign = |text: &str| ObjectAction::Assign(json(text));
        objects.create(&actor(), &order(), Some(id("old")), &json(r#"{"a":1}"#)).await.unwrap();
        let changes = [
            change("old", Some(1), assign(r#"{"big":18446744073709551615}"#)),
            change("new", None, assign("{ \"f\": 1.0 }")),
            change("old", Some(1), ObjectAction::Delete),
            change("old", Some(1), assign("{}")),
        ];
        assert_eq!(objects.apply(&actor(), &changes).await, Ok(()));
        let new = objects.get(&actor(), &order(), &id("new")).await.unwrap().unwrap();
        assert_eq!((new.data.as_str(), new.created_by.as_str()), ("{ \"f\": 1.0 }", "user:integration/orders"));
        let old = objects.get(&actor(), &order(), &id("old")).await.unwrap().unwrap();
        assert_eq!((old.data.as_str(), old.version), ("{}", 1));

        let torn = [change("third", None, assign("{}")), change("new", None, assign("{}"))];
        let refused = objects.apply(&actor(), &torn).await;
        assert_eq!(refused, Err(Error::InvalidOperation("Order new was changed".into())));
        let torn = [change("third", None, assign("{}")), change("nope", None, ObjectAction::Delete)];
        assert_eq!(objects.apply(&actor(), &torn).await, Err(Error::not_found("Object", "nope")));
        assert_eq!(objects.get(&actor(), &order(), &id("third")).await, Ok(None));
        assert_eq!(objects.apply(&actor(), &[]).await, Ok(()));
    }
}
