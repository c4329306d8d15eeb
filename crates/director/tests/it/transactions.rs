//! Several changes of objects, as one.

use std::sync::Arc;

use serde_json::json;
use tidegate_model::EventType::{Create, Delete, Update};
use tidegate_model::contract::{Actor, MAX_CHANGES, ObjectAction, ObjectChange, Objects};
use tidegate_model::{Error, Json, Object};

use crate::desk::{Desk, tenant};

async fn desk() -> (Desk, Arc<dyn Objects>, Actor) {
    let desk = Desk::with_tenants().await;
    desk.create_type("acme", "Order").await;
    let objects = desk.director.objects();
    (desk, objects, Actor { tenant: tenant("acme"), attribution: "user:integration/shop".to_owned() })
}

fn change(id: &str, base: Option<i32>, action: ObjectAction) -> ObjectChange {
    ObjectChange { object_type: "Order".parse().unwrap(), id: id.parse().unwrap(), base, action }
}

fn assign(text: &str) -> ObjectAction {
    ObjectAction::Assign(Json::parse(text).unwrap())
}

async fn order(objects: &Arc<dyn Objects>, actor: &Actor, id: &str) -> Option<Object> {
    objects.get(actor, &"Order".parse().unwrap(), &id.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn changes_are_made_together_each_on_what_the_earlier_ones_leave_with_its_event() {
    let (desk, objects, actor) = desk().await;
    let changes = [
        change("a", None, assign(r#"{"n":1,"id":"a"}"#)),
        change("a", None, assign(r#"{"m":2}"#)),
        change("a", None, assign(r#"{"m":2.0}"#)),
        change("b", None, assign("{}")),
        change("b", None, ObjectAction::Delete),
        change("b", None, assign(r#"{"back":true}"#)),
    ];
    assert_eq!(objects.apply(&actor, &changes).await, Ok(()));
    let a = order(&objects, &actor, "a").await.unwrap();
    assert_eq!((a.data.as_str(), a.version, a.updated_by.as_str()), (r#"{"n":1,"m":2}"#, 2, "user:integration/shop"));
    let b = order(&objects, &actor, "b").await.unwrap();
    assert_eq!((b.data.as_str(), b.version), (r#"{"back":true}"#, 1));
    let events = desk.committed().await;
    let told: Vec<_> = events.iter().map(|e| (e.object_id.as_str(), e.change.event_type())).collect();
    assert_eq!(told, [("a", Create), ("a", Update), ("b", Create), ("b", Delete), ("b", Create)]);
    assert_eq!(events[1].change.old_object().unwrap().to_value(), json!({ "m": null }));
}

#[tokio::test]
async fn when_one_change_is_refused_none_is_made_and_no_event_is_told() {
    let (desk, objects, actor) = desk().await;
    assert_eq!(objects.apply(&actor, &[change("a", None, assign(r#"{"n":1}"#))]).await, Ok(()));
    assert_eq!(objects.apply(&actor, &[change("a", Some(1), assign(r#"{"n":2}"#))]).await, Ok(()));
    let conflict = Error::InvalidOperation("Order a was changed by somebody else meanwhile".to_owned());
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(256 * 1024));
    for (second, refusal) in [
        (change("a", Some(1), assign(r#"{"n":3}"#)), conflict.clone()),
        (change("a", None, assign(r#"{"n":3}"#)), conflict.clone()),
        (change("a", Some(1), ObjectAction::Delete), conflict.clone()),
        // What changes nothing was decided on another state all the same.
        (change("a", Some(1), assign(r#"{"n":2}"#)), conflict),
        (change("c", None, ObjectAction::Delete), Error::not_found("Object", "c")),
        (change("c", None, assign(&large)), Error::invalid("Order c: data", "at most 256 KiB in all")),
        (
            change("c", None, assign(r#"{"id":"d"}"#)),
            Error::invalid("Order c: data.id", "no id, or the object's own: c"),
        ),
        (
            ObjectChange { object_type: "Nothing".parse().unwrap(), ..change("c", None, assign("{}")) },
            Error::not_found("ObjectType", "Nothing"),
        ),
    ] {
        let changes = [change("first", None, assign(r#"{"n":1}"#)), second];
        assert_eq!(objects.apply(&actor, &changes).await, Err(refusal));
        assert_eq!(order(&objects, &actor, "first").await, None);
    }
    let many: Vec<_> = (0..=MAX_CHANGES).map(|i| change(&format!("m{i}"), None, assign("{}"))).collect();
    assert_eq!(objects.apply(&actor, &many).await, Err(Error::invalid("changes", "at most 100")));
    assert_eq!(objects.apply(&actor, &many[..MAX_CHANGES]).await, Ok(()));
    assert_eq!(order(&objects, &actor, "a").await.unwrap().version, 2);
    assert_eq!(desk.committed().await.len(), 2 + MAX_CHANGES);
}

#[tokio::test]
async fn of_two_that_decided_on_the_same_state_one_is_refused() {
    let (desk, objects, actor) = desk().await;
    assert_eq!(objects.apply(&actor, &[change("a", None, assign(r#"{"n":0}"#))]).await, Ok(()));
    let tries = (1..=8).map(|i| {
        let (objects, actor) = (&objects, &actor);
        let changes =
            [change("a", Some(1), assign(&format!(r#"{{"n":{i}}}"#))), change(&format!("log-{i}"), None, assign("{}"))];
        async move { objects.apply(actor, &changes).await }
    });
    let done = futures::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    assert!(done.iter().all(|d| matches!(d, Ok(()) | Err(Error::InvalidOperation(_)))), "{done:?}");
    assert_eq!(order(&objects, &actor, "a").await.unwrap().version, 2);
    assert_eq!(desk.committed().await.len(), 3);
}
