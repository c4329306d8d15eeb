//! Reading rows by column, so that a bad one names table, column and id.

use sqlx::{Decode, Row as _, Type};
use tidegate_model::{Json, Timestamp};
use uuid::Uuid;

use super::super::dialect::{Db, Row};
use crate::body;
use crate::fault::Fault;

/// The columns of one row.
pub(crate) struct Columns<'r> {
    table: &'static str,
    row: &'r Row,
}

impl<'r> Columns<'r> {
    /// Reads a row of `table`; its column `id`, where it has one, names it in the log.
    pub(crate) fn of(table: &'static str, row: &'r Row) -> Self {
        Self { table, row }
    }

    /// A column as the driver reads it.
    pub(crate) fn get<T: Decode<'r, Db> + Type<Db>>(&self, column: &'static str) -> Result<T, Fault> {
        self.row.try_get(column).map_err(|e| self.bad(column, e))
    }

    /// A text column that must be readable as `T`.
    pub(crate) fn word<T, E>(&self, column: &'static str, read: impl FnOnce(String) -> Result<T, E>) -> Result<T, Fault>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        read(self.get(column)?).map_err(|e| self.bad(column, e))
    }

    /// A text that obeys the rule of its type.
    pub(crate) fn text<T>(&self, column: &'static str) -> Result<T, Fault>
    where
        T: TryFrom<String, Error: std::error::Error + Send + Sync + 'static>,
    {
        self.word(column, T::try_from)
    }

    /// An instant.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, Fault> {
        let micros: i64 = self.get(column)?;
        Timestamp::from_timestamp_micros(micros).ok_or_else(|| self.bad(column, format!("no time: {micros}")))
    }

    /// An instant or none.
    pub(crate) fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, Fault> {
        match self.get::<Option<i64>>(column)? {
            None => Ok(None),
            Some(_) => self.time(column).map(Some),
        }
    }

    /// JSON that was checked when it came in.
    pub(crate) fn json(&self, column: &'static str) -> Result<Json, Fault> {
        Ok(Json::trusted(self.get::<String>(column)?))
    }

    /// A packed body.
    pub(crate) fn body<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, Fault> {
        body::unpack(self.get::<&[u8]>(column)?).map_err(|e| self.bad(column, e))
    }

    /// Exactly 32 bytes.
    pub(crate) fn hash(&self, column: &'static str) -> Result<[u8; 32], Fault> {
        <[u8; 32]>::try_from(self.get::<&[u8]>(column)?).map_err(|e| self.bad(column, e))
    }

    /// Says that this column cannot be read.
    pub(crate) fn bad(
        &self,
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Fault {
        let id = (self.row.try_get::<Uuid, _>("id").map(|id| id.to_string()))
            .or_else(|_| self.row.try_get::<String, _>("id"))
            .unwrap_or_else(|_| "?".to_owned());
        Fault::BadRow { table: self.table, column, id, source: source.into() }
    }
}
