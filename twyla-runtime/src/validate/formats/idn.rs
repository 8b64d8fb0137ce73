//! Host names and e-mail addresses beyond ASCII (RFC 5890, RFC 6531).

use super::names;

/// Labels that are A-labels, U-labels or plain ones.
pub(super) fn hostname(_text: &str) -> bool {
    false
}

/// A mailbox whose local part may have any character beyond ASCII.
pub(super) fn email(text: &str) -> bool {
    names::mailbox(text, hostname)
}
