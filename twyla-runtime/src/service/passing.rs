//! Tells failures that may pass, such as a lost connection, from those that an event causes.

use std::error::Error as StdError;
use std::io::ErrorKind;

use super::fail::{MayPass, causes};
use crate::Error;

/// Returns whether an error of a handler is one that may pass without a change of the event: the database, the broker, a called
/// service or the network is unreachable, busy or too slow.
pub(crate) fn may_pass(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|error| {
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        if error.downcast_ref::<sqlx::Error>().is_some_and(is_transient) {
            return true;
        }
        let bus = error.downcast_ref::<Error>();
        let bus = bus.is_some_and(|error| {
            matches!(
                error,
                Error::Unconfirmed { .. } | Error::Connect { .. } | Error::Closed | Error::Outbox { passes: true, .. }
            )
        });
        let network = error.downcast_ref::<std::io::Error>().is_some_and(|error| is_of_the_network(error.kind()));
        bus || network || error.is::<MayPass>() || error.is::<tokio::time::error::Elapsed>()
    })
}

fn is_of_the_network(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::ResourceBusy
    )
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// Returns whether the same statements may succeed later: the error concerns the connection, the pool, a lock, a
/// serialization failure or a lack of resources.
///
/// These are PostgreSQL's classes 08, 40, 53, 55, 57 and 58 and its code `25006` (PostgreSQL documentation, appendix A), and
/// SQLite's primary result codes `BUSY`, `LOCKED`, `NOMEM`, `READONLY`, `IOERR`, `FULL` and `CANTOPEN`.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
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

#[cfg(any(feature = "postgres", feature = "sqlite"))]
/// Returns SQLite's primary result code; `None` for PostgreSQL's codes, which have five characters.
pub(crate) fn sqlite(code: &str) -> Option<u32> {
    if code.len() == 5 { None } else { code.parse().ok().map(|code: u32| code & 0xff) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fail;

    fn passes(error: impl Into<Box<dyn StdError + Send + Sync>>) -> bool {
        may_pass(&*error.into())
    }

    #[test]
    fn an_outage_may_pass() {
        assert!(passes(std::io::Error::from(ErrorKind::ConnectionRefused)));
        assert!(passes(Fail::retry(Error::Closed)));
        assert!(passes(Fail::retry(MayPass)));
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        assert!(passes(sqlx::Error::PoolTimedOut));
    }

    #[test]
    fn an_error_of_the_event_does_not_pass() {
        assert!(!passes("no such customer"));
        assert!(!passes(std::io::Error::from(ErrorKind::InvalidData)));
        #[cfg(any(feature = "postgres", feature = "sqlite"))]
        assert!(!passes(sqlx::Error::RowNotFound));
    }
}
