//! A pool whose places come back in bounded time.
//!
//! The driver asks each connection that is given back whether it is still there, and waits for the answer without end: where the server went
//! silent, as a cut cable leaves it, the connection would keep its place until the system gives it up, which takes a quarter of an hour.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Database, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use super::super::dialect::{self, Connection, Db, Pool};

type Manager = <Db as Database>::TransactionManager;

/// The places.
#[derive(Clone)]
pub(crate) struct Places(Pool);

impl Places {
    pub(crate) fn of(pool: Pool) -> Self {
        Self(pool)
    }

    /// Waits for a place, and has a connection in it.
    pub(crate) async fn take(&self) -> sqlx::Result<Place> {
        Ok(Place { connection: Some(self.0.acquire().await?) })
    }

    /// Begins a transaction with this statement.
    pub(crate) async fn begin(&self, statement: impl SqlSafeStr) -> sqlx::Result<Transaction> {
        let mut place = self.take().await?;
        Manager::begin(&mut place, Some(statement.into_sql_str())).await?;
        Ok(Transaction { place, open: true })
    }

    /// Closes all of them, as they become free.
    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// A connection, which goes back to its place when this is dropped.
pub(crate) struct Place {
    /// There until then.
    connection: Option<PoolConnection<Db>>,
}

impl Deref for Place {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("given back on drop alone")
    }
}

impl DerefMut for Place {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("given back on drop alone")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            dialect::give_back(connection);
        }
    }
}

/// A transaction. Dropped without a commit, it never was.
pub(crate) struct Transaction {
    place: Place,
    open: bool,
}

impl Transaction {
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        Manager::commit(&mut self.place).await?;
        self.open = false;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.place
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.place
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open {
            // It is only noted here, and said to the server on the way back to the place.
            Manager::start_rollback(&mut self.place);
        }
    }
}
