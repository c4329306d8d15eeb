use std::sync::Arc;

use tidegate_model::contract::{Resolved, WebhookKeyHash};
use tidegate_model::{
    Direction, Error, EventType, HttpMethod, Integration, LogicId, PageOf, Runnable, Script, Settings, TenantId,
};
use tidegate_storage::contract::WebhookKeyRow;

use crate::harness::{Kept, on_every_store};
use crate::samples::{any_event, incoming, logic, outgoing, tenant, tenant_id, type_name, with_tenants};

on_every_store!(
    an_integration_is_kept_in_its_tenant_alone,
    an_integration_is_replaced_with_its_subscriptions,
    a_logic_of_another_tenant_is_not_found,
    a_key_resolves_to_the_newest_versions_until_it_is_replaced,
    a_pinned_version_resolves_and_settings_come_back_as_they_were,
    keys_are_replaced_all_or_none,
    subscribers_are_those_of_this_kind_of_event,
    a_deleted_integration_is_gone_with_its_key_and_its_name_is_free,
    the_user_of_a_deleted_integration_is_disabled,
);

fn key(text: &str) -> WebhookKeyRow {
    WebhookKeyRow { hash: WebhookKeyHash::of(text), sealed: [text.as_bytes(), &[0, 0xff, 0xfe]].concat() }
}

async fn with_logic(kept: &Kept, tenant: &TenantId) -> LogicId {
    let core = logic(tenant, "core");
    kept.store.insert_logic(&core, &any_event(tenant)).await.unwrap();
    core.id
}

async fn insert(kept: &Kept, integration: &Integration, with: Option<&str>) {
    let row = with.map(key);
    kept.store.insert_integration(integration, row.as_ref(), &any_event(&integration.tenant)).await.unwrap();
}

async fn an_integration_is_kept_in_its_tenant_alone(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = with_logic(kept, &a).await;
    let one = incoming(&a, "one", core);
    let two = outgoing(
        &a,
        "two",
        core,
        &[("Order", EventType::Update), ("Order", EventType::Create), ("A", EventType::Delete)],
    );
    insert(kept, &one, Some("k")).await;
    insert(kept, &two, None).await;
    let again = kept.store.insert_integration(&incoming(&a, "one", core), None, &any_event(&a)).await;
    assert_eq!(again, Err(Error::not_unique("Integration", "one")));
    assert_eq!(kept.store.integration(&a, one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(kept.store.integration(&a, two.id).await.unwrap(), Some(two.clone()));
    assert_eq!(kept.store.integration(&tenant_id("b"), one.id).await.unwrap(), None);
    let page = kept.store.integrations(&a, PageOf { first: 1, after: None }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![one.clone()], true, 2));
    let page = kept.store.integrations(&a, PageOf { first: 1, after: Some(one.id) }).await.unwrap();
    assert_eq!((page.data, page.has_next, page.total), (vec![two], false, 2));
}

async fn an_integration_is_replaced_with_its_subscriptions(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = with_logic(kept, &a).await;
    let mut one = outgoing(&a, "one", core, &[("Order", EventType::Create)]);
    insert(kept, &one, None).await;
    let changed = outgoing(&a, "ignored", core, &[("Order", EventType::Delete)]);
    one.direction = match changed.direction {
        Direction::Outgoing { subscriptions, .. } => {
            Direction::Outgoing { url: "http://new/".to_owned(), subscriptions }
        }
        Direction::Incoming => unreachable!(),
    };
    one.http_method = HttpMethod::Get;
    one.active = false;
    one.effective_date = None;
    one.expiry_date = Some(kept.after(3600));
    one.enable_logic = Some(core);
    one.updated_at = kept.after(1);
    kept.store.update_integration(&one, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.integration(&a, one.id).await.unwrap(), Some(one.clone()));
    let order = type_name("Order");
    let subscribers = |event_type| kept.store.subscribers(&a, &order, event_type);
    assert_eq!(subscribers(EventType::Create).await.unwrap().len(), 0);
    assert_eq!(subscribers(EventType::Delete).await.unwrap().len(), 1);
    let unknown = outgoing(&a, "unknown", core, &[]);
    let missing = Err(Error::not_found("Integration", unknown.id));
    assert_eq!(kept.store.update_integration(&unknown, &any_event(&a)).await, missing);
}

async fn a_logic_of_another_tenant_is_not_found(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = with_logic(kept, &a).await;
    let b = tenant_id("b");
    let theirs = incoming(&b, "theirs", core);
    let refused = kept.store.insert_integration(&theirs, Some(&key("k")), &any_event(&b)).await;
    assert_eq!(refused, Err(Error::not_found("Logic", core)));
    assert_eq!(kept.store.integration(&b, theirs.id).await.unwrap(), None);
    assert_eq!(kept.store.resolve(WebhookKeyHash::of("k")).await.unwrap(), Resolved::None);
}

async fn a_key_resolves_to_the_newest_versions_until_it_is_replaced(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let mut core = logic(&a, "core");
    kept.store.insert_logic(&core, &any_event(&a)).await.unwrap();
    let enable = logic(&a, "enable");
    kept.store.insert_logic(&enable, &any_event(&a)).await.unwrap();
    core.version = 2;
    core.source = "return { newest = true }".into();
    kept.store.add_logic_version(&core, &any_event(&a)).await.unwrap();
    let mut one = incoming(&a, "one", core.id);
    one.enable_logic = Some(enable.id);
    insert(kept, &one, Some("old")).await;
    let script = |l: &tidegate_model::Logic| Script { logic: l.id, version: l.version, source: l.source.clone() };
    let runnable = Arc::new(Runnable {
        integration: one.clone(),
        organization: tenant("a"),
        core: script(&core),
        enable: Some(script(&enable)),
    });
    assert_eq!(kept.store.resolve(WebhookKeyHash::of("old")).await.unwrap(), Resolved::One(runnable.clone()));
    assert_eq!(kept.store.runnable(&a, one.id).await.unwrap(), Some(runnable));
    assert_eq!(kept.store.runnable(&tenant_id("b"), one.id).await.unwrap(), None);
    kept.store.replace_webhook_keys(&a, &[(one.id, key("new"))], &[any_event(&a)]).await.unwrap();
    assert_eq!(kept.store.resolve(WebhookKeyHash::of("old")).await.unwrap(), Resolved::None);
    assert!(matches!(kept.store.resolve(WebhookKeyHash::of("new")).await.unwrap(), Resolved::One(_)));
    assert_eq!(kept.store.webhook_keys(&a, &[one.id]).await.unwrap(), vec![(one.id, key("new").sealed)]);
    assert_eq!(kept.store.webhook_keys(&tenant_id("b"), &[one.id]).await.unwrap(), vec![]);
}

async fn a_pinned_version_resolves_and_settings_come_back_as_they_were(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let first = logic(&a, "core");
    kept.store.insert_logic(&first, &any_event(&a)).await.unwrap();
    let second = tidegate_model::Logic { version: 2, source: "return { newest = true }".into(), ..first.clone() };
    kept.store.add_logic_version(&second, &any_event(&a)).await.unwrap();
    let mut one = incoming(&a, "one", first.id);
    one.core_version = Some(1);
    (one.enable_logic, one.enable_version) = (Some(first.id), Some(2));
    one.settings.limits.core_cpu_ms = Some(7);
    insert(kept, &one, Some("key")).await;
    let runnable = kept.store.runnable(&a, one.id).await.unwrap().unwrap();
    assert_eq!(runnable.integration, one);
    assert_eq!((runnable.core.version, &runnable.core.source), (1, &first.source));
    assert_eq!(runnable.enable.as_ref().map(|enable| (enable.version, &enable.source)), Some((2, &second.source)));
    (one.core_version, one.enable_version, one.settings) = (None, Some(1), Settings::default());
    kept.store.update_integration(&one, &any_event(&a)).await.unwrap();
    let runnable = kept.store.runnable(&a, one.id).await.unwrap().unwrap();
    assert_eq!(runnable.integration, one);
    assert_eq!((runnable.core.version, runnable.enable.as_ref().map(|e| e.version)), (2, Some(1)));
}

async fn keys_are_replaced_all_or_none(kept: &Kept) {
    let a = with_tenants(kept, &["a"]).await;
    let core = with_logic(kept, &a).await;
    let (one, two) = (incoming(&a, "one", core), incoming(&a, "two", core));
    let out = outgoing(&a, "out", core, &[]);
    insert(kept, &one, Some("one")).await;
    insert(kept, &two, Some("two")).await;
    insert(kept, &out, None).await;
    let keys = [(one.id, key("one'")), (two.id, key("two'")), (out.id, key("out'"))];
    let refused = kept.store.replace_webhook_keys(&a, &keys, &[]).await;
    assert!(matches!(refused, Err(Error::InvalidOperation(_))), "{refused:?}");
    assert!(matches!(kept.store.resolve(WebhookKeyHash::of("one")).await.unwrap(), Resolved::One(_)));
    assert_eq!(kept.store.resolve(WebhookKeyHash::of("one'")).await.unwrap(), Resolved::None);
    kept.store.replace_webhook_keys(&a, &keys[..2], &[]).await.unwrap();
    let mut found = kept.store.webhook_keys(&a, &[one.id, two.id, out.id]).await.unwrap();
    found.sort();
    assert_eq!(found, vec![(one.id, key("one'").sealed), (two.id, key("two'").sealed)]);
}

async fn subscribers_are_those_of_this_kind_of_event(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = with_logic(kept, &a).await;
    let both = outgoing(&a, "both", core, &[("Order", EventType::Create), ("Order", EventType::Update)]);
    let mut inactive = outgoing(&a, "inactive", core, &[("Order", EventType::Create)]);
    inactive.active = false;
    let other = outgoing(&a, "other", core, &[("Orders", EventType::Create)]);
    for integration in [&both, &inactive, &other] {
        insert(kept, integration, None).await;
    }
    let order = type_name("Order");
    let ids = |found: Vec<Arc<Runnable>>| found.iter().map(|r| r.integration.id).collect::<Vec<_>>();
    let found = kept.store.subscribers(&a, &order, EventType::Create).await.unwrap();
    assert_eq!(*found[0], Runnable { integration: both.clone(), ..(*found[0]).clone() });
    assert_eq!(ids(found), vec![both.id, inactive.id]);
    assert_eq!(ids(kept.store.subscribers(&a, &order, EventType::Update).await.unwrap()), vec![both.id]);
    assert!(kept.store.subscribers(&a, &order, EventType::Delete).await.unwrap().is_empty());
    assert!(kept.store.subscribers(&tenant_id("b"), &order, EventType::Create).await.unwrap().is_empty());
}

async fn a_deleted_integration_is_gone_with_its_key_and_its_name_is_free(kept: &Kept) {
    let a = with_tenants(kept, &["a", "b"]).await;
    let core = with_logic(kept, &a).await;
    let one = incoming(&a, "one", core);
    insert(kept, &one, Some("k")).await;
    let b = tenant_id("b");
    let missing = Err(Error::not_found("Integration", one.id));
    assert_eq!(kept.store.delete_integration(&b, one.id, &any_event(&b)).await, missing);
    kept.store.delete_integration(&a, one.id, &any_event(&a)).await.unwrap();
    assert_eq!(kept.store.delete_integration(&a, one.id, &any_event(&a)).await, missing);
    assert_eq!(kept.store.resolve(WebhookKeyHash::of("k")).await.unwrap(), Resolved::None);
    insert(kept, &incoming(&a, "one", core), Some("k")).await;
}

/// What it did stays attributed to it; nobody acts as it any longer.
async fn the_user_of_a_deleted_integration_is_disabled(kept: &Kept) {
    const STATE: &str = "SELECT username || ' ' || CASE WHEN disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END FROM execution_user";
    let url = kept.url.to_string();
    let state = async || match url.split_once(':').unwrap() {
        // Nobody else sees it.
        ("sqlite", ":memory:") => None,
        ("sqlite", _) => {
            let file = sqlx::SqlitePool::connect(&url).await.unwrap();
            Some(sqlx::query_scalar::<_, String>(STATE).fetch_one(&file).await.unwrap())
        }
        _ => {
            let server = sqlx::PgPool::connect(&url).await.unwrap();
            Some(sqlx::query_scalar::<_, String>(STATE).fetch_one(&server).await.unwrap())
        }
    };
    let a = with_tenants(kept, &["a"]).await;
    let core = with_logic(kept, &a).await;
    let one = incoming(&a, "one", core);
    insert(kept, &one, Some("k")).await;
    let username = &one.execution_user.username;
    let Some(before) = state().await else { return };
    assert_eq!(before, format!("{username} enabled"));
    kept.store.delete_integration(&a, one.id, &any_event(&a)).await.unwrap();
    assert_eq!(state().await.unwrap(), format!("{username} disabled"));
}
