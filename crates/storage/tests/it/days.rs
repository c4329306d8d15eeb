//! Records by day, each day's in a table of its own: PostgreSQL alone.

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::{PgPool, Row as _};
use tidegate_model::{Execution, ExecutionId, Integration, ManualClock, SystemRandomness, Timestamp};
use tidegate_storage::{Options, open};
use tokio::time::timeout;

use crate::harness::Kept;
use crate::intake::with_target;
use crate::samples::{execution, incoming, tenant_id};

/// Much longer than anything here takes.
const BOUND: Duration = Duration::from_mins(1);

/// Noon of a day that no clock has come to, and of those after it.
pub(crate) fn noon(day: i64) -> Timestamp {
    Timestamp::from_timestamp(4_102_488_000, 0).unwrap() + TimeDelta::days(day)
}

/// The beginning of the same days.
fn morning(day: i64) -> Timestamp {
    noon(day) - TimeDelta::hours(12)
}

/// A record of a run that began then.
pub(crate) fn record(integration: &Integration, began: Timestamp) -> Execution {
    let id = ExecutionId::generate(&ManualClock::new(began), &SystemRandomness);
    Execution { id, started_at: began, ..execution(integration) }
}

/// A store with an Integration, and its database.
async fn with_pool() -> Option<(Kept, Integration, PgPool)> {
    let kept = Kept::postgres().await?;
    let (_, target) = with_target(&kept).await;
    let pool = PgPool::connect(&kept.url.to_string()).await.unwrap();
    Some((kept, target, pool))
}

pub(crate) async fn days(pool: &PgPool) -> Vec<String> {
    let days = "SELECT part FROM execution_places() WHERE low IS NOT NULL ORDER BY low";
    sqlx::query_scalar(days).fetch_all(pool).await.unwrap()
}

pub(crate) async fn place(pool: &PgPool, record: &Execution) -> Option<String> {
    let place = "SELECT tableoid::regclass::text FROM execution WHERE id = $1";
    sqlx::query_scalar(place).bind(record.id.0).fetch_optional(pool).await.unwrap()
}

/// Makes the days of then, and three more, however busy the server is.
async fn make(kept: &Kept, pool: &PgPool, now: Timestamp) {
    let name = (now + TimeDelta::days(3)).format("execution_%Y%m%d").to_string();
    let all = async {
        while !days(pool).await.contains(&name) {
            kept.store.make_days(now).await.unwrap();
        }
    };
    timeout(BOUND, all).await.unwrap();
}

/// Drops one day, however busy the server is.
async fn drop_one(kept: &Kept, before: Timestamp) {
    let one = async { while kept.store.drop_days(before).await.unwrap() == 0 {} };
    timeout(BOUND, one).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_made_ahead_and_once_although_two_make_them() {
    let Some((kept, _, pool)) = with_pool().await else { return };
    let options = Options { url: kept.url.clone(), max_connections: 2, clock: kept.clock.clone() };
    let other = open(&options).await.unwrap().store;
    let mut made = 0;
    let all = async {
        while days(&pool).await.len() < 4 {
            let (one, another) = tokio::join!(kept.store.make_days(noon(0)), other.make_days(noon(0)));
            made += one.unwrap() + another.unwrap();
        }
    };
    timeout(BOUND, all).await.unwrap();
    assert_eq!(made, 4);
    let expected = ["execution_21000101", "execution_21000102", "execution_21000103", "execution_21000104"];
    assert_eq!(days(&pool).await, expected);
    assert_eq!(kept.store.make_days(noon(0)).await.unwrap(), 0);
    assert_eq!(kept.store.make_days(kept.now()).await.unwrap(), 0, "from before there were days");
}

#[tokio::test]
async fn a_record_lies_on_the_day_that_its_id_says() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    let moment = TimeDelta::milliseconds(1);
    let expected = [
        (kept.now(), "execution_before"),
        (morning(0) - moment, "execution_other"),
        (morning(0), "execution_21000101"),
        (morning(1) - moment, "execution_21000101"),
        (morning(1), "execution_21000102"),
        (morning(4), "execution_other"),
    ];
    for (began, name) in expected {
        let record = record(&target, began);
        kept.store.append_executions(&[record.clone(), record.clone()]).await.unwrap();
        assert_eq!(place(&pool, &record).await.as_deref(), Some(name), "{began}");
        assert_eq!(kept.store.execution(&record.tenant, record.id).await.unwrap(), Some(record));
    }
}

#[tokio::test]
async fn retention_drops_a_whole_day_and_keeps_what_is_younger() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    let records: Vec<_> = (0..3).map(|day| record(&target, noon(day))).collect();
    kept.store.append_executions(&records).await.unwrap();
    assert_eq!(kept.store.drop_days(morning(1) - TimeDelta::microseconds(1)).await.unwrap(), 0, "the day is not over");
    drop_one(&kept, morning(1)).await;
    assert_eq!(days(&pool).await, ["execution_21000102", "execution_21000103", "execution_21000104"]);
    assert_eq!(place(&pool, &records[0]).await, None);
    // A day's records go together.
    assert_eq!(kept.store.drop_days(noon(1) + TimeDelta::hours(1)).await.unwrap(), 0);
    assert_eq!(kept.store.prune_executions(noon(1) + TimeDelta::hours(1), 10).await.unwrap(), 0);
    assert!(place(&pool, &records[1]).await.is_some() && place(&pool, &records[2]).await.is_some());
    // All that are over go in one call, as far as nobody is in the way.
    let both = async {
        while days(&pool).await.len() > 1 {
            kept.store.drop_days(morning(3)).await.unwrap();
        }
    };
    timeout(BOUND, both).await.unwrap();
    assert_eq!(days(&pool).await, ["execution_21000104"]);
}

#[tokio::test]
async fn a_day_with_a_young_record_stays_and_its_old_ones_go_one_by_one_a_day_later() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    let (old, mut young) = (record(&target, noon(0)), record(&target, noon(0)));
    young.started_at = noon(2);
    kept.store.append_executions(&[old.clone(), young.clone()]).await.unwrap();
    for before in [morning(1), morning(2) - TimeDelta::milliseconds(1)] {
        assert_eq!(kept.store.drop_days(before).await.unwrap(), 0);
        assert_eq!(kept.store.prune_executions(before, 10).await.unwrap(), 0);
    }
    assert_eq!(kept.store.drop_days(morning(2)).await.unwrap(), 1, "the second day, which is empty");
    assert_eq!(kept.store.prune_executions(morning(2), 10).await.unwrap(), 1);
    assert_eq!((place(&pool, &old).await, place(&pool, &young).await.is_some()), (None, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_for_long_keeps_nobody_from_writing() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    kept.store.append_executions(&[record(&target, noon(0))]).await.unwrap();
    let mut reader = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    let all = "SELECT COUNT(*) FROM execution";
    assert_eq!(sqlx::query_scalar::<_, i64>(all).fetch_one(&mut *reader).await.unwrap(), 1);
    for _ in 0..5 {
        let record = [record(&target, noon(0))];
        let (dropped, made, appended) = tokio::join!(
            kept.store.drop_days(morning(1)),
            kept.store.make_days(noon(1)),
            kept.store.append_executions(&record),
        );
        appended.unwrap();
        assert_eq!((dropped.unwrap(), made.unwrap()), (0, 0), "both are left for another time");
        assert!(place(&pool, &record[0]).await.is_some());
    }
    assert_eq!(sqlx::query_scalar::<_, i64>(all).fetch_one(&mut *reader).await.unwrap(), 1, "it still reads");
    reader.commit().await.unwrap();
    drop_one(&kept, morning(1)).await;
    make(&kept, &pool, noon(1)).await;
}

#[tokio::test]
async fn a_record_of_a_day_that_is_gone_is_kept_and_goes_as_any_other() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    drop_one(&kept, morning(1)).await;
    let late = record(&target, noon(0));
    kept.store.append_executions(std::slice::from_ref(&late)).await.unwrap();
    assert_eq!(place(&pool, &late).await.as_deref(), Some("execution_other"));
    assert_eq!(kept.store.execution(&late.tenant, late.id).await.unwrap().as_ref(), Some(&late));
    assert_eq!(kept.store.prune_executions(morning(1), 10).await.unwrap(), 1);
    assert_eq!(place(&pool, &late).await, None);
}

#[tokio::test]
async fn what_came_before_its_day_was_made_moves_there() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    let early = [record(&target, noon(2)), record(&target, noon(9))];
    kept.store.append_executions(&early).await.unwrap();
    make(&kept, &pool, noon(0)).await;
    assert_eq!(place(&pool, &early[0]).await.as_deref(), Some("execution_21000103"));
    assert_eq!(place(&pool, &early[1]).await.as_deref(), Some("execution_other"));
    kept.store.append_executions(&early).await.unwrap();
    let (a, all) = (tenant_id("a"), tidegate_model::ExecutionFilter::default());
    assert_eq!(kept.store.count_executions(&a, &all).await.unwrap(), 2, "each is there once");
}

#[tokio::test]
async fn a_day_of_which_much_came_before_it_was_made_is_left_where_it_is() {
    let Some((kept, _, pool)) = with_pool().await else { return };
    let many = "INSERT INTO execution (id, tenant, integration, status, trigger, started_at, search, body) \
        SELECT (left(first_id_of($1)::text, 24) || lpad(n::text, 12, '0'))::uuid, 'a', gen_random_uuid(), 'SUCCESS', 'WEBHOOK', $1 * 1000, '', '' \
        FROM generate_series(1, 10001) AS n";
    sqlx::query(many).bind(noon(2).timestamp_millis()).execute(&pool).await.unwrap();
    make(&kept, &pool, noon(0)).await;
    assert_eq!(days(&pool).await, ["execution_21000101", "execution_21000102", "execution_21000104"]);
    // They go row by row, when the days before them are gone.
    for day in [1, 2] {
        drop_one(&kept, morning(day)).await;
    }
    assert_eq!(kept.store.prune_executions(morning(3), 20_000).await.unwrap(), 10_001);
}

#[tokio::test]
async fn the_wall_between_tenants_stands_around_each_day() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    let others = incoming(&tenant_id("b"), "others", target.core_logic);
    let times = [kept.now(), noon(0), noon(9)];
    let records: Vec<_> = times.iter().flat_map(|time| [record(&target, *time), record(&others, *time)]).collect();
    kept.store.append_executions(&records).await.unwrap();
    for part in ["execution", "execution_before", "execution_21000101", "execution_other"] {
        let mut a = pool.begin_with("BEGIN; SET LOCAL tidegate.tenant = 'a'").await.unwrap();
        let seen = sqlx::AssertSqlSafe(format!("SELECT COUNT(*), COUNT(*) FILTER (WHERE tenant = 'a') FROM {part}"));
        let seen = sqlx::query(seen).fetch_one(&mut *a).await.unwrap();
        let (all, own): (i64, i64) = (seen.get(0), seen.get(1));
        assert_eq!((all - own, own > 0), (0, true), "{part}");
    }
    for statement in ["SELECT drop_execution_day(9223372036854775807)", "SELECT make_execution_day(50000)"] {
        let mut a = pool.begin_with("BEGIN; SET LOCAL tidegate.tenant = 'a'").await.unwrap();
        let refused = sqlx::query(statement).execute(&mut *a).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_tenants_records_go_with_it_wherever_they_lie() {
    let Some((kept, target, pool)) = with_pool().await else { return };
    make(&kept, &pool, noon(0)).await;
    let records: Vec<_> = [kept.now(), noon(0), noon(9)].map(|time| record(&target, time)).to_vec();
    kept.store.append_executions(&records).await.unwrap();
    kept.store.delete_tenant(&target.tenant).await.unwrap().unwrap();
    for record in &records {
        assert_eq!(place(&pool, record).await, None);
    }
}
