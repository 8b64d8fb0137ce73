//! Colours, and [`say!`]: text is written with them, and printed through `anstream`, which leaves them out where it isn't a
//! terminal that shows them, or where `NO_COLOR` is set.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process;

use anstyle::{AnsiColor, Effects, Style};
use twyla_contract::text::{VisibleJson, is_invisible};

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

/// A text that somebody else has written, as it may be shown: nothing in it moves the cursor or other text, and nothing is
/// invisible.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// A terminal, or what stands in its place. What is invisible and beyond ASCII is written in escapes: as JSON has them, so that
/// JSON stays the same.
pub(crate) struct Shown<W>(W);

impl<W: Write> Shown<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(out)
    }
}

/// The standard output.
pub(crate) fn stdout() -> Shown<anstream::AutoStream<io::StdoutLock<'static>>> {
    Shown(anstream::stdout().lock())
}

/// The standard error.
pub(crate) fn stderr() -> Shown<anstream::AutoStream<io::StderrLock<'static>>> {
    Shown(anstream::stderr().lock())
}

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // texts come in whole characters
        let shown = std::str::from_utf8(bytes).map(|text| VisibleJson(text).to_string());
        self.0.write_all(shown.as_deref().map_or(bytes, str::as_bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a line. That nobody reads any more, as behind `| head`, is no error: what the command ends with still tells.
macro_rules! say {
    () => {
        $crate::support::paint::tell(format_args!("\n"))
    };
    ($($text:tt)+) => {
        $crate::support::paint::tell(format_args!("{}\n", format_args!($($text)+)))
    };
}
pub(crate) use say;

/// Prints a text. Where it can't be written, such as to a full disk, the command ends with 2.
pub(crate) fn tell(text: fmt::Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(text)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        anstream::eprintln!("{}: the standard output can't be written: {error}", paint(BAD, "error"));
        process::exit(2);
    }
}
