//! Enums of strings: one of the words that a schema lists.

use super::fault::Fault;
use super::reader::Reader;
use crate::validate::rules::shown;

/// Lists longer than this are searched as sorted ones first.
const LINEAR: usize = 24;

/// Reads a string that is one of some words. Any order of them is right; a long list is fast where it is sorted.
///
/// # Errors
/// An `enum` or `const` fault where it is none of them.
pub fn word<T: Copy>(reader: &mut Reader<'_>, words: &'static [(&'static str, T)]) -> Result<T, Fault> {
    let text = reader.string()?;
    let text = &*text;
    if words.len() > LINEAR
        && let Ok(found) = words.binary_search_by(|(word, _)| (*word).cmp(text))
        && let Some((_, value)) = words.get(found)
    {
        return Ok(*value);
    }
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => Err(none_of(text, &mut words.iter().map(|(word, _)| *word), words.len())),
    }
}

#[cold]
#[inline(never)]
fn none_of(text: &str, words: &mut dyn Iterator<Item = &'static str>, len: usize) -> Fault {
    let first: Vec<String> = words.take(8).map(shown).collect();
    let more = if len > 8 { format!(" and {} more", len - 8) } else { String::new() };
    let (keyword, one_of) = if len == 1 { ("const", "") } else { ("enum", "one of ") };
    Fault::new(keyword, format!("{} is not {one_of}{}{more}", shown(text), first.join(", ")))
}
