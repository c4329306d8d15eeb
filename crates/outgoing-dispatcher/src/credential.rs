//! The destination's credential: attached to the call, kept out of the record.

use tidegate_engine::{Answered, Attach, NotAttached, NotSent, Request, Response};
use tidegate_model::contract::Vault;
use tidegate_model::kept::MASK;
use tidegate_model::{Error, TenantId};

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
        let header = Attach::header_of(name, &open.material).map_err(|why| Wanting::Amiss(why.to_string()))?;
        Ok(Self { name: name.to_owned(), header })
    }

    /// The headers as they are on record: its own masked, in the place of one that the script gave.
    pub(crate) fn masked(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let others = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(&self.header)).cloned();
        others.chain([(self.header.clone(), MASK.to_owned())]).collect()
    }

    /// Makes the call with it, within the call's time all in all, a new token for a refused one included. What comes back holds nothing of
    /// it.
    pub(crate) async fn call(&self, attach: &Attach, tenant: &TenantId, call: Request) -> Result<Came, NotSent> {
        let Answered { response, attached, unrenewed } = attach.call(tenant, &self.name, call).await?;
        Ok(Came { response: attached.masked(response), unrenewed })
    }
}

/// What came back.
pub(crate) struct Came {
    pub(crate) response: Response,
    /// Why a call whose token was refused was not made once more, or had no answer then.
    pub(crate) unrenewed: Option<NotSent>,
}

impl From<Response> for Came {
    fn from(response: Response) -> Self {
        Self { response, unrenewed: None }
    }
}

/// Whether there was no call because the vault did not answer.
pub(crate) fn is_vaults(why: &NotSent) -> bool {
    matches!(
        why,
        NotSent::NotAttached(NotAttached::Vault { error: Error::Unavailable(_) | Error::Internal { .. }, .. })
    )
}
