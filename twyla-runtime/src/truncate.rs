//! Truncates texts to a number of bytes, at a character boundary.

/// Returns the beginning of a text, of at most `bytes` bytes.
pub(crate) fn truncated(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Returns the beginning of a text, of at most `bytes` bytes and an ellipsis if it is truncated.
pub(crate) fn ellipsized(text: &str, bytes: usize) -> String {
    let short = truncated(text, bytes);
    if short.len() == text.len() { text.to_owned() } else { format!("{short}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!([0, 1, 2, 3, 9].map(|bytes| truncated("aä", bytes)), ["", "a", "a", "aä", "aä"]);
        assert_eq!([0, 2, 3].map(|bytes| ellipsized("aä", bytes)), ["…", "a…", "aä"]);
    }
}
