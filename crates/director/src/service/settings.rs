//! What an Integration's settings must be.

use tidegate_model::{Direction, IncomingSettings, OutgoingSettings, Settings};

use super::Services;
use crate::rules::Rules;

impl Services {
    /// Notes every setting that is outside of what the operator allows, or that the Integration's way does not have.
    pub(super) fn settings(&self, rules: &mut Rules, direction: &Direction, settings: &Settings) {
        for (name, least, most) in settings.limits.outside(&self.run_bounds) {
            rules.expect(false, &format!("in.limits.{name}"), &format!("{least} to {most}, or nothing"));
        }
        match direction {
            Direction::Incoming => {
                let none = settings.outgoing == OutgoingSettings::default();
                rules.expect(none, "in.outgoing", "nothing: an INCOMING Integration calls no URL");
            }
            Direction::Outgoing { .. } => {
                let none = settings.incoming == IncomingSettings::default();
                rules.expect(none, "in.incoming", "nothing: an OUTGOING Integration is not called");
            }
        }
    }
}
