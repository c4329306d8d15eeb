//! The audit log: in the transaction of the change that it tells of, and read by whom it belongs to.

use chrono::TimeDelta;
use tidegate_model::{
    AuditEntry, AuditFilter, AuditId, ClientOwner, Error, ExecutionId, Face, Json, Made, PageOf, SystemRandomness,
    TenantId, Trace,
};
use tidegate_storage::contract::{ObjectWrite, OwnerKind, WriteConflict};

use crate::harness::{Kept, on_every_store};
use crate::samples::{
    any_event, application, client, integration_system, logic, object, object_type, tenant, tenant_id, type_name,
    with_tenants,
};

on_every_store!(
    an_entry_comes_back_as_it_was_written,
    an_entry_stands_with_its_change_or_not_at_all,
    a_change_that_changes_nothing_leaves_nothing,
    who_must_account_changes_nothing_without_an_entry,
    entries_are_narrowed_and_paged_newest_first,
    a_tenants_log_goes_with_it_and_the_platforms_stays,
    old_entries_of_the_log_are_pruned_a_few_at_a_time,
);

fn entry(kept: &Kept, of: Option<&TenantId>, actor: &str, made: Made) -> AuditEntry {
    kept.clock.advance(TimeDelta::milliseconds(1));
    let trace = Trace { actor: actor.to_owned(), ..Trace::of_system(Face::Cli, "test") };
    AuditEntry::of(&*kept.clock, &SystemRandomness, of, trace, made)
}

fn about(kept: &Kept, of: &TenantId, id: &str) -> AuditEntry {
    entry(kept, Some(of), "system", Made::to("Thing", id))
}

const ALL: PageOf<AuditId> = PageOf { first: 100, after: None };

async fn listed(kept: &Kept, of: Option<&TenantId>) -> Vec<String> {
    let page = kept.store.audit_entries(of, &AuditFilter::default(), ALL).await.unwrap();
    page.data.into_iter().map(|entry| entry.made.id.unwrap()).collect()
}

async fn an_entry_comes_back_as_it_was_written(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let state = Json::parse(r#"{"n":9007199254740993,"t":"ü\u0000"}"#).unwrap();
    let mut whole = entry(kept, Some(&a), "client:7", Made::to("Order", 1).from_state(state.clone()).to_state(state));
    whole.trace.owner = Some("administrator".to_owned());
    whole.trace.address = Some([203, 0, 113, 7].into());
    let mut bare = entry(kept, None, "stranger", Made { id: None, ..Made::to("Token", "") });
    bare.refused = Some("Unauthorized".to_owned());
    bare.count = 9_000_000_000;
    kept.store.append_audit_entries(&[whole.clone(), bare.clone()]).await.unwrap();
    assert_eq!(kept.store.audit_entry(Some(&a), whole.id).await.unwrap(), Some(whole.clone()));
    assert_eq!(kept.store.audit_entry(None, bare.id).await.unwrap(), Some(bare.clone()));
    assert_eq!(kept.store.audit_entry(None, whole.id).await.unwrap(), None);
    assert_eq!(kept.store.audit_entry(Some(&a), bare.id).await.unwrap(), None);
}

async fn an_entry_stands_with_its_change_or_not_at_all(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let told = |id: &str| kept.store.audited(vec![about(kept, &a, id)]);
    let one = logic(&a, "one");
    told("made").insert_logic(&one, &any_event(&a)).await.unwrap();
    assert_eq!(told("taken").insert_logic(&one, &any_event(&a)).await, Err(Error::not_unique("Logic", "one")));
    let order = object_type(&a, "Order");
    told("type").insert_object_type(&order).await.unwrap();
    assert!(told("taken type").insert_object_type(&order).await.is_err());
    let write = ObjectWrite { object: object(&a, "1", "{}"), expected: None, delete: false, event: any_event(&a) };
    assert_eq!(told("object").write_objects(std::slice::from_ref(&write)).await, Ok(WriteConflict::None));
    assert_eq!(told("conflict").write_objects(&[write]).await, Ok(WriteConflict::At(0)));
    let app = application(&a, "app");
    told("app").insert_application(&app, &any_event(&a)).await.unwrap();
    let own = client(ClientOwner::Application(a.clone(), app.id));
    told("client").insert_client(&own).await.unwrap();
    assert!(told("nobody's").delete_client(own.id, &OwnerKind::Runtime(a.clone())).await.is_err());
    told("no client").delete_client(own.id, &OwnerKind::Application(a.clone())).await.unwrap();
    told("no type").update_object_type(&order).await.unwrap();
    let expected = ["no type", "no client", "client", "app", "object", "type", "made"];
    assert_eq!(listed(kept, Some(&a)).await, expected);

    // Several entries, each of its own thing, or none.
    let system = integration_system("s");
    let two = vec![entry(kept, None, "system", Made::to("X", 1)), entry(kept, None, "system", Made::to("X", 2))];
    kept.store.audited(two).insert_integration_system(&system).await.unwrap();
    let none = vec![entry(kept, None, "system", Made::to("X", 3))];
    assert!(kept.store.audited(none).insert_integration_system(&system).await.is_err());
    let update = vec![entry(kept, None, "system", Made::to("X", 4))];
    kept.store.audited(update).update_integration_system(&system).await.unwrap();
    let delete = vec![entry(kept, None, "system", Made::to("X", 5))];
    kept.store.audited(delete).delete_integration_system(system.id).await.unwrap();
    let gone = vec![entry(kept, None, "system", Made::to("X", 6))];
    assert!(kept.store.audited(gone).delete_integration_system(system.id).await.is_err());
    assert_eq!(listed(kept, None).await, ["5", "4", "2", "1"]);
}

async fn a_change_that_changes_nothing_leaves_nothing(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let told = |id: &str| kept.store.audited(vec![about(kept, &a, id)]);
    let execution = ExecutionId(crate::samples::id());
    let nothing = told(&execution.to_string()).cancel(&a, &[execution], "cancelled", kept.now()).await.unwrap();
    assert!(nothing.is_empty());
    let aside = tidegate_model::AsideId(crate::samples::id());
    assert_eq!(told("aside").delete_aside_entry(Some(&a), aside).await.unwrap(), None);
    assert_eq!(told("tenant").delete_tenant(&tenant_id("nope")).await.unwrap(), None);
    let replay = tidegate_model::ReplayId(crate::samples::id());
    assert_eq!(told("replay").stop_replay(&a, replay, kept.now()).await.unwrap(), None);
    assert_eq!(listed(kept, Some(&a)).await, Vec::<String>::new());
}

async fn who_must_account_changes_nothing_without_an_entry(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let store = kept.store.accountable();
    let is_refused = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Internal { .. })), "{done:?}");
    is_refused(store.insert_logic(&logic(&a, "one"), &any_event(&a)).await);
    is_refused(store.insert_object_type(&object_type(&a, "Order")).await);
    is_refused(store.insert_tenant(&tenant("b")).await);
    is_refused(store.delete_tenant(&a).await.map(drop));
    is_refused(store.insert_integration_system(&integration_system("s")).await);
    assert_eq!(store.object_type(&a, &type_name("Order")).await.unwrap(), None);
    assert_eq!(store.tenants(PageOf { first: 9, after: None }).await.unwrap().data, [tenant("a")]);
    store.audited(vec![about(kept, &a, "1")]).insert_object_type(&object_type(&a, "Order")).await.unwrap();
    assert_eq!(listed(kept, Some(&a)).await, ["1"]);
}

async fn entries_are_narrowed_and_paged_newest_first(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let b = tenant_id("b");
    let mut all = Vec::new();
    for n in 0..6 {
        kept.clock.advance(TimeDelta::minutes(5));
        let actor = if n % 2 == 0 { "client:even" } else { "client:odd" };
        let kind = if n < 3 { "Order" } else { "Logic" };
        let mut one = entry(kept, Some(&a), actor, Made::to(kind, n));
        one.refused = (n == 5).then(|| "InsufficientScopes".to_owned());
        all.push(one);
        all.push(entry(kept, Some(&b), actor, Made::to(kind, n)));
    }
    kept.store.append_audit_entries(&all).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let at = |n: usize| Some(all[2 * n].at);
    let none = AuditFilter::default();
    for (filter, expected) in [
        (none.clone(), "543210"),
        (AuditFilter { actor: text("client:odd"), ..none.clone() }, "531"),
        (AuditFilter { kind: text("Order"), ..none.clone() }, "210"),
        (AuditFilter { kind: text("Order"), id: text("1"), ..none.clone() }, "1"),
        (AuditFilter { kind: text("Order"), id: text("5"), ..none.clone() }, ""),
        (AuditFilter { id: text("4"), ..none.clone() }, "4"),
        (AuditFilter { actor: text("client:odd"), kind: text("Logic"), ..none.clone() }, "53"),
        (AuditFilter { refused: Some(true), ..none.clone() }, "5"),
        (AuditFilter { refused: Some(false), actor: text("client:odd"), ..none.clone() }, "31"),
        (AuditFilter { from: at(1), to: at(4), ..none.clone() }, "321"),
        (AuditFilter { from: at(4), actor: text("client:even"), ..none }, "4"),
    ] {
        let mut found = String::new();
        let mut after = None;
        loop {
            let page = kept.store.audit_entries(Some(&a), &filter, PageOf { first: 2, after }).await.unwrap();
            found.extend(page.data.iter().map(|one| one.made.id.clone().unwrap()));
            after = page.data.last().map(|one| one.id);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?}");
        let count = kept.store.count_audit_entries(Some(&a), &filter).await.unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
    assert_eq!(kept.store.count_audit_entries(None, &AuditFilter::default()).await.unwrap(), 0);
}

async fn a_tenants_log_goes_with_it_and_the_platforms_stays(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    kept.store.append_audit_entries(&[about(kept, &a, "its")]).await.unwrap();
    let told = entry(kept, None, "system", Made::to("Tenant", "a"));
    kept.store.audited(vec![told]).delete_tenant(&a).await.unwrap();
    with_tenants(kept, &["a"]).await;
    assert_eq!(
        listed(kept, Some(&a)).await,
        Vec::<String>::new(),
        "who comes after under its name reads nothing of it"
    );
    kept.store.append_audit_entries(&[about(kept, &tenant_id("gone"), "gone's")]).await.unwrap();
    assert_eq!(listed(kept, None).await, ["gone's", "a"]);
}

async fn old_entries_of_the_log_are_pruned_a_few_at_a_time(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let entries: Vec<_> = (0..5).map(|n| about(kept, &a, &n.to_string())).collect();
    kept.store.append_audit_entries(&entries).await.unwrap();
    let before = entries[3].at;
    assert_eq!(kept.store.prune_audit_entries(before, 2).await.unwrap(), 2);
    assert_eq!(kept.store.prune_audit_entries(before, 2).await.unwrap(), 1);
    assert_eq!(listed(kept, Some(&a)).await, ["4", "3"]);
}
