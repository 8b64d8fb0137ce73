//! URIs (RFC 3986) and IRIs (RFC 3987), absolute or relative.

use super::net;

/// What a byte may be part of; several at once.
const NAME: u8 = 1;
const COLON: u8 = 2;
const AT: u8 = 4;
const SLASH: u8 = 8;
const QUESTION: u8 = 16;

const PATH: u8 = NAME | COLON | AT | SLASH;
const QUERY: u8 = PATH | QUESTION;
const USER: u8 = NAME | COLON;

const CLASSES: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            // unreserved and sub-delims
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => NAME,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => NAME,
            b':' => COLON,
            b'@' => AT,
            b'/' => SLASH,
            b'?' => QUESTION,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// With a scheme.
pub(super) fn uri(text: &str, international: bool) -> bool {
    scheme(text).is_some_and(|rest| after_scheme(rest, international))
}

/// With or without.
pub(super) fn reference(text: &str, international: bool) -> bool {
    if let Some(rest) = scheme(text)
        && after_scheme(rest, international)
    {
        return true;
    }
    // a colon in the first segment would make what is before it a scheme
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    !first.contains(':') && after_scheme(text, international)
}

/// What follows a scheme and its colon.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(known)).then_some(rest)
}

fn after_scheme(text: &str, international: bool) -> bool {
    let (text, fragment) = text.split_once('#').map_or((text, ""), |(before, fragment)| (before, fragment));
    let (text, query) = text.split_once('?').map_or((text, ""), |(before, query)| (before, query));
    let path = match text.strip_prefix("//") {
        None => text,
        Some(rest) => {
            let (authority_, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !authority(authority_, international) {
                return false;
            }
            path
        }
    };
    all(path, PATH, international) && all_of_query(query, international) && all(fragment, QUERY, international)
}

/// `[ userinfo "@" ] host [ ":" port ]`
fn authority(text: &str, international: bool) -> bool {
    let host = match text.split_once('@') {
        Some((user, host)) if all(user, USER, international) => host,
        Some(_) => return false,
        None => text,
    };
    if let Some(literal) = host.strip_prefix('[') {
        let Some((address, port)) = literal.split_once(']') else { return false };
        let known = net::ipv6(address).is_some() || future_address(address);
        return known && (port.is_empty() || port.strip_prefix(':').is_some_and(digits));
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    all(name, NAME, international) && digits(port)
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `IPvFuture`
fn future_address(text: &str) -> bool {
    let Some((version, address)) = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let hex = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex && !address.is_empty() && !address.contains('%') && all(address, USER, false)
}

/// Whether each character is of a class, or percent-encoded.
fn all(text: &str, class: u8, international: bool) -> bool {
    held(text, class, |c| international && is_ucs(c))
}

/// A query may have private characters too.
fn all_of_query(text: &str, international: bool) -> bool {
    held(text, QUERY, |c| international && (is_ucs(c) || is_private(c)))
}

fn held(text: &str, class: u8, beyond: impl Fn(char) -> bool) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let fits = match CLASSES.get(c as usize) {
            Some(found) if found & class != 0 => true,
            Some(_) if c == '%' => {
                let mut hex = || rest.next().is_some_and(|c| c.is_ascii_hexdigit());
                hex() && hex()
            }
            Some(_) => false,
            None => beyond(c),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// `ucschar` of RFC 3987.
fn is_ucs(c: char) -> bool {
    match u32::from(c) {
        0xA0..=0xD7FF | 0xF900..=0xFDCF | 0xFDF0..=0xFFEF | 0xE1000..=0xEFFFD => true,
        0x10000..=0xDFFFF => u32::from(c) & 0xFFFF < 0xFFFE,
        _ => false,
    }
}

/// `iprivate` of RFC 3987.
fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD)
}
