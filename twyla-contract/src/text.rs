//! Untrusted text for display: invisible characters, those that move the text around them, and long texts.

use std::borrow::Cow;
use std::fmt;

/// Returns whether a character is invisible or moves the text around it: Unicode's categories Cc (control), Cf (format:
/// bidirectional overrides, zero-width characters, tags), Zl and Zp (line and paragraph separators).
///
/// Such a character can begin a line that a program would obey, move a terminal's cursor, or make a text look like another
/// one.
///
/// ```
/// use twyla_contract::text::is_invisible;
/// assert!(is_invisible('\n') && is_invisible('\u{202e}') && is_invisible('\u{200b}'));
/// assert!(!is_invisible(' ') && !is_invisible('ü'));
/// ```
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0001}'
                | '\u{e0020}'..='\u{e007f}'
        )
}

/// Returns the first `most` characters of a text, with an ellipsis if there are more.
///
/// ```
/// use twyla_contract::text::shortened;
/// assert_eq!([shortened("äöü", 2), shortened("äöü", 3)], ["äö…", "äöü"]);
/// ```
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Displays a text with each [invisible](is_invisible) character escaped as in Rust.
///
/// ```
/// use twyla_contract::text::Visible;
/// assert_eq!(Visible("a\n\u{202e}b").to_string(), r"a\n\u{202e}b");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, is_invisible, f, |c, f| write!(f, "{}", c.escape_default()))
    }
}

/// Displays a JSON text with each invisible character beyond ASCII escaped as in JSON. The value stays the same, and so
/// does the white space, which is ASCII.
///
/// ```
/// use twyla_contract::text::VisibleJson;
/// assert_eq!(VisibleJson("[\n\"\u{202e}\"]").to_string(), "[\n\"\\u202e\"]");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VisibleJson<'a>(pub &'a str);

impl fmt::Display for VisibleJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(
            self.0,
            |c| c >= '\u{7f}' && is_invisible(c),
            f,
            |c, f| c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}")),
        )
    }
}

/// Writes a text; `write` replaces each character for which `which` is true.
fn escaped(
    text: &str,
    which: impl Fn(char) -> bool,
    f: &mut fmt::Formatter<'_>,
    write: impl Fn(char, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(&which) {
        let (before, from) = rest.split_at(at);
        f.write_str(before)?;
        let mut chars = from.chars();
        if let Some(c) = chars.next() {
            write(c, f)?;
        }
        rest = chars.as_str();
    }
    f.write_str(rest)
}
