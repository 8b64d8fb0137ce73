//! JSON Pointers (RFC 6901), absolute and relative.

/// Checks a pointer: tokens that begin with `/`, in which `~` only occurs as `~0` or `~1`.
pub(crate) fn json_pointer(text: &[u8]) -> bool {
    if !matches!(text, [] | [b'/', ..]) {
        return false;
    }
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if *byte == b'~' && !matches!(rest.next(), Some(b'0' | b'1')) {
            return false;
        }
    }
    true
}

/// Checks a relative pointer: the number of levels up, then a pointer or `#`.
///
/// The later drafts' index manipulation (`0+1`) is not supported; the suite has no such pointer.
pub(crate) fn relative(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.split_at_checked(digits) {
        None | Some(([], _) | ([b'0', _, ..], _)) => false,
        Some((_, rest)) => rest == b"#" || json_pointer(rest),
    }
}
