//! The SQL statements of dedupe, rates and outbox, for PostgreSQL and SQLite.
//!
//! All statements work through a pooler in transaction mode, which may send each transaction to another server connection:
//! statements are either unprepared, or prepared without a name within a transaction.

use sqlx::{AssertSqlSafe, Database, Pool, raw_sql};

use crate::future::BoxFuture;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A supported database: `sqlx::Postgres` (feature `postgres`) or `sqlx::Sqlite` (feature `sqlite`).
pub trait Dialect: Database + Statements {}

/// An event in the outbox.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) body: Vec<u8>,
    /// The `traceparent` of the span that put the event into the outbox.
    pub(crate) trace: Option<String>,
}

/// A refused event: id, message id, exchange, routing key, size in bytes, the times of the put and of the refusal (microseconds
/// since 1970), and the reason.
pub(super) type RefusedRow = (i64, String, String, String, i64, i64, i64, String);

/// The statements of a database.
#[doc(hidden)]
pub trait Statements: Database {
    /// Creates the tables of handled events and of rates.
    fn make_handled(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>>;
    /// Marks an event as handled; `false` if it already is. Waits for a concurrent transaction that marks the same event.
    ///
    /// The column `group_name` holds the queue's name, `<event>.<group>`. Rows of earlier versions hold the group alone and
    /// count too, so that an update doesn't cause events to be handled again.
    ///
    /// `names` are the queue, the group and the message id.
    fn handled(connection: &mut Self::Connection, names: [String; 3]) -> BoxFuture<'_, Result<bool>>;
    /// Marks the events of a batch as handled, in one statement; returns the message ids that weren't marked yet. Otherwise as
    /// [`handled`](Self::handled).
    fn handled_all(
        connection: &mut Self::Connection,
        names: [String; 2],
        ids: Vec<String>,
    ) -> BoxFuture<'_, Result<Vec<String>>>;
    /// Removes the marks of these events.
    fn unmark(connection: &mut Self::Connection, queue: String, ids: Vec<String>) -> BoxFuture<'_, Result<()>>;
    /// Checks that the open transaction can be committed; an error if one of its statements failed. PostgreSQL would answer
    /// `COMMIT` with a silent rollback.
    const HOLDS: Option<&'static str>;
    /// Releases the relay lock.
    const END: Option<&'static str>;
    /// Runs the statement, if there is one.
    fn run<'a>(connection: &'a mut Self::Connection, sql: Option<&'static str>) -> BoxFuture<'a, Result<()>>;
    /// Deletes marks older than `seconds`; returns the number of rows.
    fn forget(pool: &Pool<Self>, seconds: f64) -> BoxFuture<'_, Result<u64>>;
    /// Takes tokens that are worth `cost` out of a bucket if at most `missing` is missing, and returns 0; otherwise returns how long until
    /// there are enough. All times are in microseconds, on the database's clock. A bucket that lacks more than `most` was written at another
    /// rate, or the clock has stepped back since: it counts as lacking `most`.
    fn take<'a>(
        pool: &'a Pool<Self>,
        bucket: &'a str,
        cost: i64,
        missing: i64,
        most: i64,
    ) -> BoxFuture<'a, Result<i64>>;
    /// Creates the tables of the outbox.
    fn make_outbox(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>>;
    /// Puts an event into the outbox.
    fn put(connection: &mut Self::Connection, row: Row) -> BoxFuture<'_, Result<()>>;
    /// Acquires the relay lock until [`END`](Self::END); `false` if another relay holds it. SQLite has no relay lock: always `true`.
    fn begin(connection: &mut Self::Connection) -> BoxFuture<'_, Result<bool>>;
    /// Returns the oldest events of the outbox, at most 100.
    fn oldest(connection: &mut Self::Connection) -> BoxFuture<'_, Result<Vec<Row>>>;
    /// Deletes a published event from the outbox and renews the relay lock; `false` if another relay got the lock.
    fn sent(connection: &mut Self::Connection, id: i64) -> BoxFuture<'_, Result<bool>>;
    /// Copies an event of the outbox to the table of refused events.
    fn refuse(connection: &mut Self::Connection, id: i64, why: String) -> BoxFuture<'_, Result<()>>;
    /// Returns at most `limit` refused events, in the order of their ids.
    #[allow(private_interfaces, reason = "not implemented outside this crate")]
    fn refused(pool: &Pool<Self>, limit: i64) -> BoxFuture<'_, Result<Vec<RefusedRow>>>;
    /// Returns the number of events that wait to be published, and the number of refused events.
    fn counts(pool: &Pool<Self>) -> BoxFuture<'_, Result<(i64, i64)>>;
    /// Returns the envelope of a refused event; `None` if no refused event has this id.
    fn refused_body(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<Option<Vec<u8>>>>;
    /// Appends a refused event to the outbox again; returns `false` if no refused event has this id.
    fn put_back(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<bool>>;
    /// Deletes a refused event; returns `false` if no refused event has this id.
    fn drop_refused(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<bool>>;
}

const OLDEST: &str =
    "SELECT id, message_id, exchange, routing_key, body, trace FROM twyla_outbox ORDER BY id LIMIT 100";
const PUT: &str =
    "INSERT INTO twyla_outbox (message_id, exchange, routing_key, body, trace) VALUES ($1, $2, $3, $4, $5)";
const HANDLED: &str = "INSERT INTO twyla_handled (group_name, message_id) SELECT $1, $2 WHERE NOT EXISTS \
                       (SELECT 1 FROM twyla_handled WHERE group_name = $3 AND message_id = $2) \
                       ON CONFLICT DO NOTHING";
const REFUSE: &str = "INSERT INTO twyla_outbox_refused (id, message_id, exchange, routing_key, body, trace, put_at, why) \
                      SELECT id, message_id, exchange, routing_key, body, trace, put_at, $1 FROM twyla_outbox WHERE id = $2 \
                      ON CONFLICT DO NOTHING";
/// The columns that are copied when an event is put back.
const KEPT: &str = "message_id, exchange, routing_key, body, trace, put_at";
const DROP_REFUSED: &str = "DELETE FROM twyla_outbox_refused WHERE id = ";
const SENT: &str = "DELETE FROM twyla_outbox WHERE id = ";

macro_rules! statements {
    (
        $database:ty, handled = $handled:literal, ids = $ids:literal, bind_ids = $bind_ids:expr, outbox = $outbox:literal, holds = $holds:expr, named = $named:literal,
        forget = $forget:expr, now = $now:literal, earlier = $earlier:literal, later = $later:literal, micros = $micros:expr, put_back = $put_back:expr,
        begin = $begin:expr, end = $end:expr, next = $next:literal
    ) => {
        impl Dialect for $database {}

        impl Statements for $database {
            const HOLDS: Option<&'static str> = $holds;
            const END: Option<&'static str> = $end;

            fn make_handled(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move { raw_sql($handled).execute(pool).await.map(drop) })
            }

            fn handled(connection: &mut Self::Connection, [queue, group, message_id]: [String; 3]) -> BoxFuture<'_, Result<bool>> {
                Box::pin(async move {
                    let written = sqlx::query(HANDLED).bind(queue).bind(message_id).bind(group).persistent($named);
                    Ok(written.execute(connection).await?.rows_affected() > 0)
                })
            }

            fn handled_all(
                connection: &mut Self::Connection,
                [queue, group]: [String; 2],
                ids: Vec<String>,
            ) -> BoxFuture<'_, Result<Vec<String>>> {
                Box::pin(async move {
                    let sql = concat!(
                        "INSERT INTO twyla_handled (group_name, message_id) SELECT $1, ids.id FROM ",
                        $ids,
                        " WHERE NOT EXISTS (SELECT 1 FROM twyla_handled WHERE group_name = $3 AND message_id = ids.id) \
                         ON CONFLICT DO NOTHING RETURNING message_id"
                    );
                    let written = sqlx::query_scalar(sql).bind(queue).bind($bind_ids(ids)).bind(group);
                    written.persistent($named).fetch_all(connection).await
                })
            }

            fn unmark(connection: &mut Self::Connection, queue: String, ids: Vec<String>) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    let sql = concat!(
                        "DELETE FROM twyla_handled WHERE group_name = $1 AND message_id IN (SELECT ids.id FROM ",
                        $ids,
                        ")"
                    );
                    let deleted = sqlx::query(sql).bind(queue).bind($bind_ids(ids));
                    deleted.persistent($named).execute(connection).await.map(drop)
                })
            }

            fn run<'a>(connection: &'a mut Self::Connection, sql: Option<&'static str>) -> BoxFuture<'a, Result<()>> {
                Box::pin(async move {
                    match sql {
                        Some(sql) => raw_sql(sql).execute(connection).await.map(drop),
                        None => Ok(()),
                    }
                })
            }

            fn forget(pool: &Pool<Self>, seconds: f64) -> BoxFuture<'_, Result<u64>> {
                Box::pin(async move { Ok(raw_sql(AssertSqlSafe($forget(seconds))).execute(pool).await?.rows_affected()) })
            }

            fn take<'a>(
                pool: &'a Pool<Self>,
                bucket: &'a str,
                cost: i64,
                missing: i64,
                most: i64,
            ) -> BoxFuture<'a, Result<i64>> {
                Box::pin(async move {
                    let (name, now, earlier, later) = (bucket.replace('\'', "''"), $now, $earlier, $later);
                    let full_at = format!("{earlier}(rate.full_at, {now} + {most})");
                    // each expression of the update reads the row as it was before
                    let sql = format!(
                        "INSERT INTO twyla_rates AS rate (bucket, full_at, wait) VALUES ('{name}', {now} + {cost}, 0) \
                         ON CONFLICT (bucket) DO UPDATE SET \
                         full_at = CASE WHEN {full_at} - {now} <= {missing} THEN {later}({full_at}, {now}) + {cost} \
                         ELSE {full_at} END, \
                         wait = {later}(0, {full_at} - {now} - {missing}) \
                         RETURNING wait"
                    );
                    sqlx::Row::try_get(&raw_sql(AssertSqlSafe(sql)).fetch_one(pool).await?, 0)
                })
            }

            fn make_outbox(pool: &Pool<Self>) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move { raw_sql($outbox).execute(pool).await.map(drop) })
            }

            fn put(connection: &mut Self::Connection, row: Row) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    let put = sqlx::query(PUT).bind(row.message_id).bind(row.exchange).bind(row.routing_key);
                    let put = put.bind(row.body).bind(row.trace).persistent($named);
                    put.execute(connection).await.map(drop)
                })
            }

            fn begin(connection: &mut Self::Connection) -> BoxFuture<'_, Result<bool>> {
                Box::pin(async move {
                    let begin: Option<&'static str> = $begin;
                    let Some(sql) = begin else { return Ok(true) };
                    let row = raw_sql(sql).fetch_one(&mut *connection).await?;
                    let ours: bool = sqlx::Row::try_get(&row, 0)?;
                    if !ours {
                        Self::run(connection, Self::END).await?;
                    }
                    Ok(ours)
                })
            }

            fn oldest(connection: &mut Self::Connection) -> BoxFuture<'_, Result<Vec<Row>>> {
                Box::pin(async move {
                    let rows: Vec<(i64, String, String, String, Vec<u8>, Option<String>)> =
                        sqlx::query_as(OLDEST).persistent($named).fetch_all(connection).await?;
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

            fn sent(connection: &mut Self::Connection, id: i64) -> BoxFuture<'_, Result<bool>> {
                Box::pin(async move {
                    let rows = raw_sql(AssertSqlSafe(format!("{SENT}{id}{}", $next))).fetch_all(connection).await?;
                    // PostgreSQL's last statement returns whether this relay has acquired the lock again
                    rows.last().map_or(Ok(true), |row| sqlx::Row::try_get(row, 0))
                })
            }

            fn refuse(connection: &mut Self::Connection, id: i64, why: String) -> BoxFuture<'_, Result<()>> {
                Box::pin(async move {
                    sqlx::query(REFUSE).bind(why).bind(id).persistent($named).execute(connection).await.map(drop)
                })
            }

            #[allow(private_interfaces, reason = "not implemented outside this crate")]
            fn refused(pool: &Pool<Self>, limit: i64) -> BoxFuture<'_, Result<Vec<RefusedRow>>> {
                Box::pin(async move {
                    let (put_at, refused_at) = ($micros("put_at"), $micros("refused_at"));
                    let sql = format!(
                        "SELECT id, message_id, exchange, routing_key, CAST(length(body) AS bigint), {put_at}, {refused_at}, why \
                         FROM twyla_outbox_refused ORDER BY id LIMIT {limit}"
                    );
                    let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(pool).await?;
                    rows.iter().map(sqlx::FromRow::from_row).collect()
                })
            }

            fn counts(pool: &Pool<Self>) -> BoxFuture<'_, Result<(i64, i64)>> {
                Box::pin(async move {
                    let sql = "SELECT (SELECT count(*) FROM twyla_outbox), (SELECT count(*) FROM twyla_outbox_refused)";
                    sqlx::FromRow::from_row(&raw_sql(sql).fetch_one(pool).await?)
                })
            }

            fn refused_body(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
                Box::pin(async move {
                    let sql = format!("SELECT body FROM twyla_outbox_refused WHERE id = {id}");
                    let row = raw_sql(AssertSqlSafe(sql)).fetch_optional(pool).await?;
                    row.map(|row| sqlx::Row::try_get(&row, 0)).transpose()
                })
            }

            fn put_back(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<bool>> {
                Box::pin(async move {
                    let mut transaction = pool.begin().await?;
                    // the first statement affects a row only if the event exists
                    let mut was_there = None;
                    for sql in $put_back(id) {
                        let done = raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
                        was_there.get_or_insert(done.rows_affected() > 0);
                    }
                    transaction.commit().await?;
                    Ok(was_there.unwrap_or_default())
                })
            }

            fn drop_refused(pool: &Pool<Self>, id: i64) -> BoxFuture<'_, Result<bool>> {
                Box::pin(async move {
                    let dropped = raw_sql(AssertSqlSafe(format!("{DROP_REFUSED}{id}"))).execute(pool).await?;
                    Ok(dropped.rows_affected() > 0)
                })
            }
        }
    };
}

#[cfg(feature = "postgres")]
statements!(
    sqlx::Postgres,
    // PostgreSQL can fail concurrent creation even with `IF NOT EXISTS`: a lock serializes it.
    handled = "SELECT pg_advisory_xact_lock(7743218410562);
    CREATE TABLE IF NOT EXISTS twyla_handled (
        group_name text NOT NULL,
        message_id text NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (group_name, message_id)
    );
    CREATE INDEX IF NOT EXISTS twyla_handled_at ON twyla_handled (handled_at);
    CREATE UNLOGGED TABLE IF NOT EXISTS twyla_rates (
        bucket text PRIMARY KEY,
        full_at bigint NOT NULL,
        wait bigint NOT NULL
    )",
    ids = "unnest($2::text[]) AS ids (id)",
    bind_ids = |ids: Vec<String>| ids,
    outbox = "SELECT pg_advisory_xact_lock(7743218410562);
    CREATE TABLE IF NOT EXISTS twyla_outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id text NOT NULL,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        body bytea NOT NULL,
        trace text,
        put_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS twyla_outbox_refused (
        id bigint PRIMARY KEY,
        message_id text NOT NULL,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        body bytea NOT NULL,
        trace text,
        put_at timestamptz NOT NULL,
        refused_at timestamptz NOT NULL DEFAULT now(),
        why text NOT NULL
    )",
    holds = Some("SELECT 1"),
    named = false,
    forget =
        |seconds| format!("DELETE FROM twyla_handled WHERE handled_at < now() - make_interval(secs => {seconds:.3})"),
    now = "CAST(extract(epoch FROM now()) * 1000000 AS bigint)",
    earlier = "least",
    later = "greatest",
    micros = |column| format!("CAST(extract(epoch FROM {column}) * 1000000 AS bigint)"),
    // A single statement, so that concurrent calls can't both copy the row.
    put_back = |id| [format!(
        "WITH gone AS ({DROP_REFUSED}{id} RETURNING {KEPT}) INSERT INTO twyla_outbox ({KEPT}) SELECT {KEPT} FROM gone"
    )],
    // A transaction-level lock allows one relay per table; a session-level lock would stay on the pooler's connection.
    // Deleting an event commits the transaction and starts the next one.
    begin = Some("BEGIN; SELECT pg_try_advisory_xact_lock(7743218410563 + 'twyla_outbox'::regclass::oid::bigint)"),
    end = Some("COMMIT"),
    next = "; COMMIT; BEGIN; SELECT pg_try_advisory_xact_lock(7743218410563 + 'twyla_outbox'::regclass::oid::bigint)"
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
    CREATE INDEX IF NOT EXISTS twyla_handled_at ON twyla_handled (handled_at);
    CREATE TABLE IF NOT EXISTS twyla_rates (
        bucket TEXT PRIMARY KEY,
        full_at INTEGER NOT NULL,
        wait INTEGER NOT NULL
    )",
    ids = "(SELECT value AS id FROM json_each($2)) AS ids",
    bind_ids = |ids: Vec<String>| serde_json::Value::from(ids).to_string(),
    outbox = "CREATE TABLE IF NOT EXISTS twyla_outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL,
        exchange TEXT NOT NULL,
        routing_key TEXT NOT NULL,
        body BLOB NOT NULL,
        trace TEXT,
        put_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    CREATE TABLE IF NOT EXISTS twyla_outbox_refused (
        id INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL,
        exchange TEXT NOT NULL,
        routing_key TEXT NOT NULL,
        body BLOB NOT NULL,
        trace TEXT,
        put_at TEXT NOT NULL,
        refused_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        why TEXT NOT NULL
    )",
    // a failed statement doesn't affect the rest of the transaction
    holds = None,
    named = true,
    forget =
        |seconds| format!("DELETE FROM twyla_handled WHERE unixepoch(handled_at) < unixepoch('now') - {seconds:.3}"),
    now = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    earlier = "min",
    later = "max",
    micros = |column| format!("unixepoch({column}) * 1000000"),
    // SQLite has a single writer, from the first statement to the commit.
    put_back = |id| [
        format!("INSERT INTO twyla_outbox ({KEPT}) SELECT {KEPT} FROM twyla_outbox_refused WHERE id = {id}"),
        format!("{DROP_REFUSED}{id}"),
    ],
    begin = None,
    end = None,
    next = ""
);
