//! Classifies database errors as transient or as caused by the statement.

use std::borrow::Cow;

use crate::service::dedupe::Trouble;

/// Returns whether the same statements may succeed later: the error concerns the connection, the pool, a lock, a
/// serialization failure or a lack of resources.
///
/// These are PostgreSQL's classes 08, 40, 53, 55, 57 and 58 and its code `25006` (PostgreSQL documentation, appendix A), and
/// SQLite's primary result codes `BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `IOERR`, `FULL` and `CANTOPEN`.
pub(super) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| match sqlite(&code) {
            Some(primary) => matches!(primary, 5 | 6 | 7 | 8 | 10 | 13 | 14),
            None => matches!(code.get(..2), Some("08" | "40" | "53" | "55" | "57" | "58")) || code == "25006",
        }),
        _ => false,
    }
}

/// Converts an error of the store. `in_use` is whether connections of the pool are in use: if so, a pool timeout means that the
/// pool is exhausted, otherwise that the database is unreachable.
pub(super) fn store_error(error: sqlx::Error, in_use: bool) -> Trouble {
    let busy = match &error {
        sqlx::Error::PoolTimedOut => in_use,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| matches!(sqlite(&code), Some(5 | 6))),
        _ => false,
    };
    Trouble { cause: error.into(), busy }
}

/// Returns whether PostgreSQL refused the statement because an earlier one of the same transaction failed.
pub(super) fn is_after_a_failure(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code() == Some(Cow::Borrowed("25P02")))
}

/// Returns SQLite's primary result code; `None` for PostgreSQL's codes, which have five characters.
fn sqlite(code: &str) -> Option<u32> {
    if code.len() == 5 { None } else { code.parse().ok().map(|code: u32| code & 0xff) }
}
