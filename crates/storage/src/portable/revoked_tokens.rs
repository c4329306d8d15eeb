//! Access tokens that ended before their time.

use tidegate_model::{ClientId, Timestamp, TokenId};

use super::{Database, micros, sql};
use crate::fault::{Fault, dangling};

statements! {
    INSERT = "INSERT INTO revoked_token (id, client, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    // A few at a time, so that no revocation waits for those of a whole day.
    FORGET = "DELETE FROM revoked_token WHERE id IN (SELECT id FROM revoked_token WHERE expires_at < $1 LIMIT 100)";
    IS_LIVE = "SELECT id FROM client WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM revoked_token WHERE id = $2)";
}

/// Revokes one, and forgets some that have expired since.
pub(super) async fn insert(
    db: &Database,
    token: TokenId,
    client: ClientId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut change = db.change().await?;
    sql(FORGET).bind(micros(now)).execute(&mut *change).await?;
    let insert = sql(INSERT).bind(token.0).bind(client.0).bind(micros(expires_at)).execute(&mut *change).await;
    insert.map_err(|e| dangling(e.into(), || tidegate_model::Error::not_found("Client", client)))?;
    change.commit().await?;
    Ok(())
}

pub(super) async fn is_live(db: &Database, client: ClientId, token: TokenId) -> Result<bool, Fault> {
    Ok(sql(IS_LIVE).bind(client.0).bind(token.0).fetch_optional(&mut *db.reads().await?).await?.is_some())
}
