//! Colours. Text is written with them, and printed through `anstream`, which leaves them out where it isn't a terminal that
//! shows them, or where `NO_COLOR` is set.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Effects, Style};

pub(crate) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
pub(crate) const HEAD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A text in a colour.
pub(crate) struct Painted<T>(Style, T);

pub(crate) fn paint<T: Display>(style: Style, text: T) -> Painted<T> {
    Painted(style, text)
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}")?;
        Display::fmt(text, f)?;
        write!(f, "{style:#}")
    }
}

/// A text that somebody else has written, as it may be shown: nothing in it moves the cursor.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
