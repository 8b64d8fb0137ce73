//! What is asked of a database, for PostgreSQL and SQLite.

use sqlx::{Database, Pool};

use crate::transport::BoxFuture;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A database that Twyla can keep events in: `sqlx::Postgres` (feature `postgres`) and `sqlx::Sqlite` (feature `sqlite`).
pub trait Dialect: Database + Statements {}

/// An event that waits in the outbox.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) body: Vec<u8>,
    /// Where in its trace it was put.
    pub(crate) trace: Option<String>,
}

/// The statements.
#[doc(hidden)]
pub trait Statements: Database {
    /// Makes the table of what was handled.
    fn make_handled(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>>;
    /// Writes down an event as handled; `false` if it was before. Waits for another transaction that does the same.
    ///
    /// The column `group_name` has the queue's name, `<event>.<group>`. Rows of earlier versions have the group alone; they
    /// count too, so that nothing is handled again after an update.
    fn handled<'a>(
        connection: &'a mut Self::Connection,
        queue: &'a str,
        group: &'a str,
        message_id: &'a str,
    ) -> BoxFuture<'a, Result<bool>>;
    /// Whether the transaction of this connection can still be committed: an error says that a statement in it has failed.
    /// PostgreSQL answers `COMMIT` with a rollback then, and with no error.
    fn holds(connection: &mut Self::Connection) -> BoxFuture<'_, Result<()>>;
    /// Forgets what was handled so many seconds ago; how many rows that were.
    fn forget(pool: &Pool<Self>, seconds: f64) -> BoxFuture<'_, Result<u64>>;
    /// Makes the table of the outbox.
    fn make_outbox(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>>;
    /// Puts an event into the outbox.
    fn put(connection: &mut Self::Connection, row: Row) -> BoxFuture<'_, Result<()>>;
    /// The oldest events of the outbox; none where another relay is at work in `connection`'s database.
    fn oldest(connection: &mut Self::Connection, limit: i64) -> BoxFuture<'_, Result<Vec<Row>>>;
    /// Takes an event out of the outbox.
    fn sent(connection: &mut Self::Connection, id: i64) -> BoxFuture<'_, Result<()>>;
}

macro_rules! statements {
    ($database:ty, handled = $handled:literal, forget = $forget:literal, outbox = $outbox:literal, lock = $lock:expr, holds = $holds:expr) => {
        impl Dialect for $database {}

        impl Statements for $database {
            fn make_handled(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move { sqlx::raw_sql($handled).execute(pool).await.map(drop) })
            }

            fn handled<'a>(
                connection: &'a mut Self::Connection,
                queue: &'a str,
                group: &'a str,
                message_id: &'a str,
            ) -> BoxFuture<'a, Result<bool>> {
                Box::pin(async move {
                    let sql = "INSERT INTO twyla_handled (group_name, message_id) SELECT $1, $2 WHERE NOT EXISTS \
                               (SELECT 1 FROM twyla_handled WHERE group_name = $3 AND message_id = $2) \
                               ON CONFLICT DO NOTHING";
                    let [queue, message_id, group] = [queue, message_id, group].map(str::to_owned);
                    let written = sqlx::query(sql).bind(queue).bind(message_id).bind(group);
                    Ok(written.execute(connection).await?.rows_affected() > 0)
                })
            }

            fn holds(connection: &mut Self::Connection) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    match $holds {
                        Some(sql) => sqlx::query(sql).execute(connection).await.map(drop),
                        None => Ok(()),
                    }
                })
            }

            fn forget(pool: &Pool<Self>, seconds: f64) -> BoxFuture<'_, Result<u64>> {
                Box::pin(async move { Ok(sqlx::query($forget).bind(seconds).execute(pool).await?.rows_affected()) })
            }

            fn make_outbox(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move { sqlx::raw_sql($outbox).execute(pool).await.map(drop) })
            }

            fn put(connection: &mut Self::Connection, row: Row) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    let sql = "INSERT INTO twyla_outbox (message_id, exchange, routing_key, body, trace) \
                               VALUES ($1, $2, $3, $4, $5)";
                    let put = sqlx::query(sql).bind(row.message_id).bind(row.exchange).bind(row.routing_key);
                    let put = put.bind(row.body).bind(row.trace);
                    put.execute(connection).await.map(drop)
                })
            }

            fn oldest(connection: &mut Self::Connection, limit: i64) -> BoxFuture<'_, Result<Vec<Row>>> {
                Box::pin(async move {
                    if let Some(lock) = $lock {
                        let locked: (bool,) = sqlx::query_as(lock).fetch_one(&mut *connection).await?;
                        if !locked.0 {
                            return Ok(Vec::new());
                        }
                    }
                    let sql = "SELECT id, message_id, exchange, routing_key, body, trace FROM twyla_outbox \
                               ORDER BY id LIMIT $1";
                    let rows: Vec<(i64, String, String, String, Vec<u8>, Option<String>)> =
                        sqlx::query_as(sql).bind(limit).fetch_all(connection).await?;
                    let row = |(id, message_id, exchange, routing_key, body, trace)| Row {
                        id,
                        message_id,
                        exchange,
                        routing_key,
                        body,
                        trace,
                    };
                    Ok(rows.into_iter().map(row).collect())
                })
            }

            fn sent(connection: &mut Self::Connection, id: i64) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    sqlx::query("DELETE FROM twyla_outbox WHERE id = $1").bind(id).execute(connection).await.map(drop)
                })
            }
        }
    };
}

#[cfg(feature = "postgres")]
statements!(
    sqlx::Postgres,
    handled = "CREATE TABLE IF NOT EXISTS twyla_handled (
        group_name text NOT NULL,
        message_id text NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (group_name, message_id)
    );
    CREATE INDEX IF NOT EXISTS twyla_handled_at ON twyla_handled (handled_at)",
    forget = "DELETE FROM twyla_handled WHERE handled_at < now() - make_interval(secs => $1)",
    outbox = "CREATE TABLE IF NOT EXISTS twyla_outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id text NOT NULL,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        body bytea NOT NULL,
        trace text,
        put_at timestamptz NOT NULL DEFAULT now()
    )",
    // Held by the session, so that one relay is at work on a table at a time, and the next one when its connection is gone.
    lock = Some("SELECT pg_try_advisory_lock(7743218410563 + 'twyla_outbox'::regclass::oid::bigint)"),
    holds = Some("SELECT 1")
);

#[cfg(feature = "sqlite")]
statements!(
    sqlx::Sqlite,
    handled = "CREATE TABLE IF NOT EXISTS twyla_handled (
        group_name TEXT NOT NULL,
        message_id TEXT NOT NULL,
        handled_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (group_name, message_id)
    );
    CREATE INDEX IF NOT EXISTS twyla_handled_at ON twyla_handled (handled_at)",
    forget = "DELETE FROM twyla_handled WHERE unixepoch(handled_at) < unixepoch('now') - $1",
    outbox = "CREATE TABLE IF NOT EXISTS twyla_outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL,
        exchange TEXT NOT NULL,
        routing_key TEXT NOT NULL,
        body BLOB NOT NULL,
        trace TEXT,
        put_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    )",
    lock = None::<&'static str>,
    // a statement that fails undoes nothing but itself
    holds = None::<&'static str>
);
