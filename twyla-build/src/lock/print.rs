//! Prints JSON in the layout of the lock: the same text for the same content, and one line for each part that changes
//! independently.
//!
//! An object or a list of plain values is one line if that is short enough, so that the rules of a property share its line.
//! Everything else has one line per member.

use crate::schema::load::{Json, Member, Node, quote, quoted};

/// The maximum length of a line.
const WIDTH: usize = 100;

/// A value to print; members of objects are in printing order.
#[derive(Clone, Debug)]
pub(crate) enum Doc {
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    /// Any other value, as JSON text.
    Plain(String),
}

impl Doc {
    pub(crate) fn text(text: &str) -> Self {
        Self::Plain(quoted(text))
    }

    /// Converts a value: sorts the members of each object by name, and keeps every digit of numbers.
    pub(crate) fn sorted(node: &Node) -> Self {
        match &node.json {
            Json::Object(members) => {
                let mut members: Vec<(String, Self)> =
                    members.iter().map(|member| (member.key.clone(), Self::sorted(&member.value))).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Object(members)
            }
            Json::Array(items) => Self::List(items.iter().map(Self::sorted).collect()),
            Json::String(text) => Self::text(text),
            Json::Number(text) => Self::Plain(text.clone()),
            Json::Bool(value) => Self::Plain(value.to_string()),
            Json::Null => Self::Plain("null".to_owned()),
        }
    }

    /// Returns the depth of nested lists and objects.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Plain(_) => 0,
        }
    }

    /// Returns the value in one line without spaces.
    pub(crate) fn compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out);
        out
    }

    fn write_compact(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    quote(name, out);
                    out.push(':');
                    value.write_compact(out);
                }
                out.push('}');
            }
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write_compact(out);
                }
                out.push(']');
            }
            Self::Plain(text) => out.push_str(text),
        }
    }

    /// Returns the text of a file that contains the value.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        self.write(0, 0, &mut out);
        out.push('\n');
        out
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Object(members) => members.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Plain(_) => false,
        }
    }

    /// Returns whether the value is plain, a list of plain values, or an empty object.
    fn is_flat(&self) -> bool {
        match self {
            Self::Object(members) => members.is_empty(),
            Self::List(items) => items.iter().all(|item| matches!(item, Self::Plain(_))),
            Self::Plain(_) => true,
        }
    }

    /// Returns the value in one line; `None` if it contains members or items that need lines of their own.
    fn line(&self) -> Option<String> {
        match self {
            Self::Plain(text) => Some(text.clone()),
            Self::List(items) if items.is_empty() => Some("[]".to_owned()),
            Self::List(items) if self.is_flat() => {
                let items: Vec<String> = items.iter().filter_map(Self::line).collect();
                Some(format!("[{}]", items.join(", ")))
            }
            Self::Object(members) if members.is_empty() => Some("{}".to_owned()),
            Self::Object(members) if members.iter().all(|(_, member)| member.is_flat()) => {
                let member = |(name, value): &(String, Self)| Some(format!("{}: {}", quoted(name), value.line()?));
                let members: Vec<String> = members.iter().filter_map(member).collect();
                Some(format!("{{ {} }}", members.join(", ")))
            }
            Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Writes the value; `before` is the number of characters before it in its line.
    fn write(&self, indent: usize, before: usize, out: &mut String) {
        if let Some(line) = self.line()
            && (matches!(self, Self::Plain(_)) || self.is_empty() || before + line.chars().count() < WIDTH)
        {
            out.push_str(&line);
            return;
        }
        let (open, close) = if matches!(self, Self::List(_)) { ('[', ']') } else { ('{', '}') };
        let inner = indent + 2;
        let next = |first: bool, out: &mut String| {
            out.push_str(if first { "\n" } else { ",\n" });
            out.extend(std::iter::repeat_n(' ', inner));
        };
        out.push(open);
        match self {
            Self::Object(members) => {
                for (index, (name, value)) in members.iter().enumerate() {
                    next(index == 0, out);
                    let name = quoted(name);
                    out.push_str(&name);
                    out.push_str(": ");
                    value.write(inner, inner + name.chars().count() + 2, out);
                }
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    next(index == 0, out);
                    item.write(inner, inner, out);
                }
            }
            Self::Plain(_) => {}
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push(close);
    }
}

/// Returns a value in one line without spaces, with the order of [`Doc::sorted`].
pub(crate) fn compact(node: &Node) -> String {
    let mut out = String::new();
    write_compact(node, &mut out);
    out
}

fn write_compact(node: &Node, out: &mut String) {
    match &node.json {
        Json::Object(members) => {
            let mut members: Vec<&Member> = members.iter().collect();
            members.sort_by(|a, b| a.key.cmp(&b.key));
            out.push('{');
            for (index, member) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                quote(&member.key, out);
                out.push(':');
                write_compact(&member.value, out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_compact(item, out);
            }
            out.push(']');
        }
        _ => out.push_str(&node.text()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn printed(value: &Value) -> String {
        let node = crate::schema::load::parse("x", value.to_string().into_bytes(), &mut Vec::new()).unwrap();
        Doc::sorted(&node).print()
    }

    #[test]
    fn a_property_is_a_line_and_what_holds_properties_is_many() {
        let schema = json!({
            "type": "object",
            "required": ["text"],
            "properties": { "text": { "type": "string", "maxLength": 50 }, "who": {}, "list": { "items": { "type": "string" } } },
        });
        let text = r#"{
  "properties": {
    "list": {
      "items": { "type": "string" }
    },
    "text": { "maxLength": 50, "type": "string" },
    "who": {}
  },
  "required": ["text"],
  "type": "object"
}
"#;
        assert_eq!(printed(&schema), text);
    }

    #[test]
    fn a_compact_text_is_that_of_the_sorted_document() {
        let text = r#"{ "b": [1.0, 2e3, null, true, "\u202e\"", []], "a": { "d": {}, "c": false, "\u00fc": "x\ny" } }"#;
        let node = crate::schema::load::parse("x", text.into(), &mut Vec::new()).unwrap();
        assert_eq!(compact(&node), Doc::sorted(&node).compact());
    }

    #[test]
    fn long_lists_have_a_line_for_each_item() {
        let words: Vec<String> = (0..30).map(|n| format!("word{n}")).collect();
        let printed = printed(&json!({ "enum": words }));
        assert_eq!(printed.lines().count(), 34);
        assert!(printed.contains("\n    \"word7\",\n"));
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), json!({ "enum": words }));
    }
}
