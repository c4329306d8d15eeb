//! The second secret of a client, while the first is being replaced.

use tidegate_model::{Client, ClientId, ClientSecret, ClientSecretId, Error};

use super::super::dialect::Connection;
use super::clients::{KIND, belonging, columns, read};
use super::{Database, audit, micros};
use crate::contract::OwnerKind;
use crate::fault::Fault;

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM client WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL)",
        dialect!(exclusively));
    ADD = concat!("UPDATE client SET second_secret = $4, second_secret_id = $5, second_secret_created_at = $6 \
        WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL) RETURNING ", columns!());
    REMOVE_SECOND = concat!("UPDATE client \
        SET second_secret = NULL, second_secret_id = NULL, second_secret_created_at = NULL \
        WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL) RETURNING ", columns!());
    REMOVE_FIRST = concat!("UPDATE client \
        SET secret = second_secret, secret_id = second_secret_id, secret_created_at = second_secret_created_at, \
        second_secret = NULL, second_secret_id = NULL, second_secret_created_at = NULL \
        WHERE id = $1 AND owner_kind = $2 AND (tenant = $3 OR $3 IS NULL) RETURNING ", columns!());
}

pub(super) async fn add(
    db: &Database,
    id: ClientId,
    belongs: &OwnerKind,
    secret: &ClientSecret,
) -> Result<Client, Fault> {
    let mut change = db.change_as(belongs.tenant()).await?;
    if hold(&mut change, id, belongs).await?.secrets.second.is_some() {
        return Err(Error::InvalidOperation("the client has two secrets: remove one of them first".to_owned()).into());
    }
    let add =
        belonging(ADD, id, belongs).bind(secret.hash.0.to_vec()).bind(secret.id.0).bind(micros(secret.created_at));
    let client = read(&add.fetch_one(&mut *change).await?)?;
    audit::commit(db, change).await?;
    Ok(client)
}

pub(super) async fn remove(
    db: &Database,
    id: ClientId,
    belongs: &OwnerKind,
    secret: ClientSecretId,
) -> Result<Client, Fault> {
    let mut change = db.change_as(belongs.tenant()).await?;
    let secrets = hold(&mut change, id, belongs).await?.secrets;
    let statement = match secrets.second {
        Some(second) if second.id == secret => REMOVE_SECOND,
        Some(_) if secrets.first.id == secret => REMOVE_FIRST,
        None if secrets.first.id == secret => {
            let only = "this is the client's only secret: add another one first, or delete the client";
            return Err(Error::InvalidOperation(only.to_owned()).into());
        }
        _ => return Err(Error::not_found("ClientSecret", secret).into()),
    };
    let client = read(&belonging(statement, id, belongs).fetch_one(&mut *change).await?)?;
    audit::commit(db, change).await?;
    Ok(client)
}

/// Finds a client, and keeps others from changing it until this transaction ends.
async fn hold(connection: &mut Connection, id: ClientId, belongs: &OwnerKind) -> Result<Client, Fault> {
    let held = belonging(FIND, id, belongs).fetch_optional(connection).await?;
    read(&held.ok_or_else(|| Error::not_found(KIND, id))?)
}
