//! Deliveries that wait, written into the database of a Tidegate that is stopped, as its intake writes them.

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection, PgPool, SqliteConnection, SqlitePool};
use tidegate_model::{
    Change, Clock as _, Delivery, Event, ExecutionId, Integration, IntegrationId, Json, SystemClock, SystemRandomness,
    TenantId, Timestamp,
};
use tidegate_storage::contract::Intake;
use tidegate_storage::{Options, open};
use uuid::Uuid;

use crate::ledger::Ledger;
use crate::load::order;
use crate::shared::ground::{Ground, file};
use crate::subject::{Subject, TENANT};

/// So many in one commit.
const BATCH: usize = 2_000;

/// Writes so many deliveries of the Integration of this number, the oldest first; answers the numbers of their events.
pub(crate) async fn fill(
    subject: &Subject,
    ledger: &Ledger,
    integration: usize,
    count: usize,
) -> std::ops::Range<usize> {
    let opened =
        open(&Options { url: subject.tidegate.ground.url(), max_connections: 4, clock: Arc::new(SystemClock) })
            .await
            .unwrap();
    let tenant: TenantId = TENANT.parse().unwrap();
    let id = IntegrationId(subject.integrations[integration].parse().unwrap());
    let integration = opened.store.integration(&tenant, id).await.unwrap().unwrap();
    let numbers = ledger.take(count);
    let kind = subject.integrations.iter().position(|known| *known == id.to_string()).unwrap();
    let mut next = numbers.clone().map(|number| delivery(&integration, kind, number)).peekable();
    while next.peek().is_some() {
        let deliveries: Vec<Delivery> = next.by_ref().take(BATCH).collect();
        let events = deliveries.into_iter().map(|delivery| (delivery.event.clone(), vec![delivery])).collect();
        let intake = Intake { events, ..Intake::default() };
        let (at, now) = (opened.store.intake_position().await.unwrap(), SystemClock.now());
        // Their lease is over as soon as it begins.
        opened.store.take_in(at, at, &intake, Uuid::nil(), now, now).await.unwrap().unwrap();
    }
    opened.store.close().await;
    numbers
}

fn delivery(integration: &Integration, kind: usize, number: usize) -> Delivery {
    let now: Timestamp = SystemClock.now();
    let event = Event {
        id: format!("event-{number}").parse().unwrap(),
        tenant: integration.tenant.clone(),
        object_type: format!("T{kind}").parse().unwrap(),
        object_id: number.to_string().parse().unwrap(),
        change: Change::Create { new: Json::trusted(order(number)) },
        time: now,
    };
    Delivery::open(event, integration, ExecutionId::generate(&SystemClock, &SystemRandomness), now)
}

/// Pauses the Integration of this number; nobody has a lease of what waits.
pub(crate) async fn pause(subject: &Subject, integration: usize) {
    let id: Uuid = subject.integrations[integration].parse().unwrap();
    let free = "UPDATE delivery SET holder = NULL, leased_until = NULL WHERE leased_until IS NOT NULL";
    let pause = "UPDATE integration SET paused_at = $2, pause_reason = 'GONE' WHERE id = $1";
    let now = SystemClock.now().timestamp_micros();
    match &subject.tidegate.ground {
        Ground::Sqlite(folder) => {
            let pool = SqlitePool::connect(&file(folder)).await.unwrap();
            sqlx::query(free).execute(&pool).await.unwrap();
            sqlx::query(pause).bind(id).bind(now).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Ground::Servers(servers) => {
            let pool = PgPool::connect(&servers.superuser).await.unwrap();
            sqlx::query(free).execute(&pool).await.unwrap();
            sqlx::query(pause).bind(id).bind(now).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

/// Whether there is something due of the Integration of this number that claims for everybody still meet.
pub(crate) async fn is_unmarked(subject: &Subject, integration: usize) -> bool {
    let id: Uuid = subject.integrations[integration].parse().unwrap();
    let unmarked = "SELECT 1 FROM delivery WHERE NOT parked AND next_at <= $2 AND integration = $1 LIMIT 1";
    let now = SystemClock.now().timestamp_micros();
    match &subject.tidegate.ground {
        Ground::Sqlite(folder) => {
            let mut one = SqliteConnection::connect(&file(folder)).await.unwrap();
            sqlx::query(unmarked).bind(id).bind(now).fetch_optional(&mut one).await.unwrap().is_some()
        }
        Ground::Servers(servers) => {
            let mut one = PgConnection::connect(&servers.superuser).await.unwrap();
            sqlx::query(unmarked).bind(id).bind(now).fetch_optional(&mut one).await.unwrap().is_some()
        }
    }
}
