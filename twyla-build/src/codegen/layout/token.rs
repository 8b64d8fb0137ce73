//! Reads tokens for the layout: operators of several characters as one token, docs as lines, groups with their widths.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::codegen::prelude::Prelude;

/// A token or a group of tokens, with its width in one line.
#[derive(Debug)]
pub(super) enum LayoutToken {
    /// An identifier, a keyword, a literal or a lifetime.
    Word(TokenKind, String),
    /// An operator of one or more characters.
    Op(TokenKind, &'static str),
    /// A line of documentation.
    Doc(String),
    Group(TokenGroup),
}

#[derive(Debug)]
pub(super) struct TokenGroup {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    pub(super) pieces: Vec<LayoutToken>,
    pub(super) width: usize,
    /// Whether the group needs more than one line.
    pub(super) tall: bool,
}

/// The kind of a token, which decides the spaces around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
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

/// Reads tokens, and shortens paths that `prelude` makes unnecessary.
pub(super) fn pieces(tokens: TokenStream, prelude: &Prelude) -> Vec<LayoutToken> {
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

/// Returns the text of a string literal; `None` if it contains a line break or an escape that isn't known here.
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

/// Returns the width of tokens in one line.
pub(super) fn width(pieces: &[LayoutToken]) -> usize {
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

/// Returns the kind of a token or a group.
pub(super) fn kind(piece: &LayoutToken) -> TokenKind {
    match piece {
        LayoutToken::Word(kind, _) | LayoutToken::Op(kind, _) => *kind,
        LayoutToken::Doc(_) => TokenKind::Word,
        LayoutToken::Group(TokenGroup { open: "{", .. }) => TokenKind::Braces,
        LayoutToken::Group(_) => TokenKind::Parens,
    }
}

/// Returns whether there is a space between two tokens.
pub(super) fn spaced(before: TokenKind, next: TokenKind) -> bool {
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
