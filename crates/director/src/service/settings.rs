//! What an Integration's settings must be.

use tidegate_model::{Direction, Error, HttpMethod, OutgoingSettings, Settings, TenantId};

use super::{Services, SignatureInput};
use crate::rules::Rules;

impl Services {
    /// The settings with the signature that is asked for. Notes what is outside of what the operator allows, or what the Integration's way
    /// does not have.
    pub(super) async fn settings(
        &self,
        rules: &mut Rules,
        tenant: &TenantId,
        (direction, method): (&Direction, HttpMethod),
        mut settings: Settings,
        signature: Option<SignatureInput>,
    ) -> Result<Settings, Error> {
        for (name, least, most) in settings.limits.outside(&self.run_bounds) {
            rules.expect(false, &format!("in.limits.{name}"), &format!("{least} to {most}, or nothing"));
        }
        match direction {
            Direction::Incoming => {
                let none = settings.outgoing == OutgoingSettings::default();
                rules.expect(none, "in.outgoing", "nothing: an INCOMING Integration calls no URL");
                if let Some(signature) = signature {
                    settings.incoming.signature = self.signature(rules, tenant, method, signature).await?;
                }
            }
            Direction::Outgoing { .. } => {
                rules.expect(signature.is_none(), "in.incoming", "nothing: an OUTGOING Integration is not called");
            }
        }
        Ok(settings)
    }
}
