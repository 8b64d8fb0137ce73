//! Helpers for lapin's errors.

use lapin::{Error, ErrorKind};

pub(crate) const ACCESS_REFUSED: u16 = 403;
pub(crate) const NOT_FOUND: u16 = 404;
pub(crate) const PRECONDITION_FAILED: u16 = 406;

/// Returns lapin's message, which never contains a password.
pub(crate) fn describe(error: Error) -> String {
    error.to_string()
}

/// Returns whether the broker reported this code.
pub(crate) fn is(error: &Error, code: u16) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == code)
}

/// Returns whether retries fail until an operator fixes the cause.
pub(crate) fn is_permanent(error: &Error) -> bool {
    [ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED].iter().any(|code| is(error, *code))
}
