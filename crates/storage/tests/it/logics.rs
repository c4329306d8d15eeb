use tidegate_model::{Error, LogicKind, PageOf};

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, incoming, logic, tenant_id, with_tenants};

on_every_store!(
    a_logic_is_kept_in_its_tenant_alone,
    each_version_of_a_logic_stays_as_it_was,
    of_two_who_add_the_same_version_one_is_refused,
    a_logic_that_an_integration_uses_is_not_deleted,
);

async fn a_logic_is_kept_in_its_tenant_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let mut one = logic(&a, "one");
    one.kind = LogicKind::Enable;
    one.source = "return { result = 'ü' }".into();
    kept.store.insert_logic(&one, &any_event(&a)).await.unwrap();
    kept.store.insert_logic(&logic(&b, "one"), &any_event(&b)).await.unwrap();
    let again = kept.store.insert_logic(&logic(&a, "one"), &any_event(&a)).await;
    assert_eq!(again, Err(Error::not_unique("Logic", "one")));
    let nowhere = kept.store.insert_logic(&logic(&tenant_id("c"), "one"), &any_event(&a)).await;
    assert_eq!(nowhere, Err(Error::TenantNotFound("c".to_owned())));
    assert_eq!(kept.store.logic(&a, one.id, None).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.logic(&b, one.id, None).await.unwrap(), None);
    let two = logic(&a, "two");
    kept.store.insert_logic(&two, &any_event(&a)).await.unwrap();
    let page = kept.store.logics(&a, PageOf { first: 1, after: None }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![one.clone()], true, 2));
    let page = kept.store.logics(&a, PageOf { first: 1, after: Some(one.id) }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![two], false, 2));
}

async fn each_version_of_a_logic_stays_as_it_was(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let first = logic(&a, "one");
    kept.store.insert_logic(&first, &any_event(&a)).await.unwrap();
    let mut second = first.clone();
    second.version = 2;
    second.source = "return { second = true }".into();
    second.description = None;
    second.updated_at = kept.after(60);
    kept.store.add_logic_version(&second, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.logic(&a, first.id, None).await.unwrap(), Some(second.clone()));
    assert_eq!(kept.store.logic(&a, first.id, Some(2)).await.unwrap(), Some(second.clone()));
    let old = kept.store.logic(&a, first.id, Some(1)).await.unwrap().unwrap();
    assert_eq!((old.source, old.updated_at), (first.source.clone(), first.updated_at));
    assert_eq!(kept.store.logic(&a, first.id, Some(3)).await.unwrap(), None);
    second.description = Some("described".to_owned());
    kept.store.describe_logic(&second, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.logic(&a, first.id, None).await.unwrap(), Some(second));
    let unknown = logic(&a, "unknown");
    let missing = Err(Error::not_found("Logic", unknown.id));
    assert_eq!(kept.store.describe_logic(&unknown, &any_event(&a)).await, missing);
    assert_eq!(kept.store.add_logic_version(&unknown, &any_event(&a)).await, missing);
}

async fn of_two_who_add_the_same_version_one_is_refused(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let mut one = logic(&a, "one");
    kept.store.insert_logic(&one, &any_event(&a)).await.unwrap();
    one.version = 2;
    let mut other = one.clone();
    one.source = "return { mine = 1 }".into();
    other.source = "return { theirs = 1 }".into();
    let (first, second) = (any_event(&a), any_event(&a));
    let both = tokio::join!(kept.store.add_logic_version(&one, &first), kept.store.add_logic_version(&other, &second),);
    let winner = match both {
        (Ok(()), Err(Error::InvalidOperation(_))) => one,
        (Err(Error::InvalidOperation(_)), Ok(())) => other,
        other => panic!("{other:?}"),
    };
    assert_eq!(kept.store.logic(&a, winner.id, None).await.unwrap(), Some(winner.clone()));
    let skipping = tidegate_model::Logic { version: 4, ..winner };
    let refused = kept.store.add_logic_version(&skipping, &any_event(&a)).await;
    assert!(matches!(refused, Err(Error::InvalidOperation(_))), "{refused:?}");
}

async fn a_logic_that_an_integration_uses_is_not_deleted(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let (core, enable) = (logic(&a, "core"), logic(&a, "enable"));
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    kept.store.insert_logic(&enable, &any_event(&a)).await.unwrap();
    let mut user = incoming(&a, "user", core.id);
    user.enable_logic = Some(enable.id);
    kept.store.insert_integration(&user, None, &any_event(&a)).await.unwrap();
    for used in [core.id, enable.id] {
        let refused = kept.store.delete_logic(&a, used, &any_event(&a)).await;
        assert!(matches!(refused, Err(Error::InvalidOperation(_))), "{refused:?}");
        let elsewhere = kept.store.delete_logic(&tenant_id("b"), used, &any_event(&a)).await;
        assert_eq!(elsewhere, Err(Error::not_found("Logic", used)));
    }
    kept.store.delete_integration(&a, user.id, &any_event(&a)).await.unwrap();
    kept.store.delete_logic(&a, core.id, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.logic(&a, core.id, Some(1)).await.unwrap(), None);
    assert_eq!(kept.store.delete_logic(&a, core.id, &any_event(&a)).await, Err(Error::not_found("Logic", core.id)));
}
