//! Formats generated tokens for readers: a line holds what fits, the rest is broken at braces, brackets and commas.
//!
//! The result is close to rustfmt's. Parsing the code for that would cost several times as much, and build scripts run
//! unoptimized.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::codegen::prelude::Prelude;

/// The maximum number of characters in a line.
const WIDTH: usize = 110;

/// Formats generated code. `prelude` has the names that need no path.
pub(crate) fn text(tokens: TokenStream, prelude: &Prelude) -> String {
    let mut printer = Printer { out: String::new(), indent: 0, column: 0 };
    printer.lines(&pieces(tokens, prelude), true);
    printer.out
}

/// A token or a group of tokens, with its width in one line.
#[derive(Debug)]
enum LayoutToken {
    /// An identifier, a keyword, a literal or a lifetime.
    Word(TokenKind, String),
    /// An operator of one or more characters.
    Op(TokenKind, &'static str),
    /// A line of documentation.
    Doc(String),
    Group(TokenGroup),
}

#[derive(Debug)]
struct TokenGroup {
    open: &'static str,
    close: &'static str,
    pieces: Vec<LayoutToken>,
    width: usize,
    /// Whether the group needs more than one line.
    tall: bool,
}

/// The kind of a token, which decides the spaces around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Start,
    Word,
    /// A keyword that is always followed by a space.
    Keyword,
    /// `,` and `;`
    Separator,
    /// `:`
    Colon,
    /// A binary operator, with spaces on both sides.
    Binary,
    /// A prefix operator, without a space after it.
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

/// Returns the kind and the text of an operator of one character.
fn operator(c: char) -> Option<(TokenKind, &'static str)> {
    Some(match c {
        ':' => (TokenKind::Colon, ":"),
        ',' => (TokenKind::Separator, ","),
        ';' => (TokenKind::Separator, ";"),
        '.' => (TokenKind::Path, "."),
        '&' => (TokenKind::Prefix, "&"),
        '*' => (TokenKind::Prefix, "*"),
        '-' => (TokenKind::Prefix, "-"),
        '#' => (TokenKind::Prefix, "#"),
        '$' => (TokenKind::Prefix, "$"),
        '\'' => (TokenKind::Prefix, "'"),
        '<' => (TokenKind::Less, "<"),
        '>' => (TokenKind::Greater, ">"),
        '!' => (TokenKind::Postfix, "!"),
        '?' => (TokenKind::Postfix, "?"),
        '=' => (TokenKind::Binary, "="),
        '|' => (TokenKind::Binary, "|"),
        '+' => (TokenKind::Binary, "+"),
        '/' => (TokenKind::Binary, "/"),
        '%' => (TokenKind::Binary, "%"),
        '^' => (TokenKind::Binary, "^"),
        '@' => (TokenKind::Binary, "@"),
        '~' => (TokenKind::Binary, "~"),
        _ => return None,
    })
}

/// Returns the operator that two characters form.
fn joined(first: &'static str, c: char) -> Option<(TokenKind, &'static str)> {
    let both = match (first, c) {
        (":", ':') => return Some((TokenKind::Path, "::")),
        (".", '.') => return Some((TokenKind::Path, "..")),
        ("..", '=') => return Some((TokenKind::Path, "..=")),
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
    Some((TokenKind::Binary, both))
}

fn pieces(tokens: TokenStream, prelude: &Prelude) -> Vec<LayoutToken> {
    let mut out: Vec<LayoutToken> = Vec::new();
    // whether the last character may form an operator with the next
    let mut open = false;
    for token in tokens {
        let before =
            std::mem::replace(&mut open, matches!(&token, TokenTree::Punct(p) if p.spacing() == Spacing::Joint));
        match token {
            TokenTree::Punct(punct) => {
                let c = punct.as_char();
                if before
                    && let Some(LayoutToken::Op(kind, text)) = out.last_mut()
                    && let Some(both) = joined(text, c)
                {
                    (*kind, *text) = both;
                } else if let Some((kind, text)) = operator(c) {
                    out.push(LayoutToken::Op(kind, text));
                }
            }
            TokenTree::Ident(ident) => {
                let mut word = ident.to_string();
                if matches!(out.last(), Some(LayoutToken::Op(_, "'"))) {
                    out.pop();
                    word.insert(0, '\'');
                }
                shorten(&mut out, &word, prelude);
                out.push(LayoutToken::Word(word_kind(&word), word));
            }
            TokenTree::Literal(literal) => out.push(LayoutToken::Word(TokenKind::Word, literal.to_string())),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => {
                        out.extend(pieces(group.stream(), prelude));
                        continue;
                    }
                };
                if open == "["
                    && matches!(out.last(), Some(LayoutToken::Op(_, "#")))
                    && let Some(doc) = doc(group.stream())
                {
                    out.pop();
                    out.push(LayoutToken::Doc(doc));
                    continue;
                }
                let pieces = pieces(group.stream(), prelude);
                let width = width(&pieces) + if open == "{" { 4 } else { 2 };
                let tall = pieces.iter().any(|piece| match piece {
                    LayoutToken::Doc(_) => true,
                    LayoutToken::Word(_, word) => open == "{" && matches!(word.as_str(), "fn" | "struct" | "const"),
                    LayoutToken::Op(_, op) => open == "{" && matches!(*op, ";" | "#"),
                    LayoutToken::Group(group) => group.tall,
                });
                out.push(LayoutToken::Group(TokenGroup { open, close, pieces, width, tall }));
            }
        }
    }
    out
}

/// Removes the path before a name that needs none: `::std::option::` before `Option`, and `Option::` before `None`.
fn shorten(out: &mut Vec<LayoutToken>, word: &str, prelude: &Prelude) {
    let Some(path) = prelude.path(word) else { return };
    let is_part = |(token, part): (&LayoutToken, &&str)| match token {
        LayoutToken::Word(_, text) => text == part,
        LayoutToken::Op(_, text) => text == part,
        LayoutToken::Doc(_) | LayoutToken::Group(_) => false,
    };
    let Some((before, tail)) = out.split_at_checked(out.len().wrapping_sub(path.len())) else { return };
    // otherwise these tokens are the rest of another path
    let begins = !before
        .last()
        .is_some_and(|token| matches!(kind(token), TokenKind::Word | TokenKind::Greater | TokenKind::Path));
    if begins && tail.iter().zip(path).all(is_part) {
        out.truncate(before.len());
    }
}

/// Returns the text of `#[doc = ".."]`.
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

/// Returns the text of a literal without control characters.
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

fn width(pieces: &[LayoutToken]) -> usize {
    let mut before = TokenKind::Start;
    let mut width = 0;
    for piece in pieces {
        let kind = kind(piece);
        width += usize::from(spaced(before, kind))
            + match piece {
                LayoutToken::Word(_, text) | LayoutToken::Doc(text) => text.len(),
                LayoutToken::Op(_, text) => text.len(),
                LayoutToken::Group(group) => group.width,
            };
        before = kind;
    }
    width
}

fn word_kind(word: &str) -> TokenKind {
    if word.len() > "static".len() || !word.starts_with(|c: char| c.is_ascii_lowercase()) {
        return TokenKind::Word;
    }
    match word {
        "as" | "break" | "const" | "dyn" | "else" | "for" | "if" | "impl" | "in" | "let" | "match" | "mod" | "move"
        | "mut" | "pub" | "ref" | "return" | "static" | "use" | "where" | "while" => TokenKind::Keyword,
        _ => TokenKind::Word,
    }
}

fn kind(piece: &LayoutToken) -> TokenKind {
    match piece {
        LayoutToken::Word(kind, _) | LayoutToken::Op(kind, _) => *kind,
        LayoutToken::Doc(_) => TokenKind::Word,
        LayoutToken::Group(TokenGroup { open: "{", .. }) => TokenKind::Braces,
        LayoutToken::Group(_) => TokenKind::Parens,
    }
}

/// Returns whether there is a space between two tokens.
fn spaced(before: TokenKind, next: TokenKind) -> bool {
    match (before, next) {
        (TokenKind::Start | TokenKind::Prefix, _)
        | (_, TokenKind::Separator | TokenKind::Colon | TokenKind::Postfix) => {
            next == TokenKind::Postfix && matches!(before, TokenKind::Keyword | TokenKind::Binary)
        }
        (TokenKind::Keyword | TokenKind::Separator | TokenKind::Colon | TokenKind::Binary, _) => true,
        (TokenKind::Path, TokenKind::Braces) => false,
        (_, TokenKind::Binary | TokenKind::Braces) => true,
        (_, TokenKind::Path | TokenKind::Less | TokenKind::Greater) | (TokenKind::Path | TokenKind::Less, _) => false,
        (TokenKind::Word | TokenKind::Greater | TokenKind::Postfix, TokenKind::Parens) => false,
        (TokenKind::Postfix, TokenKind::Word | TokenKind::Keyword) => false,
        (TokenKind::Parens, TokenKind::Parens) => false,
        (TokenKind::Word | TokenKind::Greater | TokenKind::Parens | TokenKind::Braces | TokenKind::Postfix, _) => true,
    }
}

struct Printer {
    out: String,
    indent: usize,
    /// The current column.
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

    /// Writes tokens with the spaces between them; `write` gets each group, and what follows it.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the tokens of a text, with their kinds.
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
            let made = text(code.parse().unwrap(), &Prelude::default());
            assert_eq!(made, laid_out);
            assert_eq!(tokens(&made), tokens(code));
        }
    }

    #[test]
    fn breaks_what_is_too_long() {
        let long = format!("f({});", "argument, ".repeat(15));
        let made = text(long.parse().unwrap(), &Prelude::default());
        assert_eq!(made, format!("f(\n{});\n", "    argument,\n".repeat(15)));
    }

    #[test]
    fn keeps_documentation_as_it_is() {
        let doc = " a \"b\" \\ 'c' \u{202e}\u{301} ü";
        let made = text(quote::quote!(#[doc = #doc] struct A;), &Prelude::default());
        assert_eq!(made, format!("///{doc}\nstruct A;\n"));
        let doc = "a\nb";
        assert_eq!(
            text(quote::quote!(#[doc = #doc] struct A;), &Prelude::default()),
            "#[doc = \"a\\nb\"]\nstruct A;\n"
        );
    }

    #[test]
    fn names_of_the_prelude_need_no_path() {
        let code: TokenStream = "::std::option::Option::Some(::std::vec::Vec::<::std::string::String>::new()); \
            ::std::result::Result::Ok(None); ::std::mem::take(a); Self::None; my::Option::None; my::std::option::Option::None;"
            .parse()
            .unwrap();
        let lines = |items: &[&str]| text(code.clone(), &Prelude::beside(&items.iter().copied().collect()));
        let own = "::std::mem::take(a);\nSelf::None;\nmy::Option::None;\nmy::std::option::Option::None;\n";
        assert_eq!(lines(&[]), format!("Some(Vec::<String>::new());\nOk(None);\n{own}"));
        assert_eq!(
            lines(&["Option", "String", "Ok"]),
            format!("::std::option::Option::Some(Vec::<::std::string::String>::new());\nResult::Ok(None);\n{own}")
        );
        assert_eq!(lines(&["Some"]), format!("Option::Some(Vec::<String>::new());\nOk(None);\n{own}"));
    }
}
