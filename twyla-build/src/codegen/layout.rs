//! Generated tokens as text for people: what fits on a line is on one, the rest is broken at its braces, brackets and commas.
//!
//! Nearly as rustfmt would have it, and several times cheaper than parsing the code for that: a build script runs unoptimized.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Characters in a line.
const WIDTH: usize = 110;

/// The text of generated code.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut printer = Printer { out: String::new(), indent: 0, column: 0 };
    printer.lines(&pieces(tokens), true);
    printer.out
}

/// A token, or a group of them, with what it takes in one line.
#[derive(Debug)]
enum Piece {
    /// An identifier, a keyword, a literal or a lifetime.
    Word(Kind, String),
    /// An operator of one or more characters.
    Op(Kind, &'static str),
    /// A line of documentation, which ends its line.
    Doc(String),
    Group(Group),
}

#[derive(Debug)]
struct Group {
    open: &'static str,
    close: &'static str,
    pieces: Vec<Piece>,
    width: usize,
    /// Whether it can't be in one line.
    tall: bool,
}

/// How tokens are next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Start,
    Word,
    /// A keyword with a space behind it, whatever follows.
    Keyword,
    /// `,` and `;`
    Separator,
    /// `:`
    Colon,
    /// With spaces on both sides.
    Binary,
    /// With none behind it.
    Prefix,
    /// `::` and `.`
    Path,
    Less,
    Greater,
    /// `!` and `?`
    Postfix,
    Braces,
    /// Parentheses and brackets.
    Parens,
}

/// How an operator of one character stands.
fn operator(c: char) -> Option<(Kind, &'static str)> {
    Some(match c {
        ':' => (Kind::Colon, ":"),
        ',' => (Kind::Separator, ","),
        ';' => (Kind::Separator, ";"),
        '.' => (Kind::Path, "."),
        '&' => (Kind::Prefix, "&"),
        '*' => (Kind::Prefix, "*"),
        '-' => (Kind::Prefix, "-"),
        '#' => (Kind::Prefix, "#"),
        '$' => (Kind::Prefix, "$"),
        '\'' => (Kind::Prefix, "'"),
        '<' => (Kind::Less, "<"),
        '>' => (Kind::Greater, ">"),
        '!' => (Kind::Postfix, "!"),
        '?' => (Kind::Postfix, "?"),
        '=' => (Kind::Binary, "="),
        '|' => (Kind::Binary, "|"),
        '+' => (Kind::Binary, "+"),
        '/' => (Kind::Binary, "/"),
        '%' => (Kind::Binary, "%"),
        '^' => (Kind::Binary, "^"),
        '@' => (Kind::Binary, "@"),
        '~' => (Kind::Binary, "~"),
        _ => return None,
    })
}

/// The operator that two make together.
fn joined(first: &'static str, c: char) -> Option<(Kind, &'static str)> {
    let both = match (first, c) {
        (":", ':') => return Some((Kind::Path, "::")),
        (".", '.') => return Some((Kind::Path, "..")),
        ("..", '=') => return Some((Kind::Path, "..=")),
        ("-", '>') => "->",
        ("=", '>') => "=>",
        ("&", '&') => "&&",
        ("|", '|') => "||",
        ("=", '=') => "==",
        ("!", '=') => "!=",
        ("<", '=') => "<=",
        (">", '=') => ">=",
        ("+", '=') => "+=",
        ("-", '=') => "-=",
        ("*", '=') => "*=",
        ("/", '=') => "/=",
        ("%", '=') => "%=",
        ("^", '=') => "^=",
        ("|", '=') => "|=",
        ("&", '=') => "&=",
        _ => return None,
    };
    Some((Kind::Binary, both))
}

fn pieces(tokens: TokenStream) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    // whether the last character may be one operator with the next
    let mut open = false;
    for token in tokens {
        let before =
            std::mem::replace(&mut open, matches!(&token, TokenTree::Punct(p) if p.spacing() == Spacing::Joint));
        match token {
            TokenTree::Punct(punct) => {
                let c = punct.as_char();
                if before
                    && let Some(Piece::Op(kind, text)) = out.last_mut()
                    && let Some(both) = joined(text, c)
                {
                    (*kind, *text) = both;
                } else if let Some((kind, text)) = operator(c) {
                    out.push(Piece::Op(kind, text));
                }
            }
            TokenTree::Ident(ident) => {
                let mut word = ident.to_string();
                if matches!(out.last(), Some(Piece::Op(_, "'"))) {
                    out.pop();
                    word.insert(0, '\'');
                }
                out.push(Piece::Word(word_kind(&word), word));
            }
            TokenTree::Literal(literal) => out.push(Piece::Word(Kind::Word, literal.to_string())),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => {
                        out.extend(pieces(group.stream()));
                        continue;
                    }
                };
                if open == "["
                    && matches!(out.last(), Some(Piece::Op(_, "#")))
                    && let Some(doc) = doc(group.stream())
                {
                    out.pop();
                    out.push(Piece::Doc(doc));
                    continue;
                }
                let pieces = pieces(group.stream());
                let width = width(&pieces) + if open == "{" { 4 } else { 2 };
                let tall = pieces.iter().any(|piece| match piece {
                    Piece::Doc(_) => true,
                    Piece::Word(_, word) => open == "{" && matches!(word.as_str(), "fn" | "struct" | "const"),
                    Piece::Op(_, op) => open == "{" && matches!(*op, ";" | "#"),
                    Piece::Group(group) => group.tall,
                });
                out.push(Piece::Group(Group { open, close, pieces, width, tall }));
            }
        }
    }
    out
}

/// The text of `#[doc = ".."]`.
fn doc(attribute: TokenStream) -> Option<String> {
    let mut tokens = attribute.into_iter();
    match (tokens.next()?, tokens.next()?, tokens.next()?, tokens.next()) {
        (TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(text), None) if name == "doc" => {
            let text = text.to_string();
            if let Some(raw) = text.strip_prefix("r\"") {
                return raw.strip_suffix('"').map(str::to_owned);
            }
            unescaped(text.strip_prefix('"')?.strip_suffix('"')?)
        }
        _ => None,
    }
}

/// The text of a literal without control characters.
fn unescaped(literal: &str) -> Option<String> {
    let mut out = String::with_capacity(literal.len());
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                c @ ('\\' | '"' | '\'') => out.push(c),
                'u' => {
                    let (digits, rest) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    out.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?);
                    chars = rest.chars();
                }
                _ => return None,
            },
            c => out.push(c),
        }
    }
    (!out.contains(['\n', '\r'])).then_some(out)
}

fn width(pieces: &[Piece]) -> usize {
    let mut before = Kind::Start;
    let mut width = 0;
    for piece in pieces {
        let kind = kind(piece);
        width += usize::from(spaced(before, kind))
            + match piece {
                Piece::Word(_, text) | Piece::Doc(text) => text.len(),
                Piece::Op(_, text) => text.len(),
                Piece::Group(group) => group.width,
            };
        before = kind;
    }
    width
}

fn word_kind(word: &str) -> Kind {
    if word.len() > "static".len() || !word.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Kind::Word;
    }
    match word {
        "as" | "break" | "const" | "dyn" | "else" | "for" | "if" | "impl" | "in" | "let" | "match" | "mod" | "move"
        | "mut" | "pub" | "ref" | "return" | "static" | "use" | "where" | "while" => Kind::Keyword,
        _ => Kind::Word,
    }
}

fn kind(piece: &Piece) -> Kind {
    match piece {
        Piece::Word(kind, _) | Piece::Op(kind, _) => *kind,
        Piece::Doc(_) => Kind::Word,
        Piece::Group(Group { open: "{", .. }) => Kind::Braces,
        Piece::Group(_) => Kind::Parens,
    }
}

/// Whether there is a space between two tokens.
fn spaced(before: Kind, next: Kind) -> bool {
    match (before, next) {
        (Kind::Start | Kind::Prefix, _) | (_, Kind::Separator | Kind::Colon | Kind::Postfix) => {
            next == Kind::Postfix && matches!(before, Kind::Keyword | Kind::Binary)
        }
        (Kind::Keyword | Kind::Separator | Kind::Colon | Kind::Binary, _) => true,
        (Kind::Path, Kind::Braces) => false,
        (_, Kind::Binary | Kind::Braces) => true,
        (_, Kind::Path | Kind::Less | Kind::Greater) | (Kind::Path | Kind::Less, _) => false,
        (Kind::Word | Kind::Greater | Kind::Postfix, Kind::Parens) => false,
        (Kind::Postfix, Kind::Word | Kind::Keyword) => false,
        (Kind::Parens, Kind::Parens) => false,
        (Kind::Word | Kind::Greater | Kind::Parens | Kind::Braces | Kind::Postfix, _) => true,
    }
}

struct Printer {
    out: String,
    indent: usize,
    /// Where the line ends so far.
    column: usize,
}

impl Printer {
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

    /// What is in braces, brackets or parentheses, or a whole file: a line for each statement, item, arm or argument.
    fn lines(&mut self, pieces: &[Piece], braces: bool) {
        let mut start = 0;
        // commas between `<` and `>` end no line
        let mut angles = 0_usize;
        for (index, piece) in pieces.iter().enumerate() {
            let next = pieces.get(index + 1);
            let ends = match piece {
                Piece::Doc(_) => true,
                Piece::Op(_, op) => match *op {
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
                // an attribute, and what ends with a block
                Piece::Group(Group { open: "[", .. }) => {
                    index.checked_sub(1).and_then(|before| pieces.get(before)).is_some_and(|before| is(before, "#"))
                }
                Piece::Group(Group { open: "{", .. }) => braces && !next.is_some_and(goes_on),
                _ => false,
            };
            if ends || next.is_none() {
                let line = pieces.get(start..=index).unwrap_or_default();
                self.line(line);
                start = index + 1;
                let block = matches!(piece, Piece::Group(Group { open: "{", tall: true, .. }));
                if block && self.indent <= 1 && next.is_some() {
                    self.out.push('\n');
                }
            }
        }
    }

    fn line(&mut self, pieces: &[Piece]) {
        if let [Piece::Doc(text)] = pieces {
            self.push("///");
            self.push(text.trim_end());
            return self.end_line();
        }
        self.run(pieces);
        self.end_line();
    }

    /// Tokens one after the other, broken where they are too many.
    fn run(&mut self, pieces: &[Piece]) {
        let mut before = Kind::Start;
        for (index, piece) in pieces.iter().enumerate() {
            let kind = kind(piece);
            if spaced(before, kind) {
                self.push(" ");
            }
            before = kind;
            match piece {
                Piece::Word(_, text) | Piece::Doc(text) => self.push(text),
                Piece::Op(_, text) => self.push(text),
                Piece::Group(group) => {
                    // what has to be behind it in its line
                    let rest = pieces.get(index + 1..).unwrap_or_default();
                    let next = rest.iter().position(|piece| matches!(piece, Piece::Group(_))).unwrap_or(rest.len());
                    let behind = width(rest.get(..next).unwrap_or_default()) + 2;
                    let column = self.column.max(4 * self.indent);
                    if !group.tall && column + group.width + behind <= WIDTH {
                        self.flat(group);
                    } else {
                        self.broken(group);
                    }
                }
            }
        }
    }

    fn broken(&mut self, group: &Group) {
        self.push(group.open);
        let one = !group.pieces.iter().any(|piece| is(piece, ",") || is(piece, ";"));
        if one && group.open != "{" && matches!(group.pieces.last(), Some(Piece::Group(_))) {
            // `Ok(Self {` needs no lines of its own
            self.run(&group.pieces);
        } else if !group.pieces.is_empty() {
            self.end_line();
            self.indent += 1;
            self.lines(&group.pieces, group.open == "{");
            self.indent -= 1;
        }
        self.push(group.close);
    }

    fn flat(&mut self, group: &Group) {
        let room = if group.open == "{" && !group.pieces.is_empty() { " " } else { "" };
        self.push(group.open);
        self.push(room);
        let mut before = Kind::Start;
        for piece in &group.pieces {
            let kind = kind(piece);
            if spaced(before, kind) {
                self.push(" ");
            }
            before = kind;
            match piece {
                Piece::Word(_, text) | Piece::Doc(text) => self.push(text),
                Piece::Op(_, text) => self.push(text),
                Piece::Group(group) => self.flat(group),
            }
        }
        self.push(room);
        self.push(group.close);
    }
}

fn is(piece: &Piece, operator: &str) -> bool {
    matches!(piece, Piece::Op(_, op) if *op == operator)
}

/// Whether a line doesn't end at a block before this.
fn goes_on(next: &Piece) -> bool {
    match next {
        Piece::Word(_, word) => word == "else" || word == "as",
        Piece::Op(_, op) => !matches!(*op, "#" | "::" | "&" | "*" | "<"),
        Piece::Doc(_) | Piece::Group(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a text, as they are told apart.
    fn tokens(code: &str) -> String {
        code.parse::<TokenStream>().unwrap().to_string().replace(char::is_whitespace, "")
    }

    #[test]
    fn says_the_same_in_lines() {
        for (code, laid_out) in [
            (
                "pub struct A<'a,T>{pub a:Option<&'a T>,b:Vec<u8>,}",
                "pub struct A<'a, T> { pub a: Option<&'a T>, b: Vec<u8>, }\n",
            ),
            (
                "#[derive(Debug)]struct A; impl A{fn a(&self)->u8{self.a.b()?;!x}}",
                "#[derive(Debug)]\nstruct A;\nimpl A {\n    fn a(&self) -> u8 {\n        self.a.b()?;\n        !x\n    }\n}\n",
            ),
            (
                "fn a(){if let ::std::option::Option::Some(value)=&self.a{x(value,-1);}else{y!(a)}while a&&*b{c+=1;}}",
                "fn a() {\n    if let ::std::option::Option::Some(value) = &self.a {\n        x(value, -1);\n    } else { y!(a) }\n    \
                 while a && *b {\n        c += 1;\n    }\n}\n",
            ),
            ("static A:&[(&str,u8)]=&[(\"a\",1),];", "static A: &[(&str, u8)] = &[(\"a\", 1),];\n"),
            ("for(a,b)in 0..=1{}", "for (a, b) in 0..=1 {}\n"),
            ("impl<T>A for<T as B>::C{}", "impl <T> A for <T as B>::C {}\n"),
        ] {
            let made = text(code.parse().unwrap());
            assert_eq!(made, laid_out);
            assert_eq!(tokens(&made), tokens(code));
        }
    }

    #[test]
    fn breaks_what_is_too_long() {
        let long = format!("f({});", "argument, ".repeat(15));
        let made = text(long.parse().unwrap());
        assert_eq!(made, format!("f(\n{});\n", "    argument,\n".repeat(15)));
    }

    #[test]
    fn keeps_documentation_as_it_is() {
        let doc = " a \"b\" \\ 'c' \u{202e}\u{301} ü";
        let made = text(quote::quote!(#[doc = #doc] struct A;));
        assert_eq!(made, format!("///{doc}\nstruct A;\n"));
        let doc = "a\nb";
        assert_eq!(text(quote::quote!(#[doc = #doc] struct A;)), "#[doc = \"a\\nb\"]\nstruct A;\n");
    }
}
