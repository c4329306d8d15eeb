//! The first administrator: configured, or made and written down once.

use std::sync::Arc;

use tidegate_credentials::{Administrator, ConfiguredAdministrator};
use tidegate_model::{AuditEntry, Clock, Error, Face, Json, Made, Randomness, Trace};
use tidegate_storage::Store;

use crate::config::{Config, Fault};
use crate::data_dir::{AdminFile, DataDir};
use crate::tell::tell;

/// Makes sure that there is one. A new one is in its file before it counts, so that no secret is ever lost.
pub(crate) async fn ensure(
    store: &Arc<dyn Store>,
    config: &Config,
    data_dir: Option<&DataDir>,
    issuer: &str,
    clock: &Arc<dyn Clock>,
    randomness: &Arc<dyn Randomness>,
) -> anyhow::Result<()> {
    let clients: Arc<tidegate_credentials::ClientStore> = store.clone();
    let configured = match &config.admin {
        Some((id, secret)) => Some(ConfiguredAdministrator::parse(&id.to_string(), secret.clone())?),
        None => None,
    };
    let prepared = Administrator::prepare(&*clients, configured.as_ref(), &**clock, &**randomness).await;
    let token_url = format!("{issuer}/oauth2/token");
    let Some(new) = prepared.map_err(contradiction)? else {
        return data_dir.map_or(Ok(()), |folder| folder.correct_token_url(&token_url));
    };
    let told = |new: &Administrator| -> Arc<tidegate_credentials::ClientStore> {
        let trace = Trace::of_system(Face::Cli, "createAdministrator");
        let made = Made::to("SystemAuth", new.id()).to_state(Json::of(&serde_json::json!({ "type": "ADMINISTRATOR" })));
        store.audited(vec![AuditEntry::of(&**clock, &**randomness, None, trace, made)])
    };
    if configured.is_none() {
        let Some(folder) = data_dir else {
            tracing::warn!("there is no administrator: set admin.client_id and admin.client_secret");
            return Ok(());
        };
        let admin =
            AdminFile { client_id: new.id().to_string(), client_secret: new.secret().reveal().to_owned(), token_url };
        let file = folder.write_admin(&admin)?;
        new.insert(&*told(&new)).await?;
        // It is kept: nobody needs to read it here.
        let _ = tell!("The administrator's credentials, shown this once and kept in {}:", file.display());
        let _ = tell!("  client id      {}\n  client secret  {}\n", admin.client_id, admin.client_secret);
        return Ok(());
    }
    new.insert(&*told(&new)).await.map_err(contradiction)?;
    Ok(())
}

/// The configured administrator is somebody else in the database.
fn contradiction(error: Error) -> anyhow::Error {
    match error {
        Error::InvalidOperation(what) => {
            let instead = "the credentials it was made with, or another client id";
            Fault::new("admin.client_id", what, instead).into()
        }
        other => other.into(),
    }
}
