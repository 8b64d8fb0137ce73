//! Host names and e-mail addresses beyond ASCII (RFC 5890, RFC 6531), by the crate `idna`.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::names;

/// Labels that are A-labels, U-labels or plain ones; what Unicode maps to such a label, capitals for example, is taken for it.
pub(crate) fn hostname(text: &str) -> bool {
    let ascii = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    // UTS #46 is laxer than IDNA 2008, which has the last word
    ascii.is_ok_and(|ascii| names::hostname(&ascii))
}

/// A mailbox whose local part may have any character beyond ASCII.
pub(crate) fn email(text: &str) -> bool {
    names::mailbox(text, hostname)
}
