//! What an Integration's settings must be.

use tidegate_model::{
    CredentialKind, Direction, Error, HttpMethod, IncomingSettings, OutgoingSettings, Settings, TenantId,
};

use super::material::makes_standard_webhooks;
use super::signatures::is_header_name;
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
        let incoming = &settings.incoming;
        let few = incoming.concurrency.is_none_or(|calls| (1..=IncomingSettings::MAX_CONCURRENCY).contains(&calls));
        rules.expect(few, "in.incoming.concurrency", "1 to 10000, or nothing");
        let headers = &settings.masked_headers;
        let names = headers.len() <= Settings::MAX_MASKED_HEADERS && headers.iter().all(|name| is_header_name(name));
        rules.expect(names, "in.maskedHeaders", "at most 32 names of headers");
        match direction {
            Direction::Incoming => {
                let none = settings.outgoing == OutgoingSettings::default();
                rules.expect(none, "in.outgoing", "nothing: an INCOMING Integration calls no URL");
                self.body_schema(rules, &mut settings.incoming);
                if let Some(signature) = signature {
                    settings.incoming.signature = self.signature(rules, tenant, method, signature).await?;
                }
            }
            Direction::Outgoing { .. } => {
                self.outgoing(rules, tenant, &settings.outgoing).await?;
                let none = signature.is_none() && settings.incoming == IncomingSettings::default();
                rules.expect(none, "in.incoming", "nothing: an OUTGOING Integration is not called");
            }
        }
        Ok(settings)
    }

    /// Notes what is outside of what the operator allows, and credentials that are not there or do not fit.
    async fn outgoing(&self, rules: &mut Rules, tenant: &TenantId, outgoing: &OutgoingSettings) -> Result<(), Error> {
        for (name, expected) in outgoing.outside(&self.call_bounds) {
            rules.expect(false, &format!("in.outgoing.{name}"), &expected);
        }
        if let Some(name) = &outgoing.credential {
            let material = self.safe.find_named(tenant, name).await?.map(|kept| kept.open.material);
            let fits = material.is_some_and(|material| material.kind() != CredentialKind::Signing);
            let expected = "the name of a credential of kind BASIC, BEARER, HEADER or OAUTH2 of this tenant";
            rules.expect(fits, "in.outgoing.credential", expected);
        }
        let names = &outgoing.signing_credentials;
        let few = names.len() <= OutgoingSettings::MAX_SIGNING_CREDENTIALS;
        rules.expect(few, "in.outgoing.signingCredentials", "at most 2 names of credentials");
        for (i, name) in names.iter().enumerate().take(OutgoingSettings::MAX_SIGNING_CREDENTIALS) {
            let material = self.safe.find_named(tenant, name).await?.map(|kept| kept.open.material);
            let fits =
                material.is_some_and(|material| makes_standard_webhooks(&material)) && !names[..i].contains(name);
            let expected = "the name of a credential of kind SIGNING of this tenant, with secrets that are whsec_ and base64, each once";
            rules.expect(fits, &format!("in.outgoing.signingCredentials[{i}]"), expected);
        }
        Ok(())
    }

    fn body_schema(&self, rules: &mut Rules, incoming: &mut IncomingSettings) {
        let asked = incoming.body_schema.is_some();
        incoming.body_schema = self.schema(rules, "in.incoming.bodySchema", incoming.body_schema.take());
        let checkable = !incoming.check_body || asked;
        rules.expect(checkable, "in.incoming.checkBody", "false, or in.incoming.bodySchema to check with");
    }
}
