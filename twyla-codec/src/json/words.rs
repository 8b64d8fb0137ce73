//! Enums of strings.

use std::fmt;

use super::fault::Fault;
use super::reader::Reader;
use crate::excerpt::quoted;

/// The length up to which a list is searched linearly. A longer list is first searched by bisection, in case it is
/// sorted.
const LINEAR: usize = 24;

/// Reads a string that is one of `words`. They may be in any order; a long list is fast if it is sorted.
///
/// # Errors
/// An `enum` or `const` fault if the string is not one of them.
pub fn word<T: Clone>(reader: &mut Reader<'_>, words: &'static [(&'static str, T)]) -> Result<T, Fault> {
    find(&reader.string()?, words)
}

/// Reads a string that is always the same word.
///
/// # Errors
/// A `const` fault if the string is another word.
pub(super) fn constant(reader: &mut Reader<'_>, word: &'static str) -> Result<(), Fault> {
    let text = reader.string()?;
    if text == word { Ok(()) } else { Err(none_of(&text, &mut std::iter::once(word), 1)) }
}

/// Returns the value of a word.
fn find<T: Clone>(text: &str, words: &'static [(&'static str, T)]) -> Result<T, Fault> {
    if words.len() > LINEAR
        && let Ok(found) = words.binary_search_by(|(word, _)| (*word).cmp(text))
        && let Some((_, value)) = words.get(found)
    {
        return Ok(value.clone());
    }
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(value.clone()),
        None => Err(none_of(text, &mut words.iter().map(|(word, _)| *word), words.len())),
    }
}

/// A text that is not one of the words of an enum: the error of its `FromStr`.
///
/// ```
/// # #[derive(Clone, Copy, Debug, PartialEq)]
/// # enum Mood { Glad, Sad }
/// # twyla_codec::__words!(Mood { "glad" => Glad, "sad" => Sad });
/// assert_eq!("glad".parse(), Ok(Mood::Glad));
/// assert_eq!("mad".parse::<Mood>().unwrap_err().to_string(), r#""mad" is not one of "glad", "sad""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWord {
    message: String,
}

impl std::error::Error for InvalidWord {}

impl fmt::Display for InvalidWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Returns the value of a word; the body of `FromStr` of an enum of words.
///
/// # Errors
/// The text is not one of the words.
#[doc(hidden)]
pub fn parse<T: Copy>(text: &str, words: &'static [(&'static str, T)]) -> Result<T, InvalidWord> {
    find(text, words).map_err(|fault| InvalidWord { message: fault.into_violation().message })
}

/// Implements the functions of an enum of words: `ALL`, `as_str`, `Display` and `FromStr`.
#[doc(hidden)]
#[macro_export]
macro_rules! __words {
    ($type:ident { $($word:literal => $variant:ident),* $(,)? }) => {
        impl $type {
            /// All variants, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Every word with its variant.
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];

            /// Returns the word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::InvalidWord;

            #[inline]
            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::InvalidWord> {
                $crate::json::words::parse(text, Self::WORDS)
            }
        }
    };
}

/// Returns the fault of a text that is not one of the words.
#[cold]
#[inline(never)]
pub(super) fn none_of(text: &str, words: &mut dyn Iterator<Item = &'static str>, len: usize) -> Fault {
    let first: Vec<String> = words.take(8).map(quoted).collect();
    let more = if len > 8 { format!(" and {} more", len - 8) } else { String::new() };
    let (keyword, one_of) = if len == 1 { ("const", "") } else { ("enum", "one of ") };
    Fault::new(keyword, format!("{} is not {one_of}{}{more}", quoted(text), first.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::Read;
    use super::*;

    const FEW: &[(&str, i8)] = &[("red", 0), ("a\"b", 1), ("", 2)];

    fn one_of(words: &'static [(&'static str, i8)], text: &str) -> Result<i8, String> {
        word(&mut Reader::new(text), words).map_err(|fault| {
            let violation = fault.into_violation();
            format!("{} {}", violation.keyword, violation.message)
        })
    }

    #[test]
    fn finds_words_however_they_are_written() {
        assert_eq!(one_of(FEW, r#""red""#), Ok(0));
        assert_eq!(one_of(FEW, r#""\u0072ed""#), Ok(0));
        assert_eq!(one_of(FEW, r#""a\"b""#), Ok(1));
        assert_eq!(one_of(FEW, r#""""#), Ok(2));
    }

    #[test]
    fn says_which_words_there_are() {
        assert_eq!(one_of(FEW, r#""Red""#), Err(r#"enum "Red" is not one of "red", "a\"b", """#.to_owned()));
        assert_eq!(one_of(&[("x", 1)], r#""y""#), Err(r#"const "y" is not "x""#.to_owned()));
        assert_eq!(one_of(FEW, r#"{"red":null}"#), Err("type expected a string, found an object".to_owned()));
        assert_eq!(one_of(FEW, "null"), Err("type expected a string, found null".to_owned()));
    }

    #[test]
    fn long_lists_need_no_order() {
        let mut names: Vec<&'static str> = (0..100).map(|i| &*Box::leak(format!("w{i}").into_boxed_str())).collect();
        for order in 0..2 {
            if order == 1 {
                names.sort_unstable();
            }
            let words: &'static [(&'static str, &'static str)] =
                names.iter().map(|name| (*name, *name)).collect::<Vec<_>>().leak();
            for name in &names {
                assert_eq!(word(&mut Reader::new(&format!("\"{name}\"")), words).unwrap(), *name);
            }
            let fault = word(&mut Reader::new("\"w\""), words).unwrap_err().into_violation();
            assert!(fault.message.ends_with("and 92 more"));
        }
    }

    #[test]
    fn an_integer_is_not_a_word() {
        assert!(i64::read(&mut Reader::new("\"red\"")).is_err());
    }
}
