//! When core logic is called: active, then the window, then enable logic (seed 002, CONTRACT section 5).

use crate::{Integration, SkipReason, Timestamp};

/// The first reason why this definition does not run at `now`; `None` leaves the decision to enable logic.
///
/// Both ends of the window are inclusive, an absent end is open.
pub fn skip_reason(integration: &Integration, now: Timestamp) -> Option<SkipReason> {
    if !integration.active {
        return Some(SkipReason::Inactive);
    }
    let begun = integration.effective_date.is_none_or(|start| start <= now);
    let ended = integration.expiry_date.is_some_and(|end| now > end);
    (!begun || ended).then_some(SkipReason::NotInEffect)
}
