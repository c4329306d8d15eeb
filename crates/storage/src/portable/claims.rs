//! Who works on which open delivery: leases that run out.

use tidegate_model::{Delivery, Json, Timestamp};
use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, counted, micros, order, sql};
use crate::body::OwnedDeliveryBody;
use crate::contract::Whose;
use crate::fault::Fault;

/// Leases what is due, of the Integrations that the condition on `$5` says.
macro_rules! claim {
    ($($whose:expr),+) => {
        // Materialized, so that the rows to lease are chosen once: a plan that asked again would lease more than `$4`.
        concat!(
            "WITH due AS MATERIALIZED (\
             SELECT tenant, id FROM delivery WHERE next_at <= $2 AND (leased_until IS NULL OR leased_until <= $2) \
             AND ", $($whose),+, " ORDER BY next_at, id LIMIT $4", dialect!(skip_locked), ") \
             UPDATE delivery SET holder = $1, leased_until = $3 WHERE (tenant, id) IN (SELECT tenant, id FROM due) \
             RETURNING id, next_at, place, body, \
             (SELECT e.body FROM event e WHERE e.tenant = delivery.tenant AND e.id = delivery.event_id) AS event"
        )
    };
}

statements! {
    CLAIM = claim!("integration NOT IN (", dialect!(ids), ")");
    CLAIM_OF = claim!("integration = $5");
    // Those that wait for another one come last, and are due at no time.
    NEXT_DUE = "SELECT next_at FROM delivery WHERE leased_until IS NULL AND next_at < $1 ORDER BY next_at LIMIT 1";
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
    let claim = |text| sql(text).bind(holder).bind(micros(now)).bind(micros(leased_until)).bind(i64::from(max));
    let claim = match whose {
        Whose::Of(integration) => claim(CLAIM_OF).bind(integration.0),
        Whose::AllBut(others) => claim(CLAIM).bind(Json::of(&others).to_string()),
    };
    let rows = claim.fetch_all(db.writes()).await?;
    let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_by_key(|delivery| (delivery.next_at, delivery.execution.id));
    Ok(claimed)
}

pub(super) async fn next_due(db: &Database) -> Result<Option<Timestamp>, Fault> {
    let row = sql(NEXT_DUE).bind(order::NEVER).fetch_optional(db.reads()).await?;
    row.map(|row| Columns::of("delivery", &row).time("next_at")).transpose()
}

pub(super) async fn release_all(db: &Database) -> Result<u64, Fault> {
    Ok(counted(i64::try_from(sql(RELEASE_ALL).execute(db.writes()).await?.rows_affected()).unwrap_or(i64::MAX)))
}

fn read(row: &Row) -> Result<Delivery, Fault> {
    let columns = Columns::of("delivery", row);
    let OwnedDeliveryBody { execution, plan } = columns.body("body")?;
    let ordering = order::kept(columns.get("place")?);
    Ok(Delivery { execution, event: columns.body("event")?, plan, next_at: columns.time("next_at")?, ordering })
}
