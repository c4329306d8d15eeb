//! The keys that access tokens are signed with, and whether there is anybody to sign for.

use uuid::Uuid;

use super::super::dialect::Row;
use super::row::Columns;
use super::{Database, micros, sql};
use crate::contract::SigningKeyRow;
use crate::fault::Fault;

statements! {
    HAS_ADMINISTRATOR = "SELECT id FROM client WHERE COALESCE(integration_system, application, runtime) IS NULL \
        AND owner_kind = 'ADMINISTRATOR' LIMIT 1";
    LIST = "SELECT id, sealed, created_at FROM signing_key ORDER BY created_at DESC, id DESC";
    // Two processes that make a key at once meet at this row: the second waits, then sees the first one's key.
    MEET = "INSERT INTO lease (name, holder, leased_until) VALUES ('signing_key', $1, 0) \
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder";
    INSERT = "INSERT INTO signing_key (id, sealed, created_at) SELECT $1, $2, $3 \
        WHERE COALESCE((SELECT id FROM signing_key ORDER BY created_at DESC, id DESC LIMIT 1), '') = $4";
    DELETE = "DELETE FROM signing_key WHERE id = $1";
}

pub(super) async fn has_administrator(db: &Database) -> Result<bool, Fault> {
    Ok(sql(HAS_ADMINISTRATOR).fetch_optional(&mut *db.reads().await?).await?.is_some())
}

pub(super) async fn list(db: &Database) -> Result<Vec<SigningKeyRow>, Fault> {
    sql(LIST).fetch_all(&mut *db.reads().await?).await?.iter().map(read).collect()
}

pub(super) async fn insert(db: &Database, key: &SigningKeyRow, newest: Option<&str>) -> Result<bool, Fault> {
    let mut change = db.change().await?;
    sql(MEET).bind(Uuid::nil()).execute(&mut *change).await?;
    let insert = sql(INSERT).bind(key.id.as_str()).bind(key.sealed.as_slice()).bind(micros(key.created_at));
    let inserted = insert.bind(newest.unwrap_or_default()).execute(&mut *change).await?.rows_affected() > 0;
    change.commit().await?;
    Ok(inserted)
}

pub(super) async fn delete(db: &Database, id: &str) -> Result<(), Fault> {
    sql(DELETE).bind(id).execute(&mut *db.writes().await?).await?;
    Ok(())
}

fn read(row: &Row) -> Result<SigningKeyRow, Fault> {
    let columns = Columns::of("signing_key", row);
    Ok(SigningKeyRow {
        id: columns.get("id")?,
        sealed: columns.get("sealed")?,
        created_at: columns.time("created_at")?,
    })
}
