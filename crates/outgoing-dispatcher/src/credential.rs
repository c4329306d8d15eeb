//! The destination's credential: attached to the call, kept out of the record.

use tidegate_engine::{Attach, EgressError, NotAttached, NotSent, Request, Response};
use tidegate_model::contract::Vault;
use tidegate_model::kept::MASK;
use tidegate_model::{Error, Material, TenantId};

use crate::signing::Wanting;

/// The credential that goes with a call.
pub(crate) struct Companion {
    name: String,
    /// Where it stands, in lower case.
    header: String,
}

impl Companion {
    /// The tenant's credential of this name.
    pub(crate) async fn find(vault: &dyn Vault, tenant: &TenantId, name: &str) -> Result<Self, Wanting> {
        let open = match vault.credential(tenant, name).await {
            Ok(Some(open)) => open,
            Ok(None) => return Err(Wanting::Amiss(NotAttached::Unknown(name.to_owned()).to_string())),
            Err(error) => return Err(Wanting::of(&error, name)),
        };
        let header = match &open.material {
            Material::Header { name, .. } => name.to_ascii_lowercase(),
            Material::Signing { .. } => {
                return Err(Wanting::Amiss(NotAttached::OnlySigns(name.to_owned()).to_string()));
            }
            Material::Basic { .. } | Material::Bearer { .. } | Material::OAuth2(_) => "authorization".to_owned(),
        };
        Ok(Self { name: name.to_owned(), header })
    }

    /// The headers as they are on record: its own masked, in the place of one that the script gave.
    pub(crate) fn masked(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let others = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(&self.header)).cloned();
        others.chain([(self.header.clone(), MASK.to_owned())]).collect()
    }

    /// Makes the call with it, within the call's time all in all, a new token for a refused one included. What comes back holds nothing of
    /// it.
    pub(crate) async fn send(&self, attach: &Attach, tenant: &TenantId, call: Request) -> Result<Response, NotSent> {
        let timeout = call.timeout;
        let answered = tokio::time::timeout(timeout, attach.send(tenant, &self.name, call)).await;
        let (response, attached) = answered.unwrap_or(Err(NotSent::Egress(EgressError::TimedOut(timeout))))?;
        Ok(attached.masked(response))
    }
}

/// Whether there was no call because the vault did not answer.
pub(crate) fn is_vaults(why: &NotSent) -> bool {
    matches!(
        why,
        NotSent::NotAttached(NotAttached::Vault { error: Error::Unavailable(_) | Error::Internal { .. }, .. })
    )
}
