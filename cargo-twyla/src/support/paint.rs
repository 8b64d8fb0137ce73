//! Colours, and [`say!`]. Text is printed through `anstream`, which removes colours if the output isn't a terminal that shows them,
//! or `NO_COLOR` is set.

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

/// A text with a style.
pub(crate) struct Styled<T>(Style, T);

pub(crate) fn paint<T: Display>(style: Style, text: T) -> Styled<T> {
    Styled(style, text)
}

impl<T: Display> Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}")?;
        Display::fmt(text, f)?;
        write!(f, "{style:#}")
    }
}

/// Makes a text from outside safe to print: invisible characters, and those that move the cursor or other text, are replaced.
pub(crate) fn tame(text: &str) -> String {
    text.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// An output stream that escapes invisible characters beyond ASCII as JSON does, so that printed JSON stays the same.
pub(crate) struct EscapedOutput<W>(W);

impl<W: Write> EscapedOutput<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(out)
    }
}

/// Returns the standard output.
pub(crate) fn stdout() -> EscapedOutput<anstream::AutoStream<io::StdoutLock<'static>>> {
    EscapedOutput(anstream::stdout().lock())
}

/// Returns the standard error.
pub(crate) fn stderr() -> EscapedOutput<anstream::AutoStream<io::StderrLock<'static>>> {
    EscapedOutput(anstream::stderr().lock())
}

impl<W: Write> Write for EscapedOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // callers write whole texts, so no character is split
        let shown = std::str::from_utf8(bytes).map(|text| VisibleJson(text).to_string());
        self.0.write_all(shown.as_deref().map_or(bytes, str::as_bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a line. A closed pipe, as behind `| head`, is not an error: the exit code still reports the result.
macro_rules! say {
    () => {
        $crate::support::paint::print_text(format_args!("\n"))
    };
    ($($text:tt)+) => {
        $crate::support::paint::print_text(format_args!("{}\n", format_args!($($text)+)))
    };
}
pub(crate) use say;

/// Prints a text. If it can't be written, for example to a full disk, the program exits with 2.
pub(crate) fn print_text(text: fmt::Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(text)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        anstream::eprintln!("{}: the standard output can't be written: {error}", paint(BAD, "error"));
        process::exit(2);
    }
}
