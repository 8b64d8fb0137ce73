//! Writes tokens in lines that are no longer than the maximum.

use super::token::{LayoutToken, TokenGroup, TokenKind, kind, spaced, width};

/// The maximum number of characters in a line.
const WIDTH: usize = 110;

/// Writes tokens in lines.
pub(super) struct Printer {
    out: String,
    indent: usize,
    /// The current column.
    column: usize,
}

impl Printer {
    /// Returns the text of a file.
    pub(super) fn file(pieces: &[LayoutToken]) -> String {
        let mut printer = Self { out: String::new(), indent: 0, column: 0 };
        printer.lines(pieces, true);
        printer.out
    }

    fn push(&mut self, text: &str) {
        if self.column == 0 {
            self.column = 4 * self.indent;
            self.out.extend(std::iter::repeat_n(' ', self.column));
        }
        self.out.push_str(text);
        self.column += text.len();
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Writes the content of a group or a file: one line per statement, item, arm or argument.
    fn lines(&mut self, pieces: &[LayoutToken], braces: bool) {
        let mut start = 0;
        // commas between `<` and `>` don't end a line
        let mut angles = 0_usize;
        for (index, piece) in pieces.iter().enumerate() {
            let next = pieces.get(index + 1);
            let ends = match piece {
                LayoutToken::Doc(_) => true,
                LayoutToken::Op(_, op) => match *op {
                    "<" => {
                        angles += 1;
                        false
                    }
                    ">" => {
                        angles = angles.saturating_sub(1);
                        false
                    }
                    "," => angles == 0,
                    ";" => {
                        angles = 0;
                        true
                    }
                    _ => false,
                },
                // an attribute, or something that ends with a block
                LayoutToken::Group(TokenGroup { open: "[", .. }) => {
                    index.checked_sub(1).and_then(|before| pieces.get(before)).is_some_and(|before| is(before, "#"))
                }
                LayoutToken::Group(TokenGroup { open: "{", .. }) => braces && !next.is_some_and(goes_on),
                _ => false,
            };
            if ends || next.is_none() {
                let line = pieces.get(start..=index).unwrap_or_default();
                self.line(line);
                start = index + 1;
                let block = matches!(piece, LayoutToken::Group(TokenGroup { open: "{", tall: true, .. }));
                if block && self.indent <= 1 && next.is_some() {
                    self.out.push('\n');
                }
            }
        }
    }

    fn line(&mut self, pieces: &[LayoutToken]) {
        if let [LayoutToken::Doc(text)] = pieces {
            self.push("///");
            self.push(text.trim_end());
            return self.end_line();
        }
        self.run(pieces);
        self.end_line();
    }

    /// Writes tokens in sequence, broken if they are too long.
    fn run(&mut self, pieces: &[LayoutToken]) {
        self.spaced(pieces, |it, group, rest| {
            // the tokens that must follow the group in the same line
            let next = rest.iter().position(|piece| matches!(piece, LayoutToken::Group(_))).unwrap_or(rest.len());
            let behind = width(rest.get(..next).unwrap_or_default()) + 2;
            let column = it.column.max(4 * it.indent);
            if !group.tall && column + group.width + behind <= WIDTH {
                it.flat(group);
            } else {
                it.broken(group);
            }
        });
    }

    /// Writes tokens with the spaces between them; `write` gets each group, and the tokens after it.
    fn spaced(&mut self, pieces: &[LayoutToken], write: impl Fn(&mut Self, &TokenGroup, &[LayoutToken])) {
        let mut before = TokenKind::Start;
        for (index, piece) in pieces.iter().enumerate() {
            let kind = kind(piece);
            if spaced(before, kind) {
                self.push(" ");
            }
            before = kind;
            match piece {
                LayoutToken::Word(_, text) | LayoutToken::Doc(text) => self.push(text),
                LayoutToken::Op(_, text) => self.push(text),
                LayoutToken::Group(group) => write(self, group, pieces.get(index + 1..).unwrap_or_default()),
            }
        }
    }

    fn broken(&mut self, group: &TokenGroup) {
        self.push(group.open);
        let one = !group.pieces.iter().any(|piece| is(piece, ",") || is(piece, ";"));
        if one && group.open != "{" && matches!(group.pieces.last(), Some(LayoutToken::Group(_))) {
            // `Ok(Self {` stays in one line
            self.run(&group.pieces);
        } else if !group.pieces.is_empty() {
            self.end_line();
            self.indent += 1;
            self.lines(&group.pieces, group.open == "{");
            self.indent -= 1;
        }
        self.push(group.close);
    }

    fn flat(&mut self, group: &TokenGroup) {
        let room = if group.open == "{" && !group.pieces.is_empty() { " " } else { "" };
        self.push(group.open);
        self.push(room);
        self.spaced(&group.pieces, |it, group, _| it.flat(group));
        self.push(room);
        self.push(group.close);
    }
}

fn is(piece: &LayoutToken, operator: &str) -> bool {
    matches!(piece, LayoutToken::Op(_, op) if *op == operator)
}

/// Returns whether the line continues after a block.
fn goes_on(next: &LayoutToken) -> bool {
    match next {
        LayoutToken::Word(_, word) => word == "else" || word == "as",
        LayoutToken::Op(_, op) => !matches!(*op, "#" | "::" | "&" | "*" | "<"),
        LayoutToken::Doc(_) | LayoutToken::Group(_) => false,
    }
}
