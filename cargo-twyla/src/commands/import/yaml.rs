//! Reads YAML as JSON, by the core schema of YAML 1.2; keeps the order of members and the digits of numbers.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use twyla_build::At;

use crate::support::json::{DEEPEST, Json, step};

/// The maximum number of values in a document. Values behind aliases count each time, because aliases can multiply them.
const MOST: usize = 1_000_000;

/// Reads a text with one document.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    let mut reader = Reader { open: Vec::new(), anchors: HashMap::new(), document: None, values: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("is not YAML: {error}"))?;
        reader
            .event(event)
            .map_err(|why| format!("{why} at line {} column {}", span.start.line(), span.start.col() + 1))?;
    }
    reader.document.ok_or_else(|| "is empty".to_owned())
}

/// Returns each key and each value of a document with its JSON Pointer, in the order of the text. The values of an alias have
/// no places.
pub(super) fn places(text: &str) -> Vec<(String, At)> {
    // for each open list and mapping: its pointer, the number of its keys and values so far, and whether it is a mapping
    let mut open: Vec<(String, usize, bool)> = Vec::new();
    let mut key = String::new();
    let mut found = Vec::new();
    let at = |span: &Span| {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        At { line: number(span.start.line()), column: number(span.start.col() + 1) }
    };
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        let begins = match &event {
            Event::SequenceStart(..) => Some(false),
            Event::MappingStart(..) => Some(true),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                continue;
            }
            Event::Scalar(..) | Event::Alias(_) => None,
            _ => continue,
        };
        let pointer = match open.last_mut() {
            None => String::new(),
            Some((around, count, is_mapping)) => {
                *count += 1;
                match (*is_mapping, *count % 2) {
                    (false, _) => format!("{around}/{}", *count - 1),
                    (true, 1) => {
                        key = if let Event::Scalar(text, ..) = &event { text.to_string() } else { String::new() };
                        format!("{around}{}", step(&key))
                    }
                    (true, _) => format!("{around}{}", step(&key)),
                }
            }
        };
        found.push((pointer.clone(), at(&span)));
        if let Some(is_mapping) = begins {
            open.push((pointer, 0, is_mapping));
        }
    }
    found
}

/// An open list or object.
enum Open {
    /// A list, with its items so far.
    List(Vec<Json>),
    /// An object, with the key whose value comes next, and the members of a merge key.
    Object { members: Vec<(String, Json)>, key: Option<String>, merged: Vec<(String, Json)> },
}

struct Reader {
    /// The open lists and objects, each with the number of its anchor, or 0.
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Json>,
    document: Option<Json>,
    values: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => Err("a second document begins".to_owned()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or("an alias refers to a value that contains it")?;
                self.values += size(&value);
                self.value(value, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref())?;
                self.value(value, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => {
                self.begin(Open::Object { members: Vec::new(), key: None, merged: Vec::new() }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((open, anchor)) = self.open.pop() else { return Ok(()) };
                let value = match open {
                    Open::List(items) => Json::Array(items),
                    Open::Object { mut members, merged, .. } => {
                        for (name, value) in merged {
                            if !members.iter().any(|(own, _)| *own == name) {
                                members.push((name, value));
                            }
                        }
                        Json::Object(members)
                    }
                };
                self.value(value, anchor)
            }
        }
    }

    fn begin(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST} values"));
        }
        self.open.push((open, anchor));
        Ok(())
    }

    fn value(&mut self, value: Json, anchor: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST {
            return Err(format!("has more than {MOST} values"));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.document = Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Object { members, key, merged }, _)) => match key.take() {
                None => *key = Some(name(value)?),
                Some(name) if name == "<<" => match value {
                    Json::Object(more) => merged.extend(more),
                    Json::Array(all) => merged.extend(all.into_iter().flat_map(|it| match it {
                        Json::Object(more) => more,
                        _ => Vec::new(),
                    })),
                    _ => return Err("`<<` merges a value that is not a mapping".to_owned()),
                },
                Some(name) if members.iter().any(|(own, _)| *own == name) => {
                    return Err(format!("`{name}` occurs twice in the same mapping: remove one of the two"));
                }
                Some(name) => members.push((name, value)),
            },
        }
        Ok(())
    }
}

/// Returns the number of values in a value.
fn size(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// Returns a key as text: YAML has numbers as keys, for example status codes.
fn name(value: Json) -> Result<String, String> {
    match value {
        Json::String(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null => Ok("null".to_owned()),
        Json::Array(_) | Json::Object(_) => Err("a key is a list or a mapping".to_owned()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Json, String> {
    let string = || Json::String(text.to_owned());
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            return Err(format!("the tag `{}{}` has no meaning in JSON", tag.handle, tag.suffix));
        }
        Some(tag) if tag.suffix == "str" => return Ok(string()),
        None if style != ScalarStyle::Plain => return Ok(string()),
        _ => {}
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => match number(text)? {
            Some(number) => Json::Number(number),
            None => string(),
        },
    })
}

/// Returns a number as JSON writes it; `None` if the text isn't a number.
fn number(text: &str) -> Result<Option<String>, String> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return Ok(u64::from_str_radix(digits, radix).ok().map(|it| it.to_string()));
        }
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(rest, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(format!("the number {text} can't be written in JSON"));
    }
    let (digits, exponent) = match rest.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|it| !it.is_empty());
    let exponent_fits = exponent.is_none_or(|it| {
        let digits = it.strip_prefix(['+', '-']).unwrap_or(it);
        !digits.is_empty() && all_digits(digits)
    });
    if !has_digits || !all_digits(whole) || !all_digits(fraction.unwrap_or("")) || !exponent_fits {
        return Ok(None);
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.filter(|it| !it.is_empty()).map(|it| format!(".{it}")).unwrap_or_default();
    let exponent = exponent.map(|it| format!("e{it}")).unwrap_or_default();
    Ok(Some(format!("{sign}{whole}{fraction}{exponent}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_means_what_its_core_schema_says() {
        let text = "
type: object
description: |
  two
  lines
x: [~, yes, True, 0o17, 0x1F, +1, 007, .5, 1., 1.10, 12e3, '1', !!str 1, 2020-01-01, '<<', -0.0]
? 200
: { $ref: '#/a', empty: }
";
        let read = parse(text).unwrap().line();
        let want = r##"{ "type": "object", "description": "two\nlines\n", "x": [null, "yes", true, 15, 31, 1, 7, 0.5, 1, 1.10, 12e3, "1", "1", "2020-01-01", "<<", -0.0], "200": { "$ref": "#/a", "empty": null } }"##;
        assert_eq!(read, want);
    }

    #[test]
    fn anchors_and_merge_keys_are_what_they_stand_for() {
        let text = "base: &base { type: object, title: a }\nmore: { <<: *base, title: b }\nlist: [*base]\n";
        let want = r#"{ "base": { "type": "object", "title": "a" }, "more": { "title": "b", "type": "object" }, "list": [{ "type": "object", "title": "a" }] }"#;
        assert_eq!(parse(text).unwrap().line(), want);
    }

    #[test]
    fn reports_yaml_that_json_can_not_hold_at_its_line() {
        for (text, why) in [
            ("a: .inf", "the number .inf can't be written in JSON at line 1"),
            ("a: 1\na: 2", "`a` occurs twice in the same mapping: remove one of the two at line 2"),
            ("a: 1\n---\nb: 2", "a second document begins at line 2"),
            ("? [a]\n: 1", "a key is a list or a mapping at line 1"),
            ("a: !mine 1", "the tag `!mine` has no meaning in JSON at line 1"),
            ("a: [", "is not YAML: "),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.starts_with(why), "{text}: {said}");
        }
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let last = format!("*a{}", i - 1);
            text += &format!("a{i}: &a{i} [{}]\n", vec![last; 10].join(", "));
        }
        assert!(parse(&text).unwrap_err().starts_with("has more than 1000000 values"));
        assert!(parse(&"[".repeat(5000)).is_err());
    }
}
