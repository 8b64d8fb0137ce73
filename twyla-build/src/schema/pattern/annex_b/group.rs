//! Groups, lookaheads and lookbehinds.

use super::{LastAtom, OpenGroup, Rewriter, SyntaxError};

impl Rewriter {
    /// Reads the beginning of a group, after its `(`.
    pub(super) fn group(&mut self, at: usize) -> Result<(), SyntaxError> {
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
                    return Err(Self::refuse(at, "a named group is written `(?<name>…)`, not `(?P<name>…)`"));
                }
                _ if special.starts_with("?P=") => {
                    return Err(Self::refuse(
                        at,
                        "a reference to a named group is written `\\k<name>`, not `(?P=name)`",
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
                        "ECMA-262 has no atomic groups: write `(?:…)` if the group may backtrack",
                    ));
                }
                _ => return Err(Self::refuse(at, "ECMA-262 has no group that begins like this with `(?`")),
            }
            let length = special.chars().count() + 1;
            self.out.extend(self.chars.iter().skip(self.at).take(length));
            self.at += length;
        }
        self.open.push(open);
        self.last = LastAtom::Nothing;
        Ok(())
    }

    /// Reads the end of a group, after its `)`.
    pub(super) fn close(&mut self, at: usize) -> Result<(), SyntaxError> {
        let open = self.open.pop();
        let open = open.ok_or_else(|| Self::refuse(at, "`)` has no opening `(`: write `\\)` to match it literally"))?;
        self.out.push(')');
        self.last = match open {
            OpenGroup { ahead: true, start, .. } => LastAtom::Ahead(start),
            OpenGroup { behind: true, .. } => LastAtom::Nothing,
            OpenGroup { .. } => LastAtom::Atom,
        };
        Ok(())
    }
}
