use tidegate_model::{Error, Event, Object, PageOf, TenantId};
use tidegate_storage::contract::{ObjectWrite, WriteConflict};

use crate::harness::{Kept, on_every_store};
use crate::samples::{event, id, object, object_type, tenant_id, type_name, with_tenants};

on_every_store!(
    an_object_type_is_kept_in_its_tenant_alone,
    an_object_type_gets_another_schema_and_ends_with_its_last_object,
    an_object_is_inserted_replaced_and_deleted_by_version,
    a_set_of_writes_is_made_whole_or_not_at_all,
    of_two_who_write_on_the_same_version_one_conflicts,
    an_object_of_a_type_that_is_gone_is_not_found,
    objects_are_paged_in_the_order_they_were_made,
    two_sets_of_writes_that_cross_end_both,
);

fn write(object: &Object, expected: Option<i32>, event: Event) -> ObjectWrite {
    ObjectWrite { object: object.clone(), expected, delete: false, event }
}

async fn with_orders(kept: &Kept) -> TenantId {
    let a = with_tenants(kept, &["a", "b"]).await;
    kept.store.insert_object_type(&object_type(&a, "Order")).await.unwrap();
    a
}

async fn events(kept: &Kept) -> Vec<String> {
    let claimed = kept.store.outbox_claim(id(), kept.now(), 1000).await.unwrap().unwrap();
    claimed.into_iter().map(|(_, event)| event.id.to_string()).collect()
}

async fn an_object_type_is_kept_in_its_tenant_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let mut order = object_type(&a, "Order");
    order.schema = Some(tidegate_model::Json::parse(r#"{"type": "object"}"#).unwrap());
    kept.store.insert_object_type(&order).await.unwrap();
    let again = kept.store.insert_object_type(&object_type(&a, "Order")).await;
    assert_eq!(again, Err(Error::not_unique("ObjectType", "Order")));
    let nowhere = kept.store.insert_object_type(&object_type(&tenant_id("c"), "Order")).await;
    assert_eq!(nowhere, Err(Error::TenantNotFound("c".to_owned())));
    let issue = object_type(&a, "Issue");
    kept.store.insert_object_type(&issue).await.unwrap();
    assert_eq!(kept.store.object_type(&a, &order.name).await.unwrap(), Some(order.clone()));
    assert_eq!(kept.store.object_type(&tenant_id("b"), &order.name).await.unwrap(), None);
    assert_eq!(kept.store.object_types(&a).await.unwrap(), vec![issue, order]);
}

async fn an_object_is_inserted_replaced_and_deleted_by_version(kept: &Kept) {
    let a = with_orders(kept).await;
    let order = type_name("Order");
    let first = object(&a, "ö/1", r#"{"n":12345678901234567890,"s":"a\u0000b"}"#);
    let insert = [write(&first, None, event(&a, "1"))];
    assert_eq!(kept.store.write_objects(&insert).await.unwrap(), WriteConflict::None);
    assert_eq!(kept.store.object(&a, &order, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(kept.store.object(&tenant_id("b"), &order, &first.id).await.unwrap(), None);
    assert_eq!(kept.store.write_objects(&insert).await.unwrap(), WriteConflict::At(0));
    let mut second = object(&a, "ö/1", r#"{"n":2}"#);
    second.version = 2;
    second.updated_at = kept.after(5);
    second.updated_by = String::from("user:x");
    let replace = [write(&second, Some(1), event(&a, "2"))];
    assert_eq!(kept.store.write_objects(&replace).await.unwrap(), WriteConflict::None);
    assert_eq!(kept.store.write_objects(&replace).await.unwrap(), WriteConflict::At(0));
    assert_eq!(kept.store.object(&a, &order, &first.id).await.unwrap(), Some(second.clone()));
    let delete = |version| {
        [ObjectWrite { object: second.clone(), expected: Some(version), delete: true, event: event(&a, "3") }]
    };
    assert_eq!(kept.store.write_objects(&delete(1)).await.unwrap(), WriteConflict::At(0));
    assert_eq!(kept.store.write_objects(&delete(2)).await.unwrap(), WriteConflict::None);
    assert_eq!(kept.store.object(&a, &order, &first.id).await.unwrap(), None);
    assert_eq!(events(kept).await, ["1", "2", "3"]);
}

async fn a_set_of_writes_is_made_whole_or_not_at_all(kept: &Kept) {
    let a = with_orders(kept).await;
    let (one, mut two) = (object(&a, "1", "{}"), object(&a, "2", "{}"));
    let whole = [write(&one, None, event(&a, "1")), write(&two, None, event(&a, "2"))];
    assert_eq!(kept.store.write_objects(&whole).await.unwrap(), WriteConflict::None);
    two.version = 2;
    let three = object(&a, "3", "{}");
    let torn = [write(&three, None, event(&a, "3")), write(&two, Some(7), event(&a, "4"))];
    assert_eq!(kept.store.write_objects(&torn).await.unwrap(), WriteConflict::At(1));
    assert_eq!(kept.store.object(&a, &type_name("Order"), &three.id).await.unwrap(), None);
    assert_eq!(events(kept).await, ["1", "2"]);
}

async fn of_two_who_write_on_the_same_version_one_conflicts(kept: &Kept) {
    let a = with_orders(kept).await;
    let mut one = object(&a, "1", "{}");
    kept.store.write_objects(&[write(&one, None, event(&a, "0"))]).await.unwrap();
    one.version = 2;
    let (left, right) = ([write(&one, Some(1), event(&a, "l"))], [write(&one, Some(1), event(&a, "r"))]);
    let (left, right) = tokio::join!(kept.store.write_objects(&left), kept.store.write_objects(&right));
    let mut both = [left.unwrap(), right.unwrap()];
    both.sort_by_key(|conflict| *conflict != WriteConflict::None);
    assert_eq!(both, [WriteConflict::None, WriteConflict::At(0)]);
    assert_eq!(events(kept).await.len(), 2);
}

async fn an_object_of_a_type_that_is_gone_is_not_found(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let orphan = [write(&object(&a, "1", "{}"), None, event(&a, "1"))];
    assert_eq!(kept.store.write_objects(&orphan).await, Err(Error::not_found("ObjectType", "Order")));
    assert!(events(kept).await.is_empty());
}

async fn objects_are_paged_in_the_order_they_were_made(kept: &Kept) {
    let a = with_orders(kept).await;
    for name in ["z", "m", "a", "k"] {
        kept.store.write_objects(&[write(&object(&a, name, "{}"), None, event(&a, name))]).await.unwrap();
    }
    let order = type_name("Order");
    let first = kept.store.objects(&a, &order, PageOf { first: 3, after: None }).await.unwrap();
    let names: Vec<_> = first.data.iter().map(|(_, o)| o.id.as_str()).collect();
    assert_eq!((names, first.has_next, first.total), (vec!["z", "m", "a"], true, 4));
    kept.store.write_objects(&[write(&object(&a, "b", "{}"), None, event(&a, "late"))]).await.unwrap();
    let after = Some(first.data[2].0);
    let rest = kept.store.objects(&a, &order, PageOf { first: 3, after }).await.unwrap();
    let names: Vec<_> = rest.data.iter().map(|(_, o)| o.id.as_str()).collect();
    assert_eq!((names, rest.has_next, rest.total), (vec!["k", "b"], false, 5));
    let other = kept.store.objects(&tenant_id("b"), &order, PageOf { first: 3, after: None }).await.unwrap();
    assert_eq!((other.data.len(), other.total), (0, 0));
}

async fn two_sets_of_writes_that_cross_end_both(kept: &Kept) {
    let a = with_orders(kept).await;
    let (mut one, mut two) = (object(&a, "1", "{}"), object(&a, "2", "{}"));
    let both = [write(&one, None, event(&a, "1")), write(&two, None, event(&a, "2"))];
    kept.store.write_objects(&both).await.unwrap();
    for version in 1..20 {
        one.version = version + 1;
        two.version = version + 1;
        let make = |side: &str| {
            let event = |o: &Object| event(&a, &format!("{side}{version}{}", o.id));
            [write(&one, Some(version), event(&one)), write(&two, Some(version), event(&two))]
        };
        let (there, mut back) = (make("there"), make("back"));
        back.reverse();
        let (there, back) = tokio::join!(kept.store.write_objects(&there), kept.store.write_objects(&back));
        let won = [there.unwrap(), back.unwrap()].iter().filter(|c| **c == WriteConflict::None).count();
        assert_eq!(won, 1);
    }
}

async fn an_object_type_gets_another_schema_and_ends_with_its_last_object(kept: &Kept) {
    let a = with_orders(kept).await;
    let (name, b) = (type_name("Order"), tenant_id("b"));
    let schema = tidegate_model::Json::parse(r#"{"required": ["qty"]}"#).unwrap();
    let mut order = kept.store.object_type(&a, &name).await.unwrap().unwrap();
    order.schema = Some(schema);
    kept.store.update_object_type(&order).await.unwrap();
    assert_eq!(kept.store.object_type(&a, &name).await, Ok(Some(order.clone())));
    let gone = Err(Error::not_found("ObjectType", "Order"));
    let elsewhere = tidegate_model::ObjectType { tenant: b.clone(), ..order };
    assert_eq!(kept.store.update_object_type(&elsewhere).await, gone);
    assert_eq!(kept.store.delete_object_type(&b, &name).await, gone);

    let first = object(&a, "1", "{}");
    kept.store.write_objects(&[write(&first, None, event(&a, "1"))]).await.unwrap();
    let refused = kept.store.delete_object_type(&a, &name).await;
    assert!(matches!(refused, Err(Error::InvalidOperation(_))), "{refused:?}");
    let last = ObjectWrite { delete: true, ..write(&first, Some(1), event(&a, "2")) };
    kept.store.write_objects(&[last]).await.unwrap();
    kept.store.delete_object_type(&a, &name).await.unwrap();
    assert_eq!(kept.store.object_type(&a, &name).await, Ok(None));
    assert_eq!(kept.store.delete_object_type(&a, &name).await, gone);
}
