//! Maps JSON Pointers to places in the text of a file, and back.

use std::cell::OnceCell;

use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};
use twyla_build::At;

use super::yaml;
use crate::support::json::{step, within};

/// The text of a file.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: String,
    is_yaml: bool,
    /// Each key and each value with its pointer, outer ones first; made on first use.
    places: OnceCell<Vec<(String, At)>>,
}

impl Text {
    pub(super) fn json(text: String) -> Self {
        Self { text, is_yaml: false, places: OnceCell::new() }
    }

    pub(super) fn yaml(text: String) -> Self {
        Self { text, is_yaml: true, places: OnceCell::new() }
    }

    /// Returns the place of the value at a pointer, or of the value's key if it has one. For a missing value, returns the
    /// place of the nearest value around it.
    pub(super) fn at(&self, pointer: &str) -> Option<At> {
        let nearest = self.places().iter().filter(|(around, _)| within(pointer, around).is_some());
        // the first place with the longest pointer, because a key comes before its value
        let longest = nearest.clone().map(|(around, _)| around.len()).max()?;
        nearest.into_iter().find(|(around, _)| around.len() == longest).map(|(_, at)| *at)
    }

    /// Returns the pointer of the value or key at a place.
    pub(super) fn pointer(&self, at: At) -> Option<String> {
        self.places().iter().find(|(_, other)| *other == at).map(|(pointer, _)| pointer.clone())
    }

    fn places(&self) -> &[(String, At)] {
        self.places.get_or_init(|| self.read())
    }

    fn read(&self) -> Vec<(String, At)> {
        if self.is_yaml {
            return yaml::places(&self.text);
        }
        let parsed = parse_to_ast(&self.text, &CollectOptions::default(), &ParseOptions::default());
        let Some(root) = parsed.ok().and_then(|parsed| parsed.value) else { return Vec::new() };
        let mut found = Vec::new();
        offsets(&root, "", &mut found);
        let mut lines = Lines { text: &self.text, offset: 0, at: At { line: 1, column: 1 } };
        found.into_iter().map(|(pointer, offset)| (pointer, lines.at(offset))).collect()
    }
}

/// Returns the offsets of keys and values, in the order of the text.
fn offsets(value: &ast::Value<'_>, pointer: &str, found: &mut Vec<(String, usize)>) {
    found.push((pointer.to_owned(), value.start()));
    match value {
        ast::Value::Array(array) => {
            for (index, item) in array.elements.iter().enumerate() {
                offsets(item, &format!("{pointer}/{index}"), found);
            }
        }
        ast::Value::Object(object) => {
            for member in &object.properties {
                let pointer = format!("{pointer}{}", step(member.name.as_str()));
                found.push((pointer.clone(), member.name.start()));
                offsets(&member.value, &pointer, found);
            }
        }
        _ => {}
    }
}

/// Converts increasing offsets of a text to places.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    at: At,
}

impl Lines<'_> {
    /// Returns the place of an offset, which must not be less than the offset before.
    fn at(&mut self, offset: usize) -> At {
        for c in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            if c == '\n' {
                self.at = At { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.offset = offset;
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_places_in_json_and_in_yaml() {
        let json = "{\n  \"ä\": [1, { \"b/c\": true }],\n  \"d\": { \"$ref\": \"x\" }\n}";
        let yaml = "ä:\n  - 1\n  - b/c: true\nd: { $ref: x }\n";
        for (text, is_yaml, places) in [
            (json, false, [("/ä", 2, 3), ("/ä/0", 2, 9), ("/ä/1/b~1c", 2, 14), ("/d/$ref", 3, 10), ("", 1, 1)]),
            (yaml, true, [("/ä", 1, 1), ("/ä/0", 2, 5), ("/ä/1/b~1c", 3, 5), ("/d/$ref", 4, 6), ("", 1, 1)]),
        ] {
            let text = if is_yaml { Text::yaml(text.to_owned()) } else { Text::json(text.to_owned()) };
            for (pointer, line, column) in places {
                let at = At { line, column };
                assert_eq!(text.at(pointer), Some(at), "{pointer}");
            }
            assert_eq!(text.at("/d/$ref/gone"), text.at("/d/$ref"));
            assert_eq!(text.at("/gone"), text.at(""));
        }
        let text = Text::json(json.to_owned());
        assert_eq!(text.pointer(At { line: 2, column: 14 }).as_deref(), Some("/ä/1/b~1c"));
        assert_eq!(text.pointer(At { line: 3, column: 18 }).as_deref(), Some("/d/$ref"));
    }
}
