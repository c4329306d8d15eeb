//! Deliveries: the debts of the platform. One per event and matching Integration, until it has arrived or is dead.

use serde::{Deserialize, Serialize};

use crate::{DeliveryOrdering, Event, Execution, HttpMethod, Json, Timestamp};

/// The call that core logic asked for; made once by the script, attempted until it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// The method.
    pub method: HttpMethod,
    /// Absolute; of a GET with the body in its query.
    pub url: String,
    /// The script's headers: name to text.
    pub headers: Json,
    /// Of a POST: a JSON object.
    pub body: Option<Json>,
}

/// A delivery as whoever makes it holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The record so far; its id is the delivery's, its status is open.
    pub execution: Execution,
    /// Which Integration, event and object: as in the record.
    pub event: Event,
    /// What to call; `None` until the scripts have run.
    pub plan: Option<PlannedCall>,
    /// When it is due.
    pub next_at: Timestamp,
    /// Whether it waits until those before it about its object have ended: its Integration's setting when it was made.
    pub ordering: DeliveryOrdering,
}
