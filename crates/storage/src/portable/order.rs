//! The order of deliveries about one object.
//!
//! A *chain* is what is open of one Integration about one object, where the Integration keeps an order; its members have places, which
//! grow. Only the first of a chain is ever due: the others are due at [`NEVER`], so that claims do not even see them, however many they
//! are. Whoever ends the first one lets the next one go, in the same transaction.
//!
//! Whoever adds to a chain and whoever takes from it exclude each other by the row that counts places: else one could be added behind a
//! first one that is just ending, and wait for good.

use tidegate_model::{Delivery, DeliveryOrdering};
use uuid::Uuid;

use super::super::bulk;
use super::super::dialect::{Connection, Row};
use super::row::Columns;
use super::{number, sql};
use crate::fault::Fault;

statements! {
    TAKE_PLACES = "UPDATE intake SET position = position + $1 WHERE name = 'places' RETURNING position";
    HOLD_PLACES = concat!("SELECT position FROM intake WHERE name = 'places'", dialect!(share));
    IS_OPEN = "SELECT id FROM delivery WHERE tenant = $1 AND integration = $2 AND object_type = $3 AND object_id = $4 \
        AND place IS NOT NULL LIMIT 1";
}

/// When a delivery is due that waits for another one.
pub(super) const NEVER: i64 = i64::MAX;

/// What the column says.
pub(super) fn kept(place: Option<i64>) -> DeliveryOrdering {
    if place.is_some() { DeliveryOrdering::PerObject } else { DeliveryOrdering::None }
}

/// Which deliveries follow each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chain {
    pub(crate) tenant: String,
    pub(crate) integration: Uuid,
    pub(crate) object_type: String,
    pub(crate) object_id: String,
}

/// A delivery that is no more.
pub(crate) struct Ended {
    pub(crate) id: Uuid,
    /// Where it stood in one.
    pub(crate) chain: Option<Chain>,
}

impl Ended {
    /// Reads a row of the table `delivery`.
    pub(crate) fn read(row: &Row) -> Result<Self, Fault> {
        let columns = Columns::of("delivery", row);
        let chain = match columns.get::<Option<i64>>("place")? {
            None => None,
            Some(_) => Some(Chain {
                tenant: columns.get("tenant")?,
                integration: columns.get("integration")?,
                object_type: columns.get("object_type")?,
                object_id: columns.get("object_id")?,
            }),
        };
        Ok(Self { id: columns.get("id")?, chain })
    }
}

/// Gives out as many places, and answers the one before them. Until the transaction ends, nobody else adds to a chain or takes from one.
pub(super) async fn take_places(connection: &mut Connection, count: usize) -> Result<i64, Fault> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(number(connection, sql(TAKE_PLACES).bind(count)).await? - count)
}

/// Whether one that is added must wait. Places are held.
pub(super) async fn is_open(connection: &mut Connection, delivery: &Delivery) -> Result<bool, Fault> {
    let (record, event) = (&delivery.execution, &delivery.event);
    let ask = sql(IS_OPEN)
        .bind(record.tenant.as_str())
        .bind(record.integration.0)
        .bind(event.object_type.as_str())
        .bind(event.object_id.as_str());
    Ok(ask.fetch_optional(connection).await?.is_some())
}

/// Lets those go that were behind these; answers whether there are any.
pub(super) async fn free(connection: &mut Connection, ended: &[Ended]) -> Result<bool, Fault> {
    let mut chains: Vec<_> = ended.iter().filter_map(|one| one.chain.clone()).collect();
    if chains.is_empty() {
        return Ok(false);
    }
    // In one order everywhere, so that two who end deliveries do not wait for each other in a circle.
    chains.sort();
    chains.dedup();
    sql(HOLD_PLACES).execute(&mut *connection).await?;
    Ok(bulk::free_firsts(connection, &chains).await? > 0)
}
