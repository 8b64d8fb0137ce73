//! Character classes.

use super::{LastAtom, Rewriter, SyntaxError};
use crate::schema::pattern::translator::class_point;

impl Rewriter {
    /// Reads a class, after its `[`.
    pub(super) fn class(&mut self, at: usize) -> Result<(), SyntaxError> {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        // `set`: the last atom is a set; `ends`: it can't begin a range; `begin` and `start`: its offsets in the
        // pattern and in the output
        let (mut set, mut ends) = (false, true);
        let (mut begin, mut start) = (self.at, self.out.len());
        loop {
            let from = self.at;
            let c = self.peek(0).ok_or_else(|| Self::refuse(at, "the character class has no closing `]`"))?;
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
                            let why = format!("the first character of the range `{range}` comes after its last");
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
        let c = self.peek(0).ok_or_else(|| {
            Self::refuse(at, "the pattern ends with a single `\\`: write `\\\\` to match a backslash")
        })?;
        match c {
            'b' => self.same(2),
            c => self.atom(at, c)?,
        }
        Ok(matches!(c, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P'))
    }
}
