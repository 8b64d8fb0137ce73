//! Translates patterns of ECMA-262 with the flag `u` to the syntax of the crates that match them.

use std::fmt::Write;

use super::cursor::Cursor;
use super::groups::{group_names, name, refers};

/// Returns the code point of a class atom; `None` if it is a set.
pub(super) fn class_point(text: &str) -> Option<u32> {
    match Translator::new(text).class_atom()? {
        ClassAtom::Point(point) => Some(point),
        ClassAtom::Set(_) => None,
    }
}

const DIGITS: &str = "0-9";
const WORD: &str = "A-Za-z0-9_";
/// The characters `WhiteSpace` and `LineTerminator` of ECMA-262.
const SPACE: &str = r"\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}";
const NO_LINE_END: &str = r"[^\n\r\x{2028}\x{2029}]";
const ANYTHING: &str = r"[\x{0}-\x{10FFFF}]";
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// Translates a valid pattern.
pub(super) struct Translator<'a> {
    cursor: Cursor<'a>,
    pub(super) out: String,
    pub(super) backtracking: bool,
    /// Whether groups must capture, because a backreference needs them.
    refers: bool,
    /// The names of the capture groups, in order.
    names: Vec<Option<String>>,
    /// Whether `.` matches line ends: in the pattern, and in each open group, the innermost last.
    dots: Vec<bool>,
}

/// An atom of a class.
enum ClassAtom {
    /// A code point, which may be half of a surrogate pair.
    Point(u32),
    /// A set of characters, in the syntax within a class.
    Set(String),
}

impl<'a> Translator<'a> {
    pub(super) fn new(pattern: &'a str) -> Self {
        let names = group_names(pattern);
        let refers = refers(pattern);
        Self {
            cursor: Cursor { rest: pattern },
            out: String::with_capacity(pattern.len() + 8),
            backtracking: false,
            refers,
            names,
            dots: vec![false],
        }
    }

    /// Creates a translator for the `fancy-regex` crate, which has no boundaries of ASCII words.
    pub(super) fn backtracking(pattern: &'a str) -> Self {
        Self { backtracking: true, ..Self::new(pattern) }
    }

    pub(super) fn pattern(&mut self) -> Option<()> {
        while let Some(c) = self.cursor.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    self.dots.pop();
                    self.out.push(')');
                }
                '.' if self.dots.last() == Some(&true) => self.out.push_str(ANYTHING),
                '.' => self.out.push_str(NO_LINE_END),
                '{' => {
                    let count = self.cursor.until('}')?;
                    let _ = write!(self.out, "{{{count}}}");
                }
                '^' | '$' | '|' | '*' | '+' | '?' => self.out.push(c),
                c => self.point(u32::from(c)),
            }
        }
        Some(())
    }

    /// Writes one character outside of a class.
    fn point(&mut self, point: u32) {
        match char::from_u32(point) {
            Some(c) => push(c, &mut self.out),
            // no text contains half of a surrogate pair
            None => self.out.push_str(NOTHING),
        }
    }

    /// Translates a group; the cursor is after its `(`.
    fn group(&mut self) -> Option<()> {
        let mut dots = *self.dots.last()?;
        if !self.cursor.eat("?") {
            self.out.push_str(if self.refers { "(" } else { "(?:" });
        } else if let Some(around) = ["=", "!", "<=", "<!"].into_iter().find(|around| self.cursor.eat(around)) {
            self.backtracking = true;
            let _ = write!(self.out, "(?{around}");
        } else if self.cursor.eat("<") {
            self.cursor.until('>')?;
            self.out.push_str(if self.refers { "(" } else { "(?:" });
        } else {
            let flags = self.cursor.until(':')?;
            let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
            if flags.contains('m') {
                return None;
            }
            dots = (dots || on.contains('s')) && !off.contains('s');
            let case = match (on.contains('i'), off.contains('i')) {
                (true, _) => "i",
                (_, true) => "-i",
                _ => "",
            };
            let _ = write!(self.out, "(?{case}:");
        }
        self.dots.push(dots);
        Some(())
    }

    /// Translates an escape outside of a class, after its `\`.
    fn escape(&mut self) -> Option<()> {
        let c = self.cursor.next()?;
        match c {
            // `fancy-regex` has no boundary of ASCII words
            'b' if self.backtracking => {
                let _ = write!(self.out, "(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))");
            }
            'B' if self.backtracking => {
                let _ = write!(self.out, "(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))");
            }
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'k' => {
                self.cursor.eat("<");
                let name = name(self.cursor.until('>')?)?;
                let groups: Vec<usize> =
                    (1..).zip(&self.names).filter(|(_, n)| n.as_ref() == Some(&name)).map(|(i, _)| i).collect();
                for group in groups {
                    self.same_as(group);
                }
            }
            '1'..='9' => {
                let digits = self.cursor.rest.bytes().take_while(u8::is_ascii_digit).count();
                let (more, rest) = self.cursor.rest.split_at_checked(digits)?;
                self.cursor.rest = rest;
                self.same_as(format!("{c}{more}").parse().ok()?);
            }
            c => match self.atom(c)? {
                ClassAtom::Point(point) => self.point(point),
                ClassAtom::Set(set) => {
                    let _ = write!(self.out, "[{set}]");
                }
            },
        }
        Some(())
    }

    /// Writes a backreference. In ECMA-262 a reference to a group that has no match matches the empty text.
    fn same_as(&mut self, group: usize) {
        self.backtracking = true;
        let _ = write!(self.out, r"(?:(?({group})\{group}|))");
    }

    /// Reads the rest of an escape whose first character after the `\` is `c`, in a class or outside.
    fn atom(&mut self, c: char) -> Option<ClassAtom> {
        Some(match c {
            'd' => ClassAtom::Set(DIGITS.to_owned()),
            'D' => ClassAtom::Set(format!("[^{DIGITS}]")),
            'w' => ClassAtom::Set(WORD.to_owned()),
            'W' => ClassAtom::Set(format!("[^{WORD}]")),
            's' => ClassAtom::Set(SPACE.to_owned()),
            'S' => ClassAtom::Set(format!("[^{SPACE}]")),
            'p' | 'P' => {
                self.cursor.eat("{");
                let property = self.cursor.until('}')?;
                ClassAtom::Set(format!("\\{c}{{{property}}}"))
            }
            'f' => ClassAtom::Point(0xC),
            'n' => ClassAtom::Point(0xA),
            'r' => ClassAtom::Point(0xD),
            't' => ClassAtom::Point(0x9),
            'v' => ClassAtom::Point(0xB),
            '0' => ClassAtom::Point(0),
            'c' => ClassAtom::Point(u32::from(self.cursor.next()?) % 32),
            'x' => ClassAtom::Point(self.cursor.hex(2)?),
            'u' => ClassAtom::Point(self.cursor.unicode()?),
            c => ClassAtom::Point(u32::from(c)),
        })
    }

    /// Translates a class, after its `[`.
    fn class(&mut self) -> Option<()> {
        let negated = self.cursor.eat("^");
        let mut set = String::new();
        while !self.cursor.eat("]") {
            let from = match self.class_atom()? {
                ClassAtom::Point(point) => point,
                ClassAtom::Set(text) => {
                    set.push_str(&text);
                    continue;
                }
            };
            let mut to = from;
            if self.cursor.rest.starts_with('-') && !self.cursor.rest.starts_with("-]") {
                self.cursor.eat("-");
                let ClassAtom::Point(point) = self.class_atom()? else { return None };
                to = point;
            }
            // halves of surrogate pairs match nothing in any text
            let from = char::from_u32(from).unwrap_or('\u{E000}');
            let to = char::from_u32(to).unwrap_or('\u{D7FF}');
            if from < to {
                push(from, &mut set);
                set.push('-');
                push(to, &mut set);
            } else if from == to {
                push(from, &mut set);
            }
        }
        match (set.is_empty(), negated) {
            (true, true) => self.out.push_str(ANYTHING),
            (true, false) => self.out.push_str(NOTHING),
            (false, true) => {
                let _ = write!(self.out, "[^{set}]");
            }
            (false, false) => {
                let _ = write!(self.out, "[{set}]");
            }
        }
        Some(())
    }

    fn class_atom(&mut self) -> Option<ClassAtom> {
        match self.cursor.next()? {
            '\\' => match self.cursor.next()? {
                'b' => Some(ClassAtom::Point(0x8)),
                c => self.atom(c),
            },
            c => Some(ClassAtom::Point(u32::from(c))),
        }
    }
}

/// Writes a literal character, in or outside of a class.
fn push(c: char, out: &mut String) {
    match c {
        c if c.is_ascii_punctuation() => {
            if regex_meta(c) {
                out.push('\\');
            }
            out.push(c);
        }
        c if c.is_control() || c.is_whitespace() && c != ' ' => {
            let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

fn regex_meta(c: char) -> bool {
    r"\.+*?()|[]{}^$#&-~".contains(c)
}
