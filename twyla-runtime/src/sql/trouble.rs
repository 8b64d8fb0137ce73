//! Whether a database's error is its own trouble, or the fault of a statement.

use std::borrow::Cow;

use crate::service::dedupe::Trouble;

/// Whether an error may pass by itself: the connection, the pool, a lock, a serialization failure, a lack of resources.
/// Whoever tries again later may succeed with the same statements.
///
/// The codes are the classes 08, 40, 53, 55, 57 and 58 and `25006` of PostgreSQL (its documentation, appendix A), and SQLite's
/// primary result codes `BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `IOERR`, `FULL` and `CANTOPEN`.
pub(super) fn passes(error: &sqlx::Error) -> bool {
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

/// The trouble that an error is. `in_use` says whether connections of the pool are in use: then it may be for them that no other
/// was to be had, and else there is no database.
pub(super) fn trouble(error: sqlx::Error, in_use: bool) -> Trouble {
    let busy = match &error {
        sqlx::Error::PoolTimedOut => in_use,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| matches!(sqlite(&code), Some(5 | 6))),
        _ => false,
    };
    Trouble { cause: error.into(), busy }
}

/// Whether an earlier statement of the same transaction has failed, which PostgreSQL refuses all later ones for.
pub(super) fn is_after_a_failure(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code() == Some(Cow::Borrowed("25P02")))
}

/// The primary result code, of a database whose codes are SQLite's: numbers, where PostgreSQL has five characters.
fn sqlite(code: &str) -> Option<u32> {
    if code.len() == 5 { None } else { code.parse().ok().map(|code: u32| code & 0xff) }
}
