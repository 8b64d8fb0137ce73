//! A handler that works in a database transaction, for the tests of exactly-once effects.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use sqlx::pool::PoolOptions;
use sqlx::{Pool, Postgres, Sqlite};
use twyla_runtime::Meta;
use twyla_runtime::handler::{Argument, Failure, HandleFuture, Incoming, Parts, Registration};
use twyla_runtime::sql::{Dialect, Outbox, Tx};

use crate::{Here, Ping, Place, listener};

/// The options of the PostgreSQL that `cargo xtask test` has started.
pub fn postgres() -> sqlx::postgres::PgConnectOptions {
    let url = std::env::var("TWYLA_TEST_POSTGRES").expect("TWYLA_TEST_POSTGRES is not set: run `cargo xtask test`");
    url.parse().unwrap()
}

/// Creates a database for the test.
pub async fn sqlite() -> (tempfile::TempDir, Pool<Sqlite>) {
    let (dir, options) = sqlite_file();
    (dir, Pool::connect_with(options).await.unwrap())
}

/// The options of a database of the test's own.
pub fn sqlite_file() -> (tempfile::TempDir, sqlx::sqlite::SqliteConnectOptions) {
    let dir = tempfile::tempdir().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("db")).create_if_missing(true);
    (dir, options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal))
}

/// Creates a schema for the test.
pub async fn postgres_schema(test: &str) -> Pool<Postgres> {
    postgres_pool(test, PoolOptions::new()).await
}

/// Creates a schema for the test, and a pool with these options.
pub async fn postgres_pool(test: &str, pool: PoolOptions<Postgres>) -> Pool<Postgres> {
    let options = postgres();
    let admin = Pool::<Postgres>::connect_with(options.clone()).await.unwrap();
    let make = format!("DROP SCHEMA IF EXISTS {test} CASCADE; CREATE SCHEMA {test}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&admin).await.unwrap();
    pool.connect_with(options.options([("search_path", test)])).await.unwrap()
}

/// A handler that works in a transaction: it counts its calls, writes its number, and puts an answer into the outbox.
pub fn worker<P: Place, A: Place, DB: Works>(group: &'static str) -> Registration {
    Registration { needs: vec![Tx::<DB>::need().unwrap()], handle: work::<P, A, DB>, ..listener::<P>(group) }
}

/// The database operations of a test.
pub trait Works: Dialect {
    fn write(connection: &mut Self::Connection, n: i64) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    fn fail(connection: &mut Self::Connection) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! works {
    ($database:ty) => {
        impl Works for $database {
            async fn write(connection: &mut Self::Connection, n: i64) -> Result<(), sqlx::Error> {
                sqlx::query("INSERT INTO effects (n) VALUES ($1)")
                    .bind(n)
                    .persistent(false)
                    .execute(connection)
                    .await
                    .map(drop)
            }

            async fn fail(connection: &mut Self::Connection) -> Result<(), sqlx::Error> {
                sqlx::query("INSERT INTO nowhere (n) VALUES (1)").execute(connection).await.map(drop)
            }
        }
    };
}
works!(Sqlite);
works!(Postgres);

/// The state of such a handler.
pub struct Shop<DB: Dialect> {
    pub outbox: Outbox<DB>,
    pub calls: Arc<AtomicU32>,
    /// Makes the first call fail, and makes a statement of the second call fail with an ignored error.
    pub fail_first: bool,
}

impl<DB: Dialect> Clone for Shop<DB> {
    fn clone(&self) -> Self {
        Self { outbox: self.outbox.clone(), calls: self.calls.clone(), fail_first: self.fail_first }
    }
}

fn work<P: Place, A: Place, DB: Works>(incoming: Incoming) -> HandleFuture {
    Box::pin(async move {
        let shop =
            incoming.states.get(&std::any::TypeId::of::<Shop<DB>>()).unwrap().downcast_ref::<Shop<DB>>().unwrap();
        let Shop { outbox, calls, fail_first } = shop.clone();
        let (ping, parts): (Ping<P>, _) = Parts::open(incoming)?;
        let (tx, meta) = (Tx::<DB>::take(&parts)?, Meta::take(&parts)?);
        let call = calls.fetch_add(1, SeqCst);
        let mut tx = tx.lock().await;
        let failed = |error: sqlx::Error| Failure::Handler(error.into());
        DB::write(&mut tx, i64::from(ping.n)).await.map_err(failed)?;
        let outbox = outbox.of(&meta);
        outbox
            .emit(&mut tx, Ping::<A>::new(ping.n), Here::new("web"))
            .await
            .map_err(|error| Failure::Handler(error.into()))?;
        if fail_first && call == 0 {
            return Err(Failure::Handler("the first call fails, and nothing of it holds".into()));
        }
        if fail_first && call == 1 {
            assert!(DB::fail(&mut tx).await.is_err());
        }
        Ok(())
    })
}
