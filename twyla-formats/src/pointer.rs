//! JSON Pointers (RFC 6901), and relative ones.

/// Tokens that each begin with `/`, in which `~` is only for `~0` and `~1`.
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

/// The draft of relative JSON Pointers: levels up, and then a pointer or `#`.
///
/// Its later versions may move among the items of an array too (`0+1`); the suite knows no such pointer.
pub(crate) fn relative(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.split_at_checked(digits) {
        None | Some(([], _) | ([b'0', _, ..], _)) => false,
        Some((_, rest)) => rest == b"#" || json_pointer(rest),
    }
}
