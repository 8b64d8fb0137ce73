//! Converts database errors to failures of the store.

use std::borrow::Cow;

use crate::service::dedupe::Trouble;
use crate::service::passing::sqlite;

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
