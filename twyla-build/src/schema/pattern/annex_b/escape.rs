//! Escapes, in a class and outside.

use jsonschema_regex::is_valid_ecma_regex;

use super::{LastAtom, Rewriter, SyntaxError};
use crate::schema::pattern::groups;

impl Rewriter {
    /// Reads an escape outside of a class, after its `\`.
    pub(super) fn escape(&mut self, at: usize) -> Result<(), SyntaxError> {
        let c = self.peek(0).ok_or_else(|| {
            Self::refuse(at, "the pattern ends with a single `\\`: write `\\\\` to match a backslash")
        })?;
        self.last = if matches!(c, 'b' | 'B') { LastAtom::Nothing } else { LastAtom::Atom };
        match c {
            'b' | 'B' => self.same(2),
            'k' if self.named => {
                let rest: String = self.chars.iter().skip(self.at + 1).collect();
                let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
                let known = name.and_then(groups::name).is_some_and(|name| self.names.contains(&Some(name)));
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
                return Err(Self::refuse(at, "a character's code point is written `\\u{…}`, not `\\x{…}`"));
            }
            c => self.atom(at, c)?,
        }
        Ok(())
    }

    /// Copies this many characters, including the `\` that was read.
    pub(super) fn same(&mut self, count: usize) {
        self.out.extend(self.chars.iter().skip(self.at - 1).take(count));
        self.at += count - 1;
    }

    /// Reads the rest of an escape whose first character after the `\` is `c`, in a class and outside.
    pub(super) fn atom(&mut self, at: usize, c: char) -> Result<(), SyntaxError> {
        let hex = |count: usize| (1..=count).all(|i| self.peek(i).is_some_and(|c| c.is_ascii_hexdigit()));
        match c {
            'p' | 'P' if self.peek(1) == Some('{') => self.braced(at, "isn't a Unicode property of ECMA-262")?,
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'f' | 'n' | 'r' | 't' | 'v' | 'p' | 'P' => self.same(2),
            'x' if hex(2) => self.same(4),
            'u' if hex(4) => self.same(6),
            'u' if self.peek(1) == Some('{') => self.braced(at, "isn't the code point of a character")?,
            'c' if self.peek(1).is_some_and(|c| c.is_ascii_alphabetic()) => self.same(3),
            'c' => {
                self.note(at, "\\c", "matches a backslash and the letter `c`");
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
                    _ => "matches the character itself",
                };
                self.note(at, format!("\\{c}"), means);
                // a digit after a backreference would belong to its number
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

    /// Reads an escape with braces, such as `\p{Lu}`. Refuses an escape that isn't valid with the flag `u`.
    fn braced(&mut self, at: usize, why: &str) -> Result<(), SyntaxError> {
        let length = self.chars.iter().skip(at).take_while(|c| **c != '}').count() + 1;
        let written: String = self.chars.iter().skip(at).take(length).collect();
        if !is_valid_ecma_regex(&written) {
            return Err(Self::refuse(at, format!("`{written}` {why}")));
        }
        self.same(length);
        Ok(())
    }
}
