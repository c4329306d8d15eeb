//! Sealing anew, under the operator's first key, whatever is sealed under another one.

use tidegate_model::Error;

use crate::contract::Store;
use crate::seal::{Sealer, place};

/// How many values are read at once.
const BATCH: u32 = 200;

/// How many values were sealed anew, of how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed anew.
    pub resealed: u64,
    /// Looked at.
    pub of: u64,
}

/// What a rotation did, by kind of value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The keys of tenants' secrets.
    pub data_keys: Resealed,
    /// Webhook keys.
    pub webhook_keys: Resealed,
    /// The keys that access tokens are signed with.
    pub signing_keys: Resealed,
}

/// Goes through everything that is sealed. Each value is a change of its own, so what was done stays done when it is ended in between,
/// and a second run goes on where the first one was. A value that changes meanwhile is left as it then is.
pub async fn rotate(store: &dyn Store, sealer: &Sealer) -> Result<Rotated, Error> {
    let mut done = Rotated::default();
    for row in store.signing_keys().await? {
        done.signing_keys.of += 1;
        if let Some(anew) = sealer.reseal(&place::signing_key(&row.id), &row.sealed)?
            && store.reseal_signing_key(&row.id, &row.sealed, &anew).await?
        {
            done.signing_keys.resealed += 1;
        }
    }
    let mut after = None;
    loop {
        let rows = store.data_keys(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.tenant.clone(), last.id));
        for row in &rows {
            done.data_keys.of += 1;
            if let Some(anew) = sealer.reseal(&place::data_key(&row.tenant, row.id), &row.sealed)?
                && store.reseal_data_key(&row.tenant, row.id, &row.sealed, &anew).await?
            {
                done.data_keys.resealed += 1;
            }
        }
    }
    let mut after = None;
    loop {
        let rows = store.all_webhook_keys(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.tenant.clone(), last.integration));
        for row in &rows {
            done.webhook_keys.of += 1;
            if let Some(anew) = sealer.reseal(&place::webhook_key(row.integration), &row.sealed)?
                && store.reseal_webhook_key(&row.tenant, row.integration, &row.sealed, &anew).await?
            {
                done.webhook_keys.resealed += 1;
            }
        }
    }
    Ok(done)
}
