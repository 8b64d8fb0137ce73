//! Host names (RFC 1123) and e-mail addresses (RFC 5321).

use crate::{labels, net};

/// Checks labels of letters, digits and hyphens; labels that begin with `xn--` must be A-labels.
pub(crate) fn hostname(text: &str) -> bool {
    plain_hostname(text.as_bytes()) && (!text.as_bytes().windows(2).any(|two| two == b"--") || reserved_labels(text))
}

/// Checks that each label with hyphens in third and fourth place is a valid A-label, and that the labels fit together.
#[cold]
fn reserved_labels(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let decoded: Option<Vec<String>> = text
        .split('.')
        .map(|label| match label.strip_prefix("xn--") {
            Some(encoded) => labels::decoded(encoded),
            None => (label.get(2..4) != Some("--")).then(|| label.to_owned()),
        })
        .collect();
    decoded.is_some_and(|labels| labels::fit_together(&labels))
}

/// Checks labels of letters, digits and hyphens.
pub(crate) fn plain_hostname(text: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let label = |label: &[u8]| {
        let ([first, ..], [.., last]) = (label, label) else { return false };
        label.len() <= 63 && *first != b'-' && *last != b'-' && label.iter().all(known)
    };
    text.len() <= 253 && text.split(|byte| *byte == b'.').all(label)
}

/// Checks a `Mailbox` of RFC 5321.
pub(crate) fn email(text: &str) -> bool {
    text.is_ascii() && mailbox(text, hostname)
}

/// Checks a local part, and a domain that is a name or an address in brackets.
pub(crate) fn mailbox(text: &str, name: impl Fn(&str) -> bool) -> bool {
    // a quoted local part may contain `@`, a domain can't
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    if !local_part(local) {
        return false;
    }
    match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => match address.split_at_checked(5) {
            Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => net::ipv6(address).is_some(),
            _ => net::ipv4(address.as_bytes()).is_some(),
        },
        None => name(domain),
    }
}

/// Checks a `Local-part` of at most 64 octets, with the characters beyond ASCII of RFC 6531.
fn local_part(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    if let Some(quoted) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        let mut rest = quoted.chars();
        while let Some(c) = rest.next() {
            let fits = match c {
                '\\' => matches!(rest.next(), Some(' '..='~')),
                c => matches!(c, ' '..='~' if c != '"') || !c.is_ascii(),
            };
            if !fits {
                return false;
            }
        }
        return true;
    }
    let atom = |byte: &u8| ATOM[usize::from(*byte)];
    text.as_bytes().split(|byte| *byte == b'.').all(|part| !part.is_empty() && part.iter().all(atom))
}

/// `atext` of RFC 5321, and everything beyond ASCII.
const ATOM: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..=0xFF
            | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'/'
            | b'=' | b'?' | b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~'
        );
        byte += 1;
    }
    table
};
