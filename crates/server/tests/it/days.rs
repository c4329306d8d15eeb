//! Records by day, where the database keeps them so.

use chrono::{Days, Utc};
use sqlx::PgPool;

use crate::harness::{Mode, Tidegate, eventually};

const DAYS: &str = "SELECT part FROM execution_places() WHERE low IS NOT NULL ORDER BY low";

async fn days(database: &PgPool) -> Vec<String> {
    sqlx::query_scalar(DAYS).fetch_all(database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_made_ahead_and_dropped_when_they_are_past_retention() {
    let Some(mut running) = Tidegate::start(Mode::OnServers).await else { return };
    let database = PgPool::connect(&running.servers.as_ref().unwrap().database).await.unwrap();
    eventually("the day after tomorrow is there", || {
        let name = (Utc::now() + Days::new(2)).format("execution_%Y%m%d").to_string();
        let days = days(&database);
        async move { days.await.contains(&name).then_some(()) }
    })
    .await;
    running.stop().await;
    // A day long past, as there will be one when days were made for more than thirty of them.
    let past = "ALTER TABLE execution DETACH PARTITION execution_before; \
        ALTER TABLE execution ATTACH PARTITION execution_before FOR VALUES FROM (MINVALUE) TO (first_id_of_day(20000)); \
        SELECT make_execution_day(20000)";
    sqlx::raw_sql(past).execute(&database).await.unwrap();
    assert!(days(&database).await.contains(&"execution_20241004".to_owned()));
    running.resume().await;
    eventually("it is dropped", || {
        let days = days(&database);
        async move { (!days.await.contains(&"execution_20241004".to_owned())).then_some(()) }
    })
    .await;
}
