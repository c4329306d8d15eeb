//! The second wall between tenants: what PostgreSQL itself keeps from a transaction that acts for one of them.

use sqlx::{PgPool, Row as _};
use tidegate_model::contract::{Incomprehensible, WebhookKeyHash};
use tidegate_model::{
    AsideId, Client, ClientOwner, ClientSecret, ClientSecretId, EventType, ExecutionFilter, ExecutionId, Integration,
    PageOf, Pause, PauseReason, Replay, ReplayId, ReplayState, Secret, TenantId,
};
use tidegate_storage::contract::{AsideEntry, Intake, ObjectWrite, OwnerKind, WebhookKeyRow, WriteConflict};
use uuid::Uuid;

use crate::credentials::{bearer, safe, sealer};
use crate::harness::Kept;
use crate::intake::delivery;
use crate::samples::{
    any_event, application, client, event, execution, id, incoming, logic, object, object_type, outgoing, runtime,
    tenant_id, type_name, with_tenants,
};

/// Tables with rows of tenants, and whether each has its wall.
const TABLES: &str = "SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity \
    AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall'), a.attname::text \
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped \
    AND (a.attname = 'tenant' OR (c.relname = 'tenant' AND a.attname = 'id')) ORDER BY c.relname";

async fn tables(pool: &PgPool) -> Vec<(String, bool, String)> {
    let rows = sqlx::query(TABLES).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// What one tenant has: something in most tables.
struct Filled {
    hook: Integration,
    app: Client,
    ended: ExecutionId,
}

async fn fill(kept: &Kept, tenant: &TenantId) -> Filled {
    let store = &kept.store;
    let (core, order) = (logic(tenant, "core"), object_type(tenant, "Order"));
    store.insert_logic(&core, &any_event(tenant)).await.unwrap();
    let hook = incoming(tenant, "hook", core.id);
    let key = WebhookKeyRow { hash: WebhookKeyHash::of(tenant.as_str()), sealed: vec![1] };
    store.insert_integration(&hook, Some(&key), &any_event(tenant)).await.unwrap();
    let listener = outgoing(tenant, "listener", core.id, &[("Order", EventType::Create)]);
    store.insert_integration(&listener, None, &any_event(tenant)).await.unwrap();
    let (app, run) = (application(tenant, "app"), runtime(tenant, "run"));
    store.insert_application(&app, &any_event(tenant)).await.unwrap();
    store.insert_runtime(&run, &any_event(tenant)).await.unwrap();
    let app = client(ClientOwner::Application(tenant.clone(), app.id));
    store.insert_client(&app).await.unwrap();
    store.insert_object_type(&order).await.unwrap();
    let write =
        ObjectWrite { object: object(tenant, "1", "{}"), expected: None, delete: false, event: any_event(tenant) };
    assert_eq!(store.write_objects(&[write]).await.unwrap(), WriteConflict::None);
    safe(kept, sealer(1, &[])).insert(&bearer(tenant, "shop", "t"), &any_event(tenant)).await.unwrap();
    store.insert_replay(&replay(kept, tenant)).await.unwrap();
    let taken = event(tenant, "taken");
    let aside = AsideEntry {
        id: AsideId(id()),
        position: 1,
        entry: Incomprehensible {
            tenant: Some(tenant.clone()),
            subject: "tidegate.events".to_owned(),
            payload: vec![0],
            reason: "no event".to_owned(),
            time: kept.now(),
        },
    };
    let intake = Intake {
        events: vec![(taken.clone(), vec![delivery(&listener, &taken)])],
        aside: vec![aside],
        ..Intake::default()
    };
    let position = store.intake_position().await.unwrap();
    store.take_in(position, position + 1, &intake, id(), kept.now(), kept.now()).await.unwrap().unwrap();
    let record = execution(&hook);
    store.append_executions(std::slice::from_ref(&record)).await.unwrap();
    Filled { hook, app, ended: record.id }
}

fn replay(kept: &Kept, tenant: &TenantId) -> Replay {
    Replay {
        id: ReplayId(id()),
        tenant: tenant.clone(),
        state: ReplayState::Running,
        filter: ExecutionFilter::default(),
        rate_per_second: 1,
        count: 1,
        replayed: 0,
        refused: 0,
        created_by: "client:x".to_owned(),
        created_at: kept.now(),
        ended_at: None,
    }
}

/// A filled store, and its database as the role that the store has there.
async fn filled() -> Option<(Kept, PgPool, Filled)> {
    let kept = Kept::postgres().await?;
    with_tenants(&kept, &["a", "b"]).await;
    let a = fill(&kept, &tenant_id("a")).await;
    fill(&kept, &tenant_id("b")).await;
    let pool = PgPool::connect(&kept.url.to_string()).await.unwrap();
    let is_plain = "SELECT NOT rolsuper AND NOT rolbypassrls FROM pg_roles WHERE rolname = current_user";
    assert!(sqlx::query(is_plain).fetch_one(&pool).await.unwrap().get::<bool, _>(0), "no wall holds a superuser");
    Some((kept, pool, a))
}

async fn as_a(pool: &PgPool) -> sqlx::Transaction<'static, sqlx::Postgres> {
    pool.begin_with("BEGIN; SET LOCAL tidegate.tenant = 'a'").await.unwrap()
}

async fn number(connection: &mut sqlx::PgConnection, query: String) -> i64 {
    sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(connection).await.unwrap().get(0)
}

#[tokio::test]
async fn every_table_of_tenants_has_its_wall() {
    let Some((_kept, pool, _)) = filled().await else { return };
    let tables = tables(&pool).await;
    let open: Vec<_> = tables.iter().filter(|(_, walled, _)| !walled).collect();
    assert!(open.is_empty() && tables.len() > 18, "{open:?} of {}", tables.len());
}

#[tokio::test]
async fn a_statement_that_forgets_its_tenant_sees_nothing_of_others() {
    let Some((_kept, pool, _)) = filled().await else { return };
    let mut seen = 0;
    for (table, _, key) in tables(&pool).await {
        let all = format!("SELECT COUNT(*) FROM {table}");
        let others = format!("{all} WHERE {key} IS DISTINCT FROM 'a'");
        let there = number(&mut pool.acquire().await.unwrap(), others.clone()).await;
        let mut a = as_a(&pool).await;
        assert_eq!(number(&mut a, others).await, 0, "{table}");
        let own = number(&mut a, all).await;
        assert_eq!(own > 0, there > 0, "{table}: its own rows are seen");
        seen += usize::from(there > 0);
    }
    assert!(seen > 17, "{seen} tables have rows");
    // The statement of the store, without its condition on the tenant.
    let other = "SELECT id FROM application WHERE tenant = 'b'";
    let other: Uuid = sqlx::query(other).fetch_one(&pool).await.unwrap().get(0);
    let find = "SELECT id, name FROM application WHERE id = $1";
    assert!(sqlx::query(find).bind(other).fetch_optional(&pool).await.unwrap().is_some());
    let mut a = as_a(&pool).await;
    assert!(sqlx::query(find).bind(other).fetch_optional(&mut *a).await.unwrap().is_none());
}

#[tokio::test]
async fn a_statement_that_forgets_its_tenant_changes_nothing_of_others() {
    let Some((_kept, pool, _)) = filled().await else { return };
    let count = |tenant: &str| format!("SELECT COUNT(*) FROM object WHERE tenant = '{tenant}'");
    let mut a = as_a(&pool).await;
    sqlx::query("UPDATE application SET name = 'taken'").execute(&mut *a).await.unwrap();
    sqlx::query("DELETE FROM object").execute(&mut *a).await.unwrap();
    a.commit().await.unwrap();
    let mut all = pool.acquire().await.unwrap();
    assert_eq!(number(&mut all, count("a")).await, 0);
    assert_eq!(number(&mut all, count("b")).await, 1, "the other tenant's stays");
    let renamed = "SELECT COUNT(*) FROM application WHERE name = 'taken'";
    assert_eq!(number(&mut all, renamed.to_owned()).await, 1, "the other tenant's is as it was");

    for write in [
        "INSERT INTO object_type (id, tenant, name) VALUES (gen_random_uuid(), 'b', 'Order2')",
        "UPDATE object_type SET tenant = 'b'",
        "INSERT INTO tenant (id, name, created_at) VALUES ('c', 'c', 0)",
    ] {
        let mut a = as_a(&pool).await;
        let refused = sqlx::query(write).execute(&mut *a).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{write}: {refused}");
    }
}

#[tokio::test]
async fn the_wall_stands_for_one_transaction_alone() {
    let Some((_kept, pool, _)) = filled().await else { return };
    let mut connection = pool.acquire().await.unwrap();
    for end in ["COMMIT", "ROLLBACK"] {
        sqlx::raw_sql("BEGIN; SET LOCAL tidegate.tenant = 'a'").execute(&mut *connection).await.unwrap();
        assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tenant".to_owned()).await, 1);
        sqlx::raw_sql(end).execute(&mut *connection).await.unwrap();
        assert_eq!(number(&mut connection, "SELECT COUNT(*) FROM tenant".to_owned()).await, 2, "{end}");
    }
}

/// From now on rows of tenants are there for those alone who say for which one they act.
async fn close(pool: &PgPool) {
    for (table, ..) in tables(pool).await {
        let close = format!(
            "CREATE POLICY closed ON {table} AS RESTRICTIVE \
             USING (COALESCE(current_setting('tidegate.tenant', TRUE), '') <> '')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(close)).execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn every_call_that_acts_for_one_tenant_reads_behind_the_wall() {
    let Some((kept, pool, filled)) = filled().await else { return };
    close(&pool).await;
    let (store, a, order) = (&kept.store, tenant_id("a"), type_name("Order"));
    let (all, hook) = (ExecutionFilter::default(), &filled.hook);
    assert!(store.tenants(first()).await.unwrap().data.is_empty(), "who acts for nobody sees nothing");

    let app = store.applications(&a, first()).await.unwrap().data.remove(0);
    assert!(store.application(&a, app.id).await.unwrap().is_some());
    let run = store.runtimes(&a, first()).await.unwrap().data.remove(0);
    assert!(store.runtime(&a, run.id).await.unwrap().is_some());
    let core = store.logics(&a, first()).await.unwrap().data.remove(0);
    assert!(store.logic(&a, core.id, None).await.unwrap().is_some());
    assert_eq!(store.integrations(&a, first()).await.unwrap().data.len(), 2);
    assert!(store.integration(&a, hook.id).await.unwrap().is_some());
    assert!(store.runnable(&a, hook.id).await.unwrap().is_some());
    assert_eq!(store.subscribers(&a, &order, EventType::Create).await.unwrap().len(), 1);
    assert_eq!(store.webhook_keys(&a, &[hook.id]).await.unwrap().len(), 1);
    assert_eq!(store.object_types(&a).await.unwrap().len(), 1);
    assert!(store.object_type(&a, &order).await.unwrap().is_some());
    assert_eq!(store.objects(&a, &order, first()).await.unwrap().data.len(), 1);
    assert!(store.object(&a, &order, &"1".parse().unwrap()).await.unwrap().is_some());
    let safe = safe(&kept, sealer(1, &[]));
    let shop = safe.find_named(&a, "shop").await.unwrap().unwrap().open.credential;
    assert!(safe.find(&a, shop.id).await.unwrap().is_some());
    assert_eq!(safe.list(&a, first()).await.unwrap().data.len(), 1);
    assert!(store.data_key(&a).await.unwrap().is_some());
    assert_eq!(store.executions(&a, &all, first()).await.unwrap().data.len(), 2);
    assert!(store.execution(&a, filled.ended).await.unwrap().is_some());
    assert_eq!(store.count_executions(&a, &all).await.unwrap(), 2);
    assert_eq!(store.count_replayable(&a, &all).await.unwrap(), 0);
    let (from, to) = (ExecutionId(Uuid::nil()), ExecutionId(Uuid::max()));
    assert_eq!(store.ended_executions(&a, &all, from, to, 9).await.unwrap().len(), 1);
    assert!(store.event(&a, &"taken".parse().unwrap()).await.unwrap().is_some());
    let replay = store.replays(&a, first()).await.unwrap().data.remove(0);
    assert!(store.replay(&a, replay.id).await.unwrap().is_some());
    let aside = store.aside_entries(Some(&a), first()).await.unwrap().data.remove(0);
    assert!(store.aside_entry(Some(&a), aside.id).await.unwrap().is_some());
    let mine = OwnerKind::Application(a.clone());
    assert_eq!(store.belonging_client(filled.app.id, &mine).await.unwrap(), Some(filled.app.clone()));
    assert_eq!(store.clients_of(&filled.app.owner).await.unwrap(), vec![filled.app]);
}

#[tokio::test]
async fn every_call_that_acts_for_one_tenant_writes_behind_the_wall() {
    let Some((kept, pool, filled)) = filled().await else { return };
    close(&pool).await;
    let (store, a, order) = (&kept.store, tenant_id("a"), type_name("Order"));
    let (hook, change) = (filled.hook, || any_event(&tenant_id("a")));

    let app = application(&a, "app2");
    store.insert_application(&app, &change()).await.unwrap();
    store.update_application(&app, &change()).await.unwrap();
    let run = runtime(&a, "run2");
    store.insert_runtime(&run, &change()).await.unwrap();
    store.update_runtime(&run, &change()).await.unwrap();
    let (one, mine) = (client(ClientOwner::Runtime(a.clone(), run.id)), OwnerKind::Runtime(a.clone()));
    store.insert_client(&one).await.unwrap();
    let second = ClientSecret { id: ClientSecretId(id()), hash: Secret::new("second").hash(), created_at: kept.now() };
    store.add_client_secret(one.id, &mine, &second).await.unwrap();
    store.remove_client_secret(one.id, &mine, second.id).await.unwrap();
    store.delete_client(one.id, &mine).await.unwrap();
    let mut core = logic(&a, "core2");
    store.insert_logic(&core, &change()).await.unwrap();
    core.version = 2;
    store.add_logic_version(&core, &change()).await.unwrap();
    store.describe_logic(&core, &change()).await.unwrap();
    let door = incoming(&a, "door", core.id);
    let key = |text: &str| WebhookKeyRow { hash: WebhookKeyHash::of(text), sealed: vec![2] };
    store.insert_integration(&door, Some(&key("x")), &change()).await.unwrap();
    store.update_integration(&door, &change()).await.unwrap();
    store.replace_webhook_keys(&a, &[(door.id, key("y"))], &[change()]).await.unwrap();
    let pause = Pause { since: kept.now(), reason: PauseReason::Gone };
    assert!(store.pause(&a, hook.id, pause, &change()).await.is_ok());
    assert!(store.resume(&a, hook.id, &change()).await.is_ok());
    let object_of = |expected, delete| ObjectWrite { object: object(&a, "2", "{}"), expected, delete, event: change() };
    for write in [object_of(None, false), object_of(Some(1), false), object_of(Some(1), true)] {
        assert_eq!(store.write_objects(&[write]).await.unwrap(), WriteConflict::None);
    }
    store.insert_object_type(&object_type(&a, "Other")).await.unwrap();
    store.update_object_type(&object_type(&a, "Other")).await.unwrap();
    store.delete_object_type(&a, &type_name("Other")).await.unwrap();
    let safe = safe(&kept, sealer(1, &[]));
    let shop = bearer(&a, "shop2", "t");
    safe.insert(&shop, &change()).await.unwrap();
    safe.replace(1, &shop, &change()).await.unwrap();
    safe.delete(&a, shop.credential.id, &change()).await.unwrap();
    let begun = replay(&kept, &a);
    store.insert_replay(&begun).await.unwrap();
    assert!(store.stop_replay(&a, begun.id, kept.now()).await.unwrap().is_some());
    let aside = store.aside_entries(Some(&a), first()).await.unwrap().data.remove(0);
    assert!(store.delete_aside_entry(Some(&a), aside.id).await.unwrap().is_some());
    let open = store.executions(&a, &ExecutionFilter::default(), first()).await.unwrap().data;
    let open: Vec<_> = open.iter().map(|record| record.id).filter(|id| *id != filled.ended).collect();
    assert_eq!(store.cancel(&a, &open, "cancelled", kept.after(99)).await.unwrap().len(), 1);
    store.delete_integration(&a, door.id, &change()).await.unwrap();
    store.delete_logic(&a, core.id, &change()).await.unwrap();
    store.delete_runtime(&a, run.id, &change()).await.unwrap();
    store.delete_application(&a, app.id, &change()).await.unwrap();
    assert!(store.object(&a, &order, &"1".parse().unwrap()).await.unwrap().is_some());
}

fn first<K>() -> PageOf<K> {
    PageOf { first: 9, after: None }
}
