//! JSON with the order of members and all digits of numbers; reads comments and trailing commas, and writes short values in one
//! line.

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// The number as written.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The maximum depth of nesting.
pub(crate) const DEEPEST: usize = 200;
/// The maximum length of a value that is written in one line.
const LINE: usize = 100;

impl Json {
    /// Parses a text; comments and trailing commas are allowed, as in hand-written files.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if nested(text) > DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST} values"));
        }
        let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
        let parsed = parsed.map_err(|error| error.to_string())?;
        parsed.value.as_ref().map(Self::of).ok_or_else(|| "is empty".to_owned())
    }

    fn of(value: &ast::Value<'_>) -> Self {
        match value {
            ast::Value::NullKeyword(_) => Self::Null,
            ast::Value::BooleanLit(it) => Self::Bool(it.value),
            ast::Value::NumberLit(it) => Self::Number(it.value.to_owned()),
            ast::Value::StringLit(it) => Self::String(it.value.clone().into_owned()),
            ast::Value::Array(it) => Self::Array(it.elements.iter().map(Self::of).collect()),
            ast::Value::Object(it) => {
                let member = |it: &ast::ObjectProp<'_>| (it.name.clone().into_string(), Self::of(&it.value));
                Self::Object(it.properties.iter().map(member).collect())
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(it, _)| it == name).map(|(_, value)| value)
    }

    pub(crate) fn members(&self) -> &[(String, Self)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    pub(crate) fn str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Returns the value at a JSON Pointer.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |json, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match json {
                Self::Array(items) => items.get(step.parse::<usize>().ok()?),
                json => json.get(&step),
            }
        })
    }

    /// Returns the value at a JSON Pointer, as a mutable reference.
    pub(crate) fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Self> {
        pointer.split('/').skip(1).try_fold(self, |json, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match json {
                Self::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
                Self::Object(members) => members.iter_mut().find(|(name, _)| *name == step).map(|(_, value)| value),
                _ => None,
            }
        })
    }

    /// Calls `with` for each object schema in a schema, itself included, outer ones first. Values of other keywords aren't
    /// schemas, even if they look like one.
    pub(crate) fn each_schema(&mut self, with: &mut impl FnMut(&mut Vec<(String, Self)>)) {
        let members = match self {
            Self::Object(members) => members,
            Self::Array(items) => return items.iter_mut().for_each(|item| item.each_schema(with)),
            _ => return,
        };
        with(members);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("enum" | "const" | "default" | "example" | "examples", _) => {}
                (
                    "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies",
                    Self::Object(named),
                ) => named.iter_mut().for_each(|(_, value)| value.each_schema(with)),
                (_, value) => value.each_schema(with),
            }
        }
    }

    /// Formats the value in lines, with short values in one line.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out + "\n"
    }

    fn write(&self, indent: usize, out: &mut String) {
        let (pad, end) = ("  ".repeat(indent + 1), "  ".repeat(indent));
        if indent > 0 && self.may_fit(&mut LINE.saturating_sub(2 * indent)) {
            let line = self.line();
            if line.chars().count() + 2 * indent <= LINE {
                out.push_str(&line);
                return;
            }
        }
        match self {
            Self::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "[\n" });
                    out.push_str(&pad);
                    item.write(indent + 1, out);
                }
                out.push_str(&format!("\n{end}]"));
            }
            Self::Object(members) if !members.is_empty() => {
                for (i, (name, value)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "{\n" });
                    out.push_str(&format!("{pad}{}: ", quoted(name)));
                    value.write(indent + 1, out);
                }
                out.push_str(&format!("\n{end}}}"));
            }
            _ => out.push_str(&self.line()),
        }
    }

    /// Returns whether the value may fit into this number of characters. A cheap estimate, so that large values aren't
    /// formatted only to be measured.
    fn may_fit(&self, left: &mut usize) -> bool {
        let mut take = |count: usize| left.checked_sub(count).map(|rest| *left = rest).is_some();
        match self {
            Self::Null | Self::Bool(_) => take(4),
            Self::Number(text) => take(text.len()),
            // a character has four bytes at most
            Self::String(text) => take(text.len() / 4 + 2),
            Self::Array(items) => take(2) && items.iter().all(|item| item.may_fit(left)),
            Self::Object(members) => {
                take(2)
                    && members.iter().all(|(name, value)| {
                        let room = left.checked_sub(name.len() / 4 + 4);
                        room.is_some_and(|room| {
                            *left = room;
                            value.may_fit(left)
                        })
                    })
            }
        }
    }

    /// Formats the value in one line.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) => text.clone(),
            Self::String(text) => quoted(text),
            Self::Array(items) => format!("[{}]", items.iter().map(Self::line).collect::<Vec<_>>().join(", ")),
            Self::Object(members) if members.is_empty() => "{}".to_owned(),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.line()));
                format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Returns a step of a JSON Pointer: `/` and the escaped name.
pub(crate) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns the rest of `pointer` after `own`; `None` if it doesn't lead to the same value or into it.
pub(crate) fn within<'p>(pointer: &'p str, own: &str) -> Option<&'p str> {
    pointer.strip_prefix(own).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the depth of nested brackets outside of strings, to check it before a recursive parser runs.
fn nested(text: &str) -> usize {
    let (mut depth, mut most, mut within, mut escaped) = (0_usize, 0, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            '[' | '{' if !within => {
                depth += 1;
                most = most.max(depth);
            }
            ']' | '}' if !within => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_keeps_its_order_and_its_digits() {
        let text = r#"{ "z": 1.50000000000000000000001, "a": [1, "ü\n", null, true, {}], "m": { "x": [] } }"#;
        assert_eq!(Json::parse(text).unwrap().line(), text);
        let lenient = Json::parse("\u{feff}{ // why\n \"a\": [1, 2,], }").unwrap();
        assert_eq!(lenient.text(), "{\n  \"a\": [1, 2]\n}\n");
    }

    #[test]
    fn reports_invalid_json() {
        assert!(Json::parse("{").is_err() && Json::parse("").is_err());
        let deep = "[".repeat(100_000);
        assert_eq!(Json::parse(&deep), Err("is nested deeper than 200 values".to_owned()));
    }
}
