//! Parses the text of a file: strict JSON, with the place of every value and key.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use jsonc_parser::ast::Value as Ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::node::{At, Json, Member, Members, Node};
use crate::schema::problem::{Problem, ProblemKind};

/// Parses strict JSON: `jsonc-parser` gives the tree with its places, `serde_json` decides what is valid.
pub(crate) fn parse(shown: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut problem = |at, kind| problems.push(Problem { file: shown.to_owned(), at: Some(at), kind });
    let start = At { line: 1, column: 1 };
    // without a byte order mark, the first character reveals the encoding: a schema begins with an ASCII character
    if matches!(bytes.get(..2), Some([0xff, 0xfe] | [0xfe, 0xff] | [0, _] | [_, 0])) {
        problem(start, ProblemKind::Utf16);
        return None;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
            problem(Lines::new(&text).at(good), ProblemKind::NotUtf8);
            return None;
        }
    };
    if text.starts_with('\u{feff}') {
        problem(start, ProblemKind::ByteOrderMark);
        return None;
    }
    let lines = Lines::new(&text);
    if let Some(deep) = too_deep(&text) {
        problem(lines.at(deep), ProblemKind::TooDeep { limit: MAX_NESTING });
        return None;
    }
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = match parse_to_ast(&text, &CollectOptions::default(), &strict) {
        Ok(parsed) => parsed,
        Err(error) => {
            let kind = error.kind().to_string();
            let mut letters = kind.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            let error_text = first.chain(letters).collect();
            problem(lines.at(error.range().start), ProblemKind::NotJson { error: error_text });
            return None;
        }
    };
    let judged = parsed.value.as_ref().map_or(Cow::Borrowed(&*text), |ast| without_far_numbers(&text, ast));
    // the error of the grammar, if there is one, is clearer than that of the value
    if let Err(error) = serde_json::from_str::<JsonCheck>(&judged)
        && let error = serde_json::from_str::<serde_core::de::IgnoredAny>(&judged).err().unwrap_or(error)
    {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let said = error.to_string();
        let line_start = lines.start(error.line());
        let at = lines.at((line_start + error.column().saturating_sub(1)).min(text.len()));
        problem(at, ProblemKind::NotJson { error: said.strip_suffix(place.as_str()).unwrap_or(&said).to_owned() });
        return None;
    }
    let Some(ast) = parsed.value else {
        problem(start, ProblemKind::NotJson { error: "the file is empty".to_owned() });
        return None;
    };
    let mut duplicates = Vec::new();
    let node = node(&ast, &lines, &mut duplicates);
    let broken = !duplicates.is_empty();
    duplicates.into_iter().for_each(|(at, kind)| problem(at, kind));
    drop(ast);
    (!broken).then_some(node)
}

/// Accepts a text that `serde_json` reads as a `Value`, without creating the value.
struct JsonCheck;

impl<'de> Deserialize<'de> for JsonCheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for JsonCheck {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// Replaces each number beyond the range of `f64` with a zero: such a number is valid JSON, but `serde_json` refuses
/// it.
fn without_far_numbers<'a>(text: &'a str, ast: &Ast<'_>) -> Cow<'a, str> {
    fn put_zeros(ast: &Ast<'_>, is_far: &impl Fn(&str) -> bool, text: &mut Cow<'_, str>) {
        match ast {
            Ast::NumberLit(number) if is_far(number.value) => {
                let zero = format!("0{}", " ".repeat(number.value.len() - 1));
                text.to_mut().replace_range(number.range.start..number.range.end, &zero);
            }
            Ast::Array(array) => array.elements.iter().for_each(|item| put_zeros(item, is_far, text)),
            Ast::Object(object) => object.properties.iter().for_each(|member| put_zeros(&member.value, is_far, text)),
            _ => {}
        }
    }
    // `IgnoredAny` checks a number only against the grammar
    let is_json = |number: &str| serde_json::from_str::<serde_core::de::IgnoredAny>(number).is_ok();
    let is_far = |number: &str| number.parse::<f64>().is_ok_and(f64::is_infinite) && is_json(number);
    let mut text = Cow::Borrowed(text);
    put_zeros(ast, &is_far, &mut text);
    text
}

/// The maximum depth of nested arrays and objects in a file, as in `serde_json`.
pub(crate) const MAX_NESTING: usize = 127;

/// Returns the offset where a text, valid JSON or not, exceeds the limit of nesting.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > MAX_NESTING {
                    return Some(at);
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn node(ast: &Ast<'_>, lines: &Lines<'_>, duplicates: &mut Vec<(At, ProblemKind)>) -> Node {
    let at = lines.at(ast.start());
    let json = match ast {
        Ast::StringLit(text) => Json::String(text.value.clone().into_owned()),
        Ast::NumberLit(number) => Json::Number(number.value.to_owned()),
        Ast::BooleanLit(value) => Json::Bool(value.value),
        Ast::NullKeyword(_) => Json::Null,
        Ast::Array(array) => Json::Array(array.elements.iter().map(|item| node(item, lines, duplicates)).collect()),
        Ast::Object(object) => {
            let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
            let mut seen = HashMap::with_capacity(object.properties.len());
            for property in &object.properties {
                let key = property.name.as_str().to_owned();
                let key_at = lines.at(property.name.start());
                if let Some(first) = seen.get(property.name.as_str()) {
                    duplicates.push((key_at, ProblemKind::DuplicateKey { key, first: *first }));
                    continue;
                }
                seen.insert(property.name.as_str(), key_at);
                members.push(Member { key, key_at, value: node(&property.value, lines, duplicates) });
            }
            Json::Object(Members::new(members))
        }
    };
    Node { at, json }
}

/// The offsets of the lines of a text.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The last requested offset and its column, from 0. Offsets are requested in order, and a file may be one long
    /// line.
    last: Cell<(usize, usize)>,
    last_line: Cell<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let behind = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(behind).collect(),
            last: Cell::new((0, 0)),
            last_line: Cell::new(1),
        }
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// Returns the line of an offset, from 1.
    fn line(&self, offset: usize) -> usize {
        let begins = |line: usize| self.starts.get(line).is_some_and(|start| *start <= offset);
        let last = self.last_line.get();
        // usually the offset is in the last requested line or in one of the next
        let near = (last..last + 4).find(|line| begins(line.saturating_sub(1)) && !begins(*line));
        let line = near.unwrap_or_else(|| self.starts.partition_point(|start| *start <= offset));
        self.last_line.set(line);
        line
    }

    fn at(&self, offset: usize) -> At {
        let line = self.line(offset);
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let start = self.start(line).min(end);
        let (last, columns) = self.last.get();
        let column = if (start..=end).contains(&last) {
            columns + self.text[last..end].chars().count()
        } else {
            self.text[start..end].chars().count()
        };
        self.last.set((end, column));
        let column = column + 1;
        At { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_json_exactly_if_serde_json_reads_its_value() {
        let text =
            r#"{"a": [1.5e3, -0, true, null, "\u00fc\ud83d\ude00\n"], "b": {"": "ü"}, "c": 123456789012345678901}"#;
        let mut count = 0;
        for (at, _) in text.char_indices() {
            for other in ["", "\"", "\\", "1", "e", ",", "{", "]", "\\ud800", "\n", "-"] {
                let changed = format!("{}{other}{}", &text[..at], text[at..].chars().skip(1).collect::<String>());
                let is_value = serde_json::from_str::<serde_json::Value>(&changed).is_ok();
                assert_eq!(serde_json::from_str::<JsonCheck>(&changed).is_ok(), is_value, "{changed}");
                count += usize::from(is_value);
            }
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn a_place_is_found_for_offsets_in_any_order() {
        let text = "a\n\nbü c\n\n\n\n\n\nd\ne";
        let lines = Lines::new(text);
        let offsets =
            (0..=text.len()).chain((0..=text.len()).rev()).chain((0..200).map(|at| at * 7 % (text.len() + 1)));
        for offset in offsets.filter(|offset| text.is_char_boundary(*offset)) {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let at = lines.at(offset);
            assert_eq!((at.line as usize, at.column as usize), (line, column), "{offset}");
        }
    }
}
