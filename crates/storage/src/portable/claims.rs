//! Who works on which open delivery: leases that run out.

use tidegate_model::{Delivery, IntegrationId, Json, Timestamp};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, micros, order, sql};
use crate::body::OwnedDeliveryBody;
use crate::contract::Whose;
use crate::fault::Fault;

statements! {
    // Materialized, so that the rows to lease are chosen once: a plan that asked again would lease more than `$4`.
    CLAIM = concat!(
        "WITH due AS MATERIALIZED (\
         SELECT tenant, id FROM delivery WHERE NOT parked AND next_at <= $2 AND (leased_until IS NULL OR leased_until <= $2) \
         ORDER BY next_at, id LIMIT $4", dialect!(skip_locked), ") ",
        claim_due!()
    );
    // By what is due, and not by Integration: what waits in the lanes already would be walked past.
    PARK = concat!(
        "WITH due AS MATERIALIZED (\
         SELECT tenant, id FROM delivery", dialect!(by_due), " WHERE NOT parked AND next_at <= $2 \
         AND (leased_until IS NULL OR leased_until <= $2) AND integration IN (", dialect!(listed), ") \
         ORDER BY next_at, id LIMIT $3", dialect!(skip_locked), ") \
         UPDATE delivery SET parked = TRUE, holder = NULL, leased_until = NULL WHERE (tenant, id) IN (SELECT tenant, id FROM due)"
    );
    // From one Integration to the next, and not from row to row.
    WAITING_LANES = "WITH RECURSIVE lane (integration) AS (\
        SELECT * FROM (SELECT integration FROM delivery WHERE parked ORDER BY integration LIMIT 1) AS first \
        UNION ALL SELECT (SELECT d.integration FROM delivery d WHERE d.parked AND d.integration > lane.integration \
        ORDER BY d.integration LIMIT 1) FROM lane WHERE lane.integration IS NOT NULL) \
        SELECT integration AS id FROM lane WHERE integration IS NOT NULL";
    // Those that wait for another one come last, and are due at no time.
    NEXT_DUE = "SELECT next_at FROM delivery WHERE NOT parked AND leased_until IS NULL AND next_at < $1 ORDER BY next_at LIMIT 1";
    RELEASE_ALL = "UPDATE delivery SET holder = NULL, leased_until = NULL WHERE leased_until IS NOT NULL";
}

pub(super) async fn claim(
    db: &Database,
    holder: Uuid,
    now: Timestamp,
    leased_until: Timestamp,
    max: u32,
    whose: Whose<'_>,
) -> Result<Vec<Delivery>, Fault> {
    let rows = match whose {
        Whose::Anybodys => {
            let claim = sql(CLAIM).bind(holder).bind(micros(now)).bind(micros(leased_until)).bind(i64::from(max));
            claim.fetch_all(&mut *db.writes().await?).await?
        }
        Whose::Of(lanes) => {
            let mut change = db.change().await?;
            let lanes: Vec<_> = within(max, lanes).collect();
            let rows = bulk::claim_of(&mut change, holder, (micros(now), micros(leased_until)), &lanes).await?;
            change.commit().await?;
            rows
        }
    };
    // One that cannot be read stays leased, and comes again when that has run out; the others do not wait for it.
    let mut claimed: Vec<_> = (rows.iter().map(read))
        .filter_map(|read| read.inspect_err(|fault| tracing::error!(?fault, "a delivery cannot be read")).ok())
        .collect();
    claimed.sort_by_key(|delivery| (delivery.next_at, delivery.execution.id));
    Ok(claimed)
}

/// As much of each as there is of `max`.
fn within(max: u32, lanes: &[(IntegrationId, u32)]) -> impl Iterator<Item = (Uuid, i64)> {
    let mut left = max;
    lanes.iter().map_while(move |(id, most)| {
        let some = left.min(*most);
        left -= some;
        (some > 0).then_some((id.0, i64::from(some)))
    })
}

pub(super) async fn park(db: &Database, of: &[IntegrationId], now: Timestamp, max: u32) -> Result<u64, Fault> {
    let park = sql(PARK).bind(Json::of(&of).to_string()).bind(micros(now)).bind(i64::from(max));
    Ok(park.execute(&mut *db.writes().await?).await?.rows_affected())
}

pub(super) async fn waiting_lanes(db: &Database) -> Result<Vec<IntegrationId>, Fault> {
    let rows = sql(WAITING_LANES).fetch_all(&mut *db.reads().await?).await?;
    rows.iter().map(|row| Columns::of("delivery", row).get("id").map(IntegrationId)).collect()
}

pub(super) async fn next_due(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let row = sql(NEXT_DUE).bind(order::NEVER).fetch_optional(&mut *db.reads().await?).await?;
    row.map(|row| Columns::of("delivery", &row).time("next_at")).transpose()
}

pub(super) async fn release_all(db: &Database) -> Result<u64, Fault> {
    Ok(counted(
        i64::try_from(sql(RELEASE_ALL).execute(&mut *db.writes().await?).await?.rows_affected()).unwrap_or(i64::MAX),
    ))
}

fn read(row: &Row) -> Result<Delivery, Fault> {
    let columns = Columns::of("delivery", row);
    let OwnedDeliveryBody { execution, plan } = columns.body("body")?;
    let ordering = order::kept(columns.get("place")?);
    Ok(Delivery { execution, event: columns.body("event")?, plan, next_at: columns.time("next_at")?, ordering })
}
