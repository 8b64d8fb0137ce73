//! Rewrites patterns that ECMA-262 accepts only without the flag `u` (its Annex B) as patterns with it, or refuses them with
//! the place.
//!
//! Patterns of JSON Schema have the flag. Validators without it accept more, and many schemas use that.

use std::fmt;

use jsonschema_regex::is_valid_ecma_regex;

use super::groups::group_names;
use super::translator::class_point;

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
    /// Its meaning.
    pub means: &'static str,
}

/// Why a pattern is invalid with and without the flag `u`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The index of the character in the pattern, from 1.
    pub at: usize,
    /// What is wrong, and what to write.
    pub why: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.why, self.at)
    }
}

const ITSELF: &str = "matches itself there";

/// Rewrites a pattern with the flag `u`; none if nothing in it needs rewriting.
pub(crate) fn accepted(pattern: &str) -> Result<Option<StrictPattern>, SyntaxError> {
    let mut reader = Rewriter::new(pattern);
    reader.pattern()?;
    let Rewriter { out, loose, .. } = reader;
    Ok(loose.map(|loose| StrictPattern { pattern: out, loose }))
}

/// What a quantifier would repeat.
#[derive(Clone, Copy, PartialEq)]
enum LastAtom {
    /// Nothing.
    Nothing,
    /// An atom or a group.
    Atom,
    /// A lookahead, with the offset of its text in the output.
    Ahead(usize),
    /// A repetition.
    Repeated,
}

/// A group that is open.
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

    /// Records syntax that the flag forbids.
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
            Some(open) => Err(Self::refuse(open.at, "the group that begins here has no end `)`")),
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

    /// Reads `{2}`, `{2,}` or `{2,3}` at the current place.
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
            return Err(Self::refuse(at, format!("`{written}` is out of order: its least count is above its most")));
        }
        match self.last {
            LastAtom::Atom => {}
            LastAtom::Ahead(start) => {
                self.note(at, written.clone(), "repeats a lookahead");
                // a repeated lookahead equals one, or none if zero repetitions are allowed
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
                let why =
                    format!("`{written}` repeats what is repeated already: ECMA-262 has no possessive quantifiers");
                return Err(Self::refuse(at, why));
            }
            LastAtom::Nothing => {
                return Err(Self::refuse(
                    at,
                    format!("`{written}` has nothing before it that it could repeat: write `\\{written}` for the text"),
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

    /// After `(`.
    fn group(&mut self, at: usize) -> Result<(), SyntaxError> {
        let start = self.out.len();
        let begins = ["?:", "?=", "?!", "?<=", "?<!"].into_iter().find(|text| self.rest_begins(text));
        let mut open = OpenGroup { at, start, ahead: false, behind: false };
        self.out.push('(');
        if let Some(begins) = begins {
            self.at += begins.len();
            self.out.push_str(begins);
            open.ahead = matches!(begins, "?=" | "?!");
            open.behind = matches!(begins, "?<=" | "?<!");
        } else if self.peek(0) == Some('?') {
            let special: String =
                self.chars.iter().skip(self.at).take_while(|c| !matches!(c, ')' | ':' | '>')).collect();
            let end = self.peek(special.chars().count());
            let flags = special.strip_prefix('?').unwrap_or_default();
            let is_flags = !flags.is_empty() && flags.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
            match end {
                Some('>') if special.starts_with("?<") => {}
                Some(':') if is_flags && flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | '-')) => {}
                _ if special.starts_with("?P<") => {
                    return Err(Self::refuse(at, "a named group is written `(?<name>…)` and not `(?P<name>…)`"));
                }
                _ if special.starts_with("?P=") => {
                    return Err(Self::refuse(
                        at,
                        "a reference to a named group is written `\\k<name>` and not `(?P=name)`",
                    ));
                }
                Some(')') if is_flags => {
                    let why = format!("`(?{flags})` doesn't exist in ECMA-262: flags apply to a group, `(?{flags}:…)`");
                    return Err(Self::refuse(at, why));
                }
                _ if special.starts_with("?#") => return Err(Self::refuse(at, "ECMA-262 has no comments in patterns")),
                Some('>') if special == "?" => {
                    return Err(Self::refuse(
                        at,
                        "ECMA-262 has no atomic groups: write `(?:…)` if it may be tried again",
                    ));
                }
                _ => return Err(Self::refuse(at, "`(?` doesn't begin a group of ECMA-262")),
            }
            let length = special.chars().count() + 1;
            self.out.extend(self.chars.iter().skip(self.at).take(length));
            self.at += length;
        }
        self.open.push(open);
        self.last = LastAtom::Nothing;
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), SyntaxError> {
        let open = self.open.pop();
        let open = open.ok_or_else(|| Self::refuse(at, "`)` has no group to end: write `\\)` for the text"))?;
        self.out.push(')');
        self.last = match open {
            OpenGroup { ahead: true, start, .. } => LastAtom::Ahead(start),
            OpenGroup { behind: true, .. } => LastAtom::Nothing,
            OpenGroup { .. } => LastAtom::Atom,
        };
        Ok(())
    }

    /// After `\`, outside of a class.
    fn escape(&mut self, at: usize) -> Result<(), SyntaxError> {
        let c = self.peek(0).ok_or_else(|| Self::refuse(at, "`\\` stands at the end: write `\\\\` for the text"))?;
        self.last = if matches!(c, 'b' | 'B') { LastAtom::Nothing } else { LastAtom::Atom };
        match c {
            'b' | 'B' => self.same(2),
            'k' if self.named => {
                let rest: String = self.chars.iter().skip(self.at + 1).collect();
                let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
                let known = name.and_then(super::groups::name).is_some_and(|name| self.names.contains(&Some(name)));
                if !known {
                    return Err(Self::refuse(at, "`\\k` is not followed by the name of a group, as in `\\k<name>`"));
                }
                self.same(2);
            }
            '1'..='9' => {
                let digits: String = self.chars.iter().skip(self.at).take_while(|c| c.is_ascii_digit()).collect();
                if digits.parse::<usize>().is_ok_and(|number| number <= self.groups) {
                    self.same(1 + digits.len());
                } else {
                    self.atom(at, c)?;
                }
            }
            'x' if self.peek(1) == Some('{') => {
                return Err(Self::refuse(at, "a character's code point is written `\\u{…}` and not `\\x{…}`"));
            }
            c => self.atom(at, c)?,
        }
        Ok(())
    }

    /// Copies so many characters, including the `\` that was read.
    fn same(&mut self, count: usize) {
        self.out.extend(self.chars.iter().skip(self.at - 1).take(count));
        self.at += count - 1;
    }

    /// `\` and `c`, in a class and outside.
    fn atom(&mut self, at: usize, c: char) -> Result<(), SyntaxError> {
        let hex = |count: usize| (1..=count).all(|i| self.peek(i).is_some_and(|c| c.is_ascii_hexdigit()));
        match c {
            'p' | 'P' if self.peek(1) == Some('{') => self.braced(at, "isn't a Unicode property that ECMA-262 has")?,
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'f' | 'n' | 'r' | 't' | 'v' | 'p' | 'P' => self.same(2),
            'x' if hex(2) => self.same(4),
            'u' if hex(4) => self.same(6),
            'u' if self.peek(1) == Some('{') => self.braced(at, "isn't the code point of a character")?,
            'c' if self.peek(1).is_some_and(|c| c.is_ascii_alphabetic()) => self.same(3),
            'c' => {
                self.note(at, "\\c", "matches a backslash and the letter `c` there");
                self.out.push_str("\\\\");
            }
            '0'..='7' => {
                let digits: String =
                    self.chars.iter().skip(self.at).take(3).take_while(|c| matches!(c, '0'..='7')).collect();
                // as many digits as fit into a byte
                let count =
                    if digits.len() == 3 && !digits.starts_with(['0', '1', '2', '3']) { 2 } else { digits.len() };
                let digits = digits.get(..count).unwrap_or_default();
                if digits == "0" {
                    self.same(2);
                } else {
                    self.note(at, format!("\\{digits}"), "is an octal escape of a character");
                    self.out.push_str(&format!("\\x{:02X}", u32::from_str_radix(digits, 8).unwrap_or_default()));
                    self.at += count;
                }
            }
            c if c.is_alphanumeric() || c == '_' => {
                let means = match c {
                    'A' => "matches the letter `A`, not the beginning of the text (`^`)",
                    'Z' | 'z' => "matches the letter, not the end of the text (`$`)",
                    'h' | 'H' => "matches the letter, not horizontal white space (`[ \\t]`)",
                    'Q' | 'E' => "matches the letter: ECMA-262 has no quoting",
                    _ => "matches that character itself",
                };
                self.note(at, format!("\\{c}"), means);
                // a digit after a reference would belong to it
                match c {
                    '8' | '9' => self.out.push_str(&format!("\\x{:02X}", u32::from(c))),
                    c => self.out.push(c),
                }
                self.at += 1;
            }
            // an unnecessary escape
            c => {
                if r"^$\.*+?()[]{}|/-".contains(c) {
                    self.out.push('\\');
                }
                self.out.push(c);
                self.at += 1;
            }
        }
        Ok(())
    }

    /// An escape with braces, as `\\p{Lu}`: refused with a reason if it means nothing with the flag either.
    fn braced(&mut self, at: usize, why: &str) -> Result<(), SyntaxError> {
        let length = self.chars.iter().skip(at).take_while(|c| **c != '}').count() + 1;
        let written: String = self.chars.iter().skip(at).take(length).collect();
        if !is_valid_ecma_regex(&written) {
            return Err(Self::refuse(at, format!("`{written}` {why}")));
        }
        self.same(length);
        Ok(())
    }

    /// After `[`.
    fn class(&mut self, at: usize) -> Result<(), SyntaxError> {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        // whether the last atom is a set, or begins or ends a range, and its offset in the output
        let (mut set, mut ends) = (false, true);
        let (mut begin, mut start) = (self.at, self.out.len());
        loop {
            let from = self.at;
            let c = self.peek(0).ok_or_else(|| Self::refuse(at, "the class that begins here has no end `]`"))?;
            self.at += 1;
            match c {
                ']' => break,
                '-' if from > at + 1 && !ends && self.peek(0) != Some(']') => {
                    let next_is_set = self.peek(0) == Some('\\')
                        && matches!(self.peek(1), Some('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P'));
                    if set || next_is_set {
                        self.note(from, "-", "matches itself beside a class such as `\\w`");
                        self.out.push_str("\\-");
                        (set, ends) = (false, true);
                    } else {
                        let low = class_point(self.out.get(start..).unwrap_or_default());
                        self.out.push('-');
                        start = self.out.len();
                        self.class_atom()?;
                        let high = class_point(self.out.get(start..).unwrap_or_default());
                        if low.zip(high).is_some_and(|(low, high)| low > high) {
                            let range: String = self.chars.iter().take(self.at).skip(begin).collect();
                            let why = format!(
                                "the range `{range}` is out of order: its first character comes after its last"
                            );
                            return Err(Self::refuse(begin, why));
                        }
                        (set, ends) = (false, true);
                    }
                }
                _ => {
                    self.at = from;
                    (begin, start) = (from, self.out.len());
                    set = self.class_atom()?;
                    ends = false;
                }
            }
        }
        self.out.push(']');
        self.last = LastAtom::Atom;
        Ok(())
    }

    /// Reads one atom of a class, and returns whether it is a set.
    fn class_atom(&mut self) -> Result<bool, SyntaxError> {
        let at = self.at;
        let Some(c) = self.peek(0) else { return Ok(false) };
        self.at += 1;
        if c != '\\' {
            // an unescaped `[` may begin something else
            if c == '[' {
                self.out.push('\\');
            }
            self.out.push(c);
            return Ok(false);
        }
        let c = self.peek(0).ok_or_else(|| Self::refuse(at, "`\\` stands at the end: write `\\\\` for the text"))?;
        match c {
            'b' => self.same(2),
            c => self.atom(at, c)?,
        }
        Ok(matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P'))
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
                "a named group is written `(?<n>…)` and not `(?P<n>…)` at character 2"
                    .replace("<n>", "<name>")
                    .as_str(),
            ),
            ("[a-", "the class that begins here has no end `]` at character 1"),
            ("a(b", "the group that begins here has no end `)` at character 2"),
            ("a)", "`)` has no group to end: write `\\)` for the text at character 2"),
            ("*a", "`*` has nothing before it that it could repeat: write `\\*` for the text at character 1"),
            ("^[z-a]$", "the range `z-a` is out of order: its first character comes after its last at character 3"),
            (
                r"[a\u{62}-\x61]",
                r"the range `\u{62}-\x61` is out of order: its first character comes after its last at character 3",
            ),
            ("a{3,2}", "`{3,2}` is out of order: its least count is above its most at character 2"),
            (r"\u{110000}", r"`\u{110000}` isn't the code point of a character at character 1"),
            (r"(?<a>b)\k<c>", r"`\k` is not followed by the name of a group, as in `\k<name>` at character 8"),
            ("a++", "`+` repeats what is repeated already: ECMA-262 has no possessive quantifiers at character 3"),
            ("(?>a)", "ECMA-262 has no atomic groups: write `(?:…)` if it may be tried again at character 1"),
            (r"\x{1}", r"a character's code point is written `\u{…}` and not `\x{…}` at character 1"),
            ("a\\", "`\\` stands at the end: write `\\\\` for the text at character 2"),
        ] {
            assert_eq!(accepted(written).map_err(|refusal| refusal.to_string()), Err(why.to_owned()), "{written}");
        }
    }
}
