//! The database of an outbox: PostgreSQL or SQLite.

use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Connection, Database, Pool, Postgres, Sqlite};
use tokio::time::timeout;
use twyla_runtime::sql::{Outbox, Refused};

/// The maximum time for the database to answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// A service's outbox in PostgreSQL or SQLite. Its tables must exist already.
pub(super) enum Store {
    Postgres(Outbox<Postgres>),
    Sqlite(Outbox<Sqlite>),
}

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreachable {
    #[error("no database: pass --database URL, or set DATABASE_URL")]
    Unnamed,
    #[error("unsupported database `{0}:`: use postgres:// or sqlite:")]
    Unsupported(String),
    #[error("the database did not answer within {} s", DEADLINE.as_secs())]
    Silent,
    #[error("the database can't be reached: {0}")]
    Failed(#[from] sqlx::Error),
}

/// Calls the same function for both databases.
macro_rules! of {
    ($store:ident, $outbox:ident => $what:expr) => {
        match $store {
            Store::Postgres($outbox) => $what,
            Store::Sqlite($outbox) => $what,
        }
    };
}

/// Returns a pool whose database has answered once.
async fn pool<DB: Database>(url: &str) -> Result<Pool<DB>, Unreachable> {
    // try one connection first: a pool would retry until its deadline, and then not report why
    let connection = timeout(DEADLINE, DB::Connection::connect(url)).await.map_err(|_| Unreachable::Silent)??;
    // the database has answered, even if closing the connection fails
    let _ = connection.close().await;
    Ok(PoolOptions::new().max_connections(1).acquire_timeout(DEADLINE).connect(url).await?)
}

impl Store {
    pub(super) async fn open(url: Option<&str>) -> Result<Self, Unreachable> {
        let url = url.ok_or(Unreachable::Unnamed)?;
        match url.split(':').next().unwrap_or_default() {
            "postgres" | "postgresql" => Ok(Self::Postgres(Outbox::of_tables(pool(url).await?))),
            "sqlite" => Ok(Self::Sqlite(Outbox::of_tables(pool(url).await?))),
            // show the URL only if it has a scheme: a text before another colon may be a password
            other if url.contains("://") => Err(Unreachable::Unsupported(other.to_owned())),
            _ => Err(Unreachable::Unsupported(String::new())),
        }
    }

    pub(super) async fn counts(&self) -> Result<(u64, u64), sqlx::Error> {
        of!(self, outbox => outbox.counts().await)
    }

    pub(super) async fn refused(&self) -> Result<Vec<Refused>, sqlx::Error> {
        of!(self, outbox => outbox.refused(usize::MAX).await)
    }

    pub(super) async fn body(&self, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
        of!(self, outbox => outbox.refused_body(id).await)
    }

    pub(super) async fn retry(&self, id: i64) -> Result<bool, sqlx::Error> {
        of!(self, outbox => outbox.retry_refused(id).await)
    }

    pub(super) async fn drop(&self, id: i64) -> Result<bool, sqlx::Error> {
        of!(self, outbox => outbox.drop_refused(id).await)
    }
}
