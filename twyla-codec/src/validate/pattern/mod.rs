//! Patterns: regular expressions of ECMA-262 that the build script has translated and seen compile.

mod runs;

use std::sync::OnceLock;

use self::runs::Runs;

/// What a compiled pattern may take, in bytes. The build script holds patterns to the same.
const SIZE_LIMIT: usize = 1 << 21;
/// How often a backtracking search may step back in one text, before it is given up.
const BACKTRACK_LIMIT: usize = 100_000;

/// A pattern, compiled when it is first used.
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

/// Whether a text has a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has.
    Match,
    /// It has none.
    NoMatch,
    /// Nobody knows: the search went back and forth too often and was given up.
    GivenUp,
    /// The pattern can't be compiled. This can't be where the build script saw it compile.
    Broken,
}

impl Pattern {
    /// A pattern without lookarounds and backreferences: as the schema has it, and as the `regex` crate reads it.
    #[must_use]
    pub const fn plain(written: &'static str, translated: &'static str) -> Self {
        Self { written, translated, backtracking: false, compiled: OnceLock::new() }
    }

    /// A pattern with them: as the schema has it, and as the `fancy-regex` crate reads it.
    #[must_use]
    pub const fn backtracking(written: &'static str, translated: &'static str) -> Self {
        Self { written, translated, backtracking: true, compiled: OnceLock::new() }
    }

    /// The pattern as the schema has it.
    #[must_use]
    pub const fn written(&self) -> &'static str {
        self.written
    }

    /// Whether a text is known to have a match.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.search(text) == Outcome::Match
    }

    /// Whether a text has a match, where it matters that nobody may know: `not` must not turn that into a yes.
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
