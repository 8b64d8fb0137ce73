//! Checks the Rust text that a build script passes: paths of derives and types, and attributes.

use std::str::FromStr;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use twyla_contract::rust;

/// Checks the path of a derive: `Eq`, or `serde::Serialize`.
///
/// # Errors
/// The reason, to follow "isn't the path of a derive" in a message.
pub(super) fn derive(text: &str) -> Result<(), &'static str> {
    let tokens = tokens(text)?;
    if tokens.iter().any(|token| is_punct(token, ',')) {
        return Err("list each derive separately, as in `[\"Eq\", \"Hash\"]`");
    }
    match tokens.as_slice() {
        [TokenTree::Punct(hash), ..] if hash.as_char() == '#' => Err("write only its path, without `#[derive(…)]`"),
        tokens => match path(tokens) {
            Some([]) => Ok(()),
            _ => Err("expected identifiers with `::` between them, such as `Hash` or `serde::Serialize`"),
        },
    }
}

/// Checks one or more attributes: `#[non_exhaustive]`.
///
/// # Errors
/// The reason, to follow "isn't an attribute" in a message.
pub(super) fn attribute(text: &str) -> Result<(), &'static str> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    if rest.is_empty() {
        return Err("it is empty");
    }
    while !rest.is_empty() {
        rest = match rest {
            [hash, TokenTree::Group(group), rest @ ..]
                if is_punct(hash, '#') && group.delimiter() == Delimiter::Bracket =>
            {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                if matches!(inner.first(), Some(TokenTree::Ident(name)) if name == "derive") {
                    return Err("use `.derive(…)` instead, which leaves out traits that are already derived");
                }
                match path(&inner) {
                    Some([] | [TokenTree::Group(_)]) => rest,
                    Some([equals, _, ..]) if is_punct(equals, '=') => rest,
                    _ => return Err("expected a path after `#[`, as in `#[serde(default)]`"),
                }
            }
            [hash, bang, ..] if is_punct(hash, '#') && is_punct(bang, '!') => {
                return Err("expected `#[` instead of `#![`");
            }
            _ => return Err("expected an attribute as in code, such as `#[non_exhaustive]`"),
        };
    }
    Ok(())
}

/// The maximum number of bytes of a type's path, which also bounds how deep its parameters are.
const LONGEST_PATH: usize = 500;

/// Returns the path of a type as it is written in generated code, where the first segment is a crate: `my::Money` is `::my::Money`.
///
/// # Errors
/// The reason, to follow "isn't the path of a type" in a message.
pub(super) fn type_path(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_PATH {
        return Err("it is longer than 500 bytes");
    }
    const FORM: &str = "expected a path as in code, such as `my_crate::Money`, `crate::Money` or `std::sync::Arc<str>`";
    let tokens = tokens(text)?;
    match tokens.as_slice() {
        [TokenTree::Ident(first), ..] if matches!(first.to_string().as_str(), "self" | "super" | "Self") => {
            Err("generated code is in other modules, so begin the path with `crate::` or the name of a crate")
        }
        [TokenTree::Ident(_)] | [TokenTree::Ident(_), TokenTree::Punct(_), ..] if !has_segments(&tokens) => {
            Err("begin the path with `crate::` or the name of a crate, as in `crate::Money`")
        }
        tokens => match absolute(tokens) {
            Some((path, [])) => Ok(path),
            _ => Err(FORM),
        },
    }
}

/// Returns whether a path of more than one segment begins here.
fn has_segments(tokens: &[TokenTree]) -> bool {
    tokens.get(1..).is_some_and(|rest| after_colons(rest).is_some())
}

/// Returns the first type in the tokens with absolute paths, and the tokens after it; `None` if the tokens don't begin with
/// a type.
fn absolute(tokens: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    let (colons, mut rest) = match after_colons(tokens) {
        Some(rest) => (true, rest),
        None => (false, tokens),
    };
    let is_local = !has_segments(rest) || matches!(rest.first(), Some(TokenTree::Ident(name)) if name == "crate");
    let mut path = if colons || !is_local { "::".to_owned() } else { String::new() };
    loop {
        let [TokenTree::Ident(name), after @ ..] = rest else { return None };
        let name = name.to_string();
        // of Rust's keywords, only `crate` may be in a path, and only at its beginning
        if name == "_" || rust::is_keyword(&name) && !(name == "crate" && path.is_empty()) {
            return None;
        }
        path.push_str(&name);
        match after_colons(after) {
            Some(next) => {
                path.push_str("::");
                rest = next;
            }
            None => {
                rest = after;
                break;
            }
        }
    }
    let [open, inner @ ..] = rest else { return Some((path, rest)) };
    if !is_punct(open, '<') {
        return Some((path, rest));
    }
    path.push('<');
    rest = inner;
    loop {
        let (argument, after) = match rest {
            [quote, TokenTree::Ident(name), after @ ..] if is_punct(quote, '\'') => (format!("'{name}"), after),
            _ => absolute(rest)?,
        };
        path.push_str(&argument);
        match after {
            [comma, after @ ..] if is_punct(comma, ',') => {
                path.push_str(", ");
                rest = after;
            }
            [close, after @ ..] if is_punct(close, '>') => {
                path.push('>');
                return Some((path, after));
            }
            _ => return None,
        }
    }
}

/// Returns the tokens of a text that passed its check.
pub(crate) fn checked(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_default()
}

fn tokens(text: &str) -> Result<Vec<TokenTree>, &'static str> {
    let tokens = TokenStream::from_str(text).map_err(|_| "it can't be split into Rust tokens")?;
    Ok(tokens.into_iter().collect())
}

/// Returns the tokens after a path without generic arguments; `None` if the tokens don't begin with one.
pub(super) fn path(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    let mut rest = after_colons(tokens).unwrap_or(tokens);
    loop {
        let [TokenTree::Ident(_), after @ ..] = rest else { return None };
        match after_colons(after) {
            Some(next) => rest = next,
            None => return Some(after),
        }
    }
}

/// Returns the tokens after a leading `::`; `None` if the tokens don't begin with one.
pub(super) fn after_colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [TokenTree::Punct(first), second, rest @ ..]
            if first.as_char() == ':' && first.spacing() == Spacing::Joint && is_punct(second, ':') =>
        {
            Some(rest)
        }
        _ => None,
    }
}

pub(super) fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_paths_of_derives_only() {
        for text in ["Eq", "serde::Serialize", "::my_crate::Visit", "std::hash::Hash"] {
            assert_eq!(derive(text), Ok(()), "{text}");
        }
        for text in
            ["", "Eq, Hash", "#[derive(Eq)]", "Eq)", "Eq<u8>", "serde:Serialize", "serde::", "\"Eq\"", "Eq Hash"]
        {
            assert!(derive(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_of_a_type_begins_with_its_crate() {
        for (text, path) in [
            ("my::Money", "::my::Money"),
            ("my::r#type::Money", "::my::r#type::Money"),
            ("::my::Money", "::my::Money"),
            ("crate::money::Money", "crate::money::Money"),
            ("std::sync::Arc<str>", "::std::sync::Arc<str>"),
            ("my::Pair<my::A, crate::B>", "::my::Pair<::my::A, crate::B>"),
            ("std::borrow::Cow<'static, str>", "::std::borrow::Cow<'static, str>"),
        ] {
            assert_eq!(type_path(text).as_deref(), Ok(path));
        }
        for text in [
            "",
            "Money",
            "self::Money",
            "super::Money",
            "my::",
            "my:Money",
            "my::Money>",
            "&my::Money",
            "my::Money<",
            "my::M<>",
            "my Money",
            "Vec<u8>",
            "my::fn",
            "my::type::Money",
            "my::crate::Money",
            "my::Self",
            "my::List<my::dyn>",
            "my::List<_>",
        ] {
            assert!(type_path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn accepts_whole_attributes_only() {
        for text in ["#[non_exhaustive]", "#[sqlx(rename = \"a\")]", "#[a] #[b::c(d)]", "/// Docs.", "#[doc = \"x\"]"] {
            assert_eq!(attribute(text), Ok(()), "{text}");
        }
        for text in
            ["", "non_exhaustive", "#![a]", "#[derive(Eq)]", "#[a", "#[a] b", "#(a)", "#[]", "#[=]", "//! Docs."]
        {
            assert!(attribute(text).is_err(), "{text}");
        }
    }
}
