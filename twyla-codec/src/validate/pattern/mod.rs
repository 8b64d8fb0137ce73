//! Patterns: ECMA-262 regular expressions that the build script has translated and compiled once.

mod runs;

use std::sync::OnceLock;

use self::runs::Runs;

/// The size limit of a compiled pattern, in bytes. The build script checks the same limit.
const SIZE_LIMIT: usize = 1 << 21;
/// The number of steps after which a backtracking search gives up.
const BACKTRACK_LIMIT: usize = 100_000;

/// A pattern, compiled at its first use.
#[derive(Debug)]
pub struct Pattern {
    written: &'static str,
    translated: &'static str,
    backtracking: bool,
    compiled: OnceLock<Compiled>,
}

#[derive(Debug)]
enum Compiled {
    Runs(Runs),
    Automaton(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    Broken,
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The text has a match.
    Match,
    /// The text has no match.
    NoMatch,
    /// Undecided: the search exceeded the limit of backtracking.
    GivenUp,
    /// The pattern doesn't compile. Impossible after a successful build.
    Broken,
}

impl Pattern {
    /// Creates a pattern without lookarounds and backreferences: its text in the schema, and its translation for the `regex`
    /// crate.
    #[must_use]
    pub const fn plain(written: &'static str, translated: &'static str) -> Self {
        Self { written, translated, backtracking: false, compiled: OnceLock::new() }
    }

    /// Creates a pattern with lookarounds or backreferences: its text in the schema, and its translation for `fancy-regex`.
    #[must_use]
    pub const fn backtracking(written: &'static str, translated: &'static str) -> Self {
        Self { written, translated, backtracking: true, compiled: OnceLock::new() }
    }

    /// Returns the pattern's text in the schema.
    #[must_use]
    pub const fn written(&self) -> &'static str {
        self.written
    }

    /// Returns whether a text matches; `false` if the search is undecided.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.search(text) == Outcome::Match
    }

    /// Searches a text. An undecided search is an outcome of its own, because a surrounding `not` must not accept an
    /// undecided value.
    #[must_use]
    #[inline]
    pub fn search(&self, text: &str) -> Outcome {
        let found = match self.compiled.get_or_init(|| self.compile()) {
            Compiled::Runs(runs) => runs.is_match(text.as_bytes()),
            Compiled::Automaton(regex) => regex.is_match(text),
            Compiled::Backtracking(regex) => match regex.is_match(text) {
                Ok(found) => found,
                Err(_) => return Outcome::GivenUp,
            },
            Compiled::Broken => return Outcome::Broken,
        };
        if found { Outcome::Match } else { Outcome::NoMatch }
    }

    #[cold]
    fn compile(&self) -> Compiled {
        if self.backtracking {
            let mut builder = fancy_regex::RegexBuilder::new(self.translated);
            let built = builder.backtrack_limit(BACKTRACK_LIMIT).delegate_size_limit(SIZE_LIMIT).build();
            return built.map_or(Compiled::Broken, |regex| Compiled::Backtracking(Box::new(regex)));
        }
        if let Some(runs) = Runs::of(self.translated) {
            return Compiled::Runs(runs);
        }
        let built = regex::RegexBuilder::new(self.translated).size_limit(SIZE_LIMIT).build();
        built.map_or(Compiled::Broken, Compiled::Automaton)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_compiled_where_it_stands() {
        static PLAIN: Pattern = Pattern::plain(r"^ORD-\d{8}$", "^ORD-[0-9]{8}$");
        assert!(PLAIN.is_match("ORD-12345678") && !PLAIN.is_match("ORD-1234567٣"));
        static LOOKS: Pattern = Pattern::backtracking(r"^(?!x)", r"^(?!x)");
        assert!(LOOKS.is_match("") && !LOOKS.is_match("x"));
        assert_eq!(PLAIN.written(), r"^ORD-\d{8}$");
    }

    #[test]
    fn gives_up_rather_than_to_hang() {
        static HOSTILE: Pattern = Pattern::backtracking(r"^(a|a)*(?=b)\1$", r"^(a|a)*(?=b)\1$");
        assert_eq!(HOSTILE.search(&"a".repeat(10_000)), Outcome::GivenUp);
        assert!(!HOSTILE.is_match(&"a".repeat(10_000)));
    }

    #[test]
    fn refuses_what_cannot_be_compiled() {
        static TOO_LARGE: Pattern = Pattern::plain("(a{1000}){1000}", "(a{1000}){1000}");
        static NONE: Pattern = Pattern::backtracking("(", "(");
        assert_eq!((TOO_LARGE.search("a"), NONE.search("a")), (Outcome::Broken, Outcome::Broken));
    }
}
