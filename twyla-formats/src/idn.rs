//! Internationalized host names and e-mail addresses (RFC 5890, RFC 6531), by the crate `idna`.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::names;

/// Checks a host name of A-labels, U-labels or plain labels. Characters that Unicode maps to these, e.g. capitals, are
/// accepted.
pub(crate) fn hostname(text: &str) -> bool {
    let ascii = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
    // UTS #46 accepts more than IDNA 2008, so the result is checked by the rules of IDNA 2008
    ascii.is_ok_and(|ascii| names::hostname(&ascii))
}

/// Checks a mailbox whose local part may have any character beyond ASCII.
pub(crate) fn email(text: &str) -> bool {
    names::mailbox(text, hostname)
}
