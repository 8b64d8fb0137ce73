//! lapin's errors: their codes and words.

use lapin::{Error, ErrorKind};

pub(crate) const ACCESS_REFUSED: u16 = 403;
pub(crate) const NOT_FOUND: u16 = 404;
pub(crate) const PRECONDITION_FAILED: u16 = 406;

/// What lapin says of an error. It never holds a password: those are only in what is sent.
pub(crate) fn said(error: Error) -> String {
    error.to_string()
}

/// Whether the broker said this with its error.
pub(crate) fn is(error: &Error, code: u16) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == code)
}

/// Whether trying again makes no sense before someone has changed something.
pub(crate) fn is_permanent(error: &Error) -> bool {
    [ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED].iter().any(|code| is(error, *code))
}
