//! Rewrites patterns that ECMA-262 accepts only without the flag `u` (its Annex B) as patterns that are valid with the
//! flag, or refuses them with the place of the error.
//!
//! Patterns of JSON Schema have the flag. Validators without it accept more, and many schemas use that.

mod class;
mod escape;
mod group;

use std::fmt;

use super::groups::group_names;

/// A pattern rewritten with the flag `u`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StrictPattern {
    pub(crate) pattern: String,
    /// The first syntax that needed rewriting.
    pub(crate) loose: LooseSyntax,
}

/// Syntax that the flag `u` forbids, and its meaning without the flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseSyntax {
    /// The index of the character in the pattern, from 1.
    pub at: usize,
    /// The text as written.
    pub written: String,
    /// The meaning of the syntax.
    pub means: &'static str,
}

/// Why a pattern is invalid with and without the flag `u`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The index of the character in the pattern, from 1.
    pub at: usize,
    /// The mistake, and what to write instead.
    pub why: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.why, self.at)
    }
}

const ITSELF: &str = "matches itself";

/// Rewrites a pattern with the flag `u`; `None` if nothing in it needs rewriting.
pub(crate) fn accepted(pattern: &str) -> Result<Option<StrictPattern>, SyntaxError> {
    let mut reader = Rewriter::new(pattern);
    reader.pattern()?;
    let Rewriter { out, loose, .. } = reader;
    Ok(loose.map(|loose| StrictPattern { pattern: out, loose }))
}

/// The last part of the pattern, which a quantifier would repeat.
#[derive(Clone, Copy, PartialEq)]
enum LastAtom {
    /// Nothing that can be repeated.
    Nothing,
    /// An atom or a group.
    Atom,
    /// A lookahead, with the offset of its text in the output.
    Ahead(usize),
    /// A repetition.
    Repeated,
}

/// A group whose end isn't read yet.
struct OpenGroup {
    at: usize,
    start: usize,
    ahead: bool,
    behind: bool,
}

struct Rewriter {
    chars: Vec<char>,
    at: usize,
    out: String,
    loose: Option<LooseSyntax>,
    groups: usize,
    named: bool,
    names: Vec<Option<String>>,
    open: Vec<OpenGroup>,
    last: LastAtom,
}

impl Rewriter {
    fn new(pattern: &str) -> Self {
        let names = group_names(pattern);
        Self {
            chars: pattern.chars().collect(),
            at: 0,
            out: String::with_capacity(pattern.len() + 8),
            loose: None,
            groups: names.len(),
            named: names.iter().any(Option::is_some),
            names,
            open: Vec::new(),
            last: LastAtom::Nothing,
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn rest_begins(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn refuse(at: usize, why: impl Into<String>) -> SyntaxError {
        SyntaxError { at: at + 1, why: why.into() }
    }

    /// Records the first syntax that the flag `u` forbids.
    fn note(&mut self, at: usize, written: impl Into<String>, means: &'static str) {
        self.loose.get_or_insert_with(|| LooseSyntax { at: at + 1, written: written.into(), means });
    }

    fn pattern(&mut self) -> Result<(), SyntaxError> {
        while let Some(c) = self.peek(0) {
            let at = self.at;
            self.at += 1;
            match c {
                '\\' => self.escape(at)?,
                '[' => self.class(at)?,
                '(' => self.group(at)?,
                ')' => self.close(at)?,
                '*' | '+' | '?' => self.repeated(at, c.to_string())?,
                '{' => match self.braces() {
                    Some(written) => {
                        self.at += written.chars().count() - 1;
                        self.repeated(at, written)?;
                    }
                    None => self.itself(at, c),
                },
                '}' | ']' => self.itself(at, c),
                '^' | '$' | '|' => {
                    self.out.push(c);
                    self.last = LastAtom::Nothing;
                }
                c => {
                    self.out.push(c);
                    self.last = LastAtom::Atom;
                }
            }
        }
        match self.open.last() {
            Some(open) => Err(Self::refuse(open.at, "the group has no closing `)`")),
            None => Ok(()),
        }
    }

    /// Writes a character that must be escaped with the flag.
    fn itself(&mut self, at: usize, c: char) {
        self.note(at, c, ITSELF);
        self.out.push('\\');
        self.out.push(c);
        self.last = LastAtom::Atom;
    }

    /// Returns the quantifier at the current place: `{2}`, `{2,}` or `{2,3}`; `None` for other braces.
    fn braces(&self) -> Option<String> {
        let text: String = self.chars.get(self.at - 1..)?.iter().take_while(|c| **c != '}').collect();
        let counts = text.strip_prefix('{')?;
        let (least, most) = counts.split_once(',').map_or((counts, None), |(least, most)| (least, Some(most)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_end = self.chars.get(self.at - 1 + text.chars().count()) == Some(&'}');
        (has_end && !least.is_empty() && digits(least) && most.is_none_or(digits)).then(|| format!("{text}}}"))
    }

    fn repeated(&mut self, at: usize, written: String) -> Result<(), SyntaxError> {
        let counts = written.strip_prefix('{').and_then(|counts| counts.strip_suffix('}')?.split_once(','));
        let digits = |text: &str| text.trim_start_matches('0').to_owned();
        let both = counts.filter(|(_, most)| !most.is_empty()).map(|(least, most)| (digits(least), digits(most)));
        if both.is_some_and(|(least, most)| (least.len(), least) > (most.len(), most)) {
            return Err(Self::refuse(at, format!("the minimum of `{written}` is above its maximum")));
        }
        match self.last {
            LastAtom::Atom => {}
            LastAtom::Ahead(start) => {
                self.note(at, written.clone(), "repeats a lookahead");
                // a repeated lookahead is equivalent to one lookahead, or to none if zero repetitions are allowed
                if matches!(written.as_str(), "*" | "?") || written.starts_with("{0") {
                    self.out.insert_str(start, "(?:");
                    self.out.push_str("|)");
                }
                if self.peek(0) == Some('?') {
                    self.at += 1;
                }
                self.last = LastAtom::Repeated;
                return Ok(());
            }
            LastAtom::Repeated => {
                let why = format!("`{written}` follows another quantifier: ECMA-262 has no possessive quantifiers");
                return Err(Self::refuse(at, why));
            }
            LastAtom::Nothing => {
                return Err(Self::refuse(
                    at,
                    format!("`{written}` has nothing to repeat: write `\\{written}` to match it literally"),
                ));
            }
        }
        self.out.push_str(&written);
        if self.peek(0) == Some('?') {
            self.at += 1;
            self.out.push('?');
        }
        self.last = LastAtom::Repeated;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_annex_b_takes_is_written_with_the_flag() {
        for (written, want, at) in [
            (r"[\w-.]", r"[\w\-.]", 4),
            (r"^[a-\d]$", r"^[a\-\d]$", 4),
            (r"^\p{L}[\w-.]$", r"^\p{L}[\w\-.]$", 10),
            (r"\u{61}a}", r"\u{61}a\}", 8),
            (r"{{.*}}", r"\{\{.*\}\}", 1),
            (r"a}", r"a\}", 2),
            (r"a]", r"a\]", 2),
            (r"x{,3}", r"x\{,3\}", 2),
            (r"\Aa", r"Aa", 1),
            (r"a\Z", r"aZ", 2),
            (r"^\1$", r"^\x01$", 2),
            (r"(a)\2\101", r"(a)\x02A".replace('A', r"\x41").as_str(), 4),
            (r"\8", r"\x38", 1),
            (r"(a)\1\8", r"(a)\1\x38", 6),
            (r"\x4", "x4", 1),
            (r"\u12", "u12", 1),
            (r"\c1", r"\\c1", 1),
            (r"\k<a>", "k<a>", 1),
            (r"(?=a)*b", r"(?:(?=a)|)b", 6),
            (r"(?=a)+b", r"(?=a)b", 6),
        ] {
            let found = accepted(written).unwrap().unwrap();
            assert_eq!((found.pattern.as_str(), found.loose.at), (want, at), "{written}");
            assert!(jsonschema_regex::is_valid_ecma_regex(&found.pattern), "{written}: {}", found.pattern);
        }
    }

    #[test]
    fn a_refusal_has_its_place_and_what_to_write() {
        for (written, why) in [
            ("(?i)a", "`(?i)` doesn't exist in ECMA-262: flags apply to a group, `(?i:…)` at character 1"),
            (
                "a(?P<n>b)",
                "a named group is written `(?<n>…)`, not `(?P<n>…)` at character 2".replace("<n>", "<name>").as_str(),
            ),
            ("[a-", "the character class has no closing `]` at character 1"),
            ("a(b", "the group has no closing `)` at character 2"),
            ("a)", "`)` has no opening `(`: write `\\)` to match it literally at character 2"),
            ("*a", "`*` has nothing to repeat: write `\\*` to match it literally at character 1"),
            ("^[z-a]$", "the first character of the range `z-a` comes after its last at character 3"),
            (r"[a\u{62}-\x61]", r"the first character of the range `\u{62}-\x61` comes after its last at character 3"),
            ("a{3,2}", "the minimum of `{3,2}` is above its maximum at character 2"),
            (r"\u{110000}", r"`\u{110000}` isn't the code point of a character at character 1"),
            (r"(?<a>b)\k<c>", r"`\k` is not followed by the name of a group, as in `\k<name>` at character 8"),
            ("a++", "`+` follows another quantifier: ECMA-262 has no possessive quantifiers at character 3"),
            ("(?>a)", "ECMA-262 has no atomic groups: write `(?:…)` if the group may backtrack at character 1"),
            (r"\x{1}", r"a character's code point is written `\u{…}`, not `\x{…}` at character 1"),
            ("a\\", "the pattern ends with a single `\\`: write `\\\\` to match a backslash at character 2"),
        ] {
            assert_eq!(accepted(written).map_err(|refusal| refusal.to_string()), Err(why.to_owned()), "{written}");
        }
    }
}
