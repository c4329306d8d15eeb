use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, Executor as _};
use tidegate_model::Error;
use tidegate_storage::contract::{ObjectWrite, WriteConflict};
use tidegate_storage::{Options, Store};

use crate::harness::{Kept, superuser};
use crate::intake::with_target;
use crate::samples::{any_event, client, event, execution, logic, object, object_type, with_tenants};

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_internal_error_and_others_stay_readable() {
    let kept = Kept::file().await.unwrap();
    let a = with_tenants(&kept, &["a"]).await;
    let (bad, good) = (logic(&a, "bad"), logic(&a, "good"));
    for one in [&bad, &good] {
        kept.store.insert_logic(one, &any_event(&a)).await.unwrap();
    }
    let administrator = client(tidegate_model::ClientOwner::Administrator);
    kept.store.insert_client(&administrator).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&kept.url.to_string()).await.unwrap();
    sqlx::query("UPDATE logic SET kind = 'NEITHER' WHERE name = 'bad'").execute(&pool).await.unwrap();
    sqlx::query("UPDATE client SET secret = x'00'").execute(&pool).await.unwrap();
    let told = kept.store.logic(&a, bad.id, None).await.unwrap_err();
    assert!(matches!(&told, Error::Internal { id } if !id.contains("NEITHER")), "{told}");
    let again = kept.store.logic(&a, bad.id, None).await.unwrap_err();
    assert_ne!(told, again, "each failure has its own id");
    assert_eq!(kept.store.logic(&a, good.id, None).await.unwrap(), Some(good));
    assert!(matches!(kept.store.client(administrator.id).await, Err(Error::Internal { .. })));
}

#[tokio::test]
async fn nul_in_a_name_is_refused_by_the_server_as_the_callers_fault() {
    let Some(kept) = Kept::postgres().await else { return };
    let a = with_tenants(&kept, &["a"]).await;
    let told = kept.store.insert_logic(&logic(&a, "a\0b"), &any_event(&a)).await;
    assert!(matches!(told, Err(Error::InvalidData(_))), "{told:?}");
}

/// Two transactions of which each waits for a row that the other holds: the server ends one of them.
#[tokio::test]
async fn what_the_server_ended_for_anothers_sake_is_made_again() {
    let Some(kept) = Kept::postgres().await else { return };
    let a = with_tenants(&kept, &["a"]).await;
    kept.store.insert_object_type(&object_type(&a, "Order")).await.unwrap();
    let writes = |expected: Option<i32>| {
        ["1", "2"].map(|id| {
            let mut object = object(&a, id, "{}");
            object.version = expected.map_or(1, |version| version + 1);
            ObjectWrite { object, expected, delete: false, event: event(&a, &format!("{id} {expected:?}")) }
        })
    };
    assert_eq!(kept.store.write_objects(&writes(None)).await.unwrap(), WriteConflict::None);

    let mut other = sqlx::PgConnection::connect_with(&superuser(&kept.url)).await.unwrap();
    let mut change = other.begin().await.unwrap();
    // The server ends whoever waited this long and finds the circle: the store, which looks after a second.
    sqlx::raw_sql("SET LOCAL deadlock_timeout = '15s'").execute(&mut *change).await.unwrap();
    sqlx::raw_sql("SELECT 1 FROM object WHERE id = '2' FOR UPDATE").execute(&mut *change).await.unwrap();
    let cross = async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query(waiting).fetch_optional(&mut *change).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // On a machine that stands still for a second it may be this one that is ended; then the store goes on at once.
        let _ = sqlx::raw_sql("SELECT 1 FROM object WHERE id = '1' FOR UPDATE").execute(&mut *change).await;
        change.rollback().await.unwrap();
    };
    let next = writes(Some(1));
    let (written, ()) = tokio::join!(kept.store.write_objects(&next), cross);
    assert_eq!(written.unwrap(), WriteConflict::None);
}

/// What another process has.
async fn another(kept: &Kept) -> Arc<dyn Store> {
    let options = Options { url: kept.url.clone(), max_connections: 2, clock: kept.clock.clone() };
    tidegate_storage::open(&options).await.unwrap().store
}

/// What a failover, a right that is missing for a while, or a lock shows: none of it is about what was to be stored.
#[tokio::test]
async fn a_server_that_refuses_for_now_is_not_available_and_says_so_when_it_is_asked() {
    let Some(kept) = Kept::postgres().await else { return };
    let (_, target) = with_target(&kept).await;
    let mut above = sqlx::PgConnection::connect_with(&superuser(&kept.url)).await.unwrap();
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut above).await.unwrap();
    let role: String = sqlx::query_scalar("SELECT tableowner::text FROM pg_tables WHERE tablename = 'execution'")
        .fetch_one(&mut above)
        .await
        .unwrap();
    let read_only = format!("ALTER ROLE \"{role}\" IN DATABASE \"{database}\" SET default_transaction_read_only");
    let lock = format!("ALTER ROLE \"{role}\" IN DATABASE \"{database}\" SET lock_timeout");
    let refusals = [
        (format!("{read_only} = on"), format!("{read_only} = off")),
        (format!("REVOKE INSERT ON execution FROM \"{role}\""), format!("GRANT INSERT ON execution TO \"{role}\"")),
        ("ALTER TABLE execution RENAME TO hidden".to_owned(), "ALTER TABLE hidden RENAME TO execution".to_owned()),
        (format!("{lock} = '1ms'; BEGIN; LOCK TABLE execution"), format!("ROLLBACK; {lock} = 0")),
    ];
    for (refuse, permit) in refusals {
        above.execute(sqlx::AssertSqlSafe(refuse.clone())).await.unwrap();
        let store = another(&kept).await;
        let record = execution(&target);
        let refused = store.append_executions(std::slice::from_ref(&record)).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refuse}: {refused:?}");
        assert_eq!(store.ping().await.is_err(), refuse.contains("read_only"), "{refuse}");
        above.execute(sqlx::AssertSqlSafe(permit)).await.unwrap();
        another(&kept).await.append_executions(&[record]).await.unwrap();
    }
}
