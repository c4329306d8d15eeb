use tidegate_model::{Error, PageOf};

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, application, id, integration_system, runtime, tenant, tenant_id, with_tenants};

on_every_store!(
    a_tenant_is_kept_until_it_is_deleted,
    tenants_are_listed_by_the_bytes_of_their_ids,
    an_integration_system_is_kept_under_a_unique_name,
    integration_systems_are_paged_and_rows_added_meanwhile_move_nothing,
    a_managed_system_keeps_its_integration_system_from_being_deleted,
    an_application_is_kept_in_its_tenant_alone,
    a_runtime_is_kept_in_its_tenant_alone,
);

async fn a_tenant_is_kept_until_it_is_deleted(kept: &Kept) {
    let a = tenant("a");
    kept.store.insert_tenant(&a).await.unwrap();
    assert_eq!(kept.store.insert_tenant(&a).await, Err(Error::not_unique("Tenant", "a")));
    assert_eq!(kept.store.tenant(&a.id).await.unwrap(), Some(a.clone()));
    assert_eq!(kept.store.delete_tenant(&a.id).await.unwrap(), Some(a.clone()));
    assert_eq!(kept.store.delete_tenant(&a.id).await.unwrap(), None);
    assert_eq!(kept.store.tenant(&a.id).await.unwrap(), None);
}

async fn tenants_are_listed_by_the_bytes_of_their_ids(kept: &Kept) {
    with_tenants(kept, &["b", "a-b", "ab", "a", "a0"]).await;
    let first = kept.store.tenants(PageOf { first: 3, after: None }).await.unwrap();
    let names: Vec<_> = first.data.iter().map(|t| t.id.as_str()).collect();
    assert_eq!((names, first.has_next, first.total), (vec!["a", "a-b", "a0"], true, 5));
    let rest = kept.store.tenants(PageOf { first: 3, after: Some(tenant_id("a0")) }).await.unwrap();
    let names: Vec<_> = rest.data.iter().map(|t| t.id.as_str()).collect();
    assert_eq!((names, rest.has_next, rest.total), (vec!["ab", "b"], false, 5));
}

async fn an_integration_system_is_kept_under_a_unique_name(kept: &Kept) {
    let mut one = integration_system("one");
    let two = integration_system("two");
    kept.store.insert_integration_system(&one).await.unwrap();
    kept.store.insert_integration_system(&two).await.unwrap();
    let same_name = integration_system("one");
    let taken = |name| Err(Error::not_unique("IntegrationSystem", name));
    assert_eq!(kept.store.insert_integration_system(&same_name).await, taken("one"));
    one.name = String::from("two");
    assert_eq!(kept.store.update_integration_system(&one).await, taken("two"));
    one.name = String::from("uno");
    one.description = None;
    kept.store.update_integration_system(&one).await.unwrap();
    assert_eq!(kept.store.integration_system(one.id).await.unwrap(), Some(one.clone()));
    let unknown = integration_system("three");
    let missing = Error::not_found("IntegrationSystem", unknown.id);
    assert_eq!(kept.store.update_integration_system(&unknown).await, Err(missing.clone()));
    assert_eq!(kept.store.delete_integration_system(unknown.id).await, Err(missing));
    assert_eq!(kept.store.delete_integration_system(one.id).await.unwrap(), one);
    assert_eq!(kept.store.integration_system(one.id).await.unwrap(), None);
}

async fn integration_systems_are_paged_and_rows_added_meanwhile_move_nothing(kept: &Kept) {
    let mut systems = Vec::new();
    for n in 0..5 {
        systems.push(integration_system(&format!("s{n}")));
        kept.store.insert_integration_system(&systems[n]).await.unwrap();
    }
    let first = kept.store.integration_systems(PageOf { first: 2, after: None }).await.unwrap();
    assert_eq!((first.data.as_slice(), first.has_next, first.total), (&systems[..2], true, 5));
    systems.push(integration_system("late"));
    kept.store.insert_integration_system(&systems[5]).await.unwrap();
    let rest = kept.store.integration_systems(PageOf { first: 100, after: Some(systems[1].id) }).await.unwrap();
    assert_eq!((rest.data.as_slice(), rest.has_next, rest.total), (&systems[2..], false, 6));
}

async fn a_managed_system_keeps_its_integration_system_from_being_deleted(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let system = integration_system("manager");
    let mut managed = application(&a, "managed");
    managed.details.integration_system = Some(system.id);
    let missing = Error::not_found("IntegrationSystem", system.id);
    assert_eq!(kept.store.insert_application(&managed, &any_event(&a)).await, Err(missing));
    kept.store.insert_integration_system(&system).await.unwrap();
    kept.store.insert_application(&managed, &any_event(&a)).await.unwrap();
    let refused = kept.store.delete_integration_system(system.id).await;
    assert!(matches!(refused, Err(Error::InvalidOperation(_))), "{refused:?}");
    assert_eq!(kept.store.integration_system(system.id).await.unwrap(), Some(system.clone()));
    managed.details.integration_system = None;
    kept.store.update_application(&managed, &any_event(&a)).await.unwrap();
    kept.store.delete_integration_system(system.id).await.unwrap();
}

async fn an_application_is_kept_in_its_tenant_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let mut one = application(&a, "one");
    kept.store.insert_application(&one, &any_event(&a)).await.unwrap();
    kept.store.insert_application(&application(&b, "one"), &any_event(&b)).await.unwrap();
    let again = kept.store.insert_application(&application(&a, "one"), &any_event(&a)).await;
    assert_eq!(again, Err(Error::not_unique("Application", "one")));
    let nowhere = kept.store.insert_application(&application(&tenant_id("c"), "x"), &any_event(&a)).await;
    assert_eq!(nowhere, Err(Error::TenantNotFound("c".to_owned())));
    one.base_url = Some("https://one.example".to_owned());
    one.details.updated_at = kept.after(1);
    kept.store.update_application(&one, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.application(&a, one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.application(&b, one.id).await.unwrap(), None);
    let page = kept.store.applications(&a, PageOf { first: 1, after: None }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![one.clone()], false, 1));
    let missing = Err(Error::not_found("Application", one.id));
    assert_eq!(kept.store.delete_application(&b, one.id, &any_event(&b)).await, missing);
    kept.store.delete_application(&a, one.id, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.delete_application(&a, one.id, &any_event(&a)).await, missing);
    assert_eq!(kept.store.update_application(&one, &any_event(&a)).await, missing);
    // Three changes of it and one in b; what was refused left no event.
    let claimed = kept.store.outbox_claim(id(), kept.now(), 100).await.unwrap().unwrap();
    assert_eq!(claimed.len(), 4);
}

async fn a_runtime_is_kept_in_its_tenant_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let mut one = runtime(&a, "one");
    kept.store.insert_runtime(&one, &any_event(&a)).await.unwrap();
    let again = kept.store.insert_runtime(&runtime(&a, "one"), &any_event(&a)).await;
    assert_eq!(again, Err(Error::not_unique("Runtime", "one")));
    one.details.description = Some("first".to_owned());
    kept.store.update_runtime(&one, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.runtime(&a, one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.runtime(&b, one.id).await.unwrap(), None);
    let page = kept.store.runtimes(&a, PageOf { first: 1, after: None }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![one.clone()], false, 1));
    let missing = Err(Error::not_found("Runtime", one.id));
    assert_eq!(kept.store.delete_runtime(&b, one.id, &any_event(&b)).await, missing);
    kept.store.delete_runtime(&a, one.id, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.update_runtime(&one, &any_event(&a)).await, missing);
}
