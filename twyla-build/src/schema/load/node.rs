//! JSON with the place of every value and key, and JSON Pointers into it.

use std::borrow::Cow;
use std::sync::Arc;

use twyla_contract::text::VisibleJson;

use crate::number::Number;

/// A place in a file; line and column count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A JSON value with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) json: Json,
}

/// A JSON value; numbers as they are written, so that no digit is lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Members),
}

/// The members of an object in their order, with fast lookup by key. Clones share them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Members(Arc<SharedMembers>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct SharedMembers {
    list: Vec<Member>,
    /// The indexes into `list`, sorted by key; empty for small objects.
    sorted: Vec<usize>,
}

impl Members {
    /// Objects with more members use `sorted`.
    const FEW: usize = 16;

    pub(crate) fn new(list: Vec<Member>) -> Self {
        let mut sorted: Vec<usize> = if list.len() > Self::FEW { (0..list.len()).collect() } else { Vec::new() };
        sorted.sort_by(|a, b| list[*a].key.cmp(&list[*b].key));
        Self(Arc::new(SharedMembers { list, sorted }))
    }

    fn of(&self, key: &str) -> Option<&Member> {
        let SharedMembers { list, sorted } = &*self.0;
        if sorted.is_empty() {
            return list.iter().find(|member| member.key == key);
        }
        let found = sorted.binary_search_by(|index| list[*index].key.as_str().cmp(key)).ok()?;
        list.get(*sorted.get(found)?)
    }
}

impl std::ops::Deref for Members {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.0.list
    }
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn members(&self) -> &[Member] {
        if let Json::Object(members) = &self.json { members } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Self] {
        if let Json::Array(items) = &self.json { items } else { &[] }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.json, Json::Object(_))
    }

    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        if let Json::Object(members) = &self.json { members.of(key) } else { None }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|member| &member.value)
    }

    pub(crate) fn str(&self) -> Option<&str> {
        if let Json::String(text) = &self.json { Some(text) } else { None }
    }

    /// Returns the value at a JSON Pointer.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut node = self;
        for step in steps(pointer) {
            node = match &node.json {
                Json::Object(_) => node.get(&step)?,
                Json::Array(items) => {
                    let plain = step == "0" || !step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit());
                    items.get(step.parse::<usize>().ok().filter(|_| plain)?)?
                }
                _ => return None,
            };
        }
        Some(node)
    }

    /// Converts to a `serde_json::Value`; a number beyond the largest `f64` becomes the nearest `f64`.
    pub(crate) fn value(&self) -> serde_json::Value {
        match &self.json {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| {
                let most = if text.starts_with('-') { f64::MIN } else { f64::MAX };
                most.into()
            }),
            Json::String(text) => text.as_str().into(),
            Json::Array(items) => items.iter().map(Self::value).collect(),
            Json::Object(members) => members.iter().map(|member| (member.key.clone(), member.value.value())).collect(),
        }
    }

    /// Returns whether all numbers in the value fit into an `f64`, as the evaluation requires.
    pub(crate) fn is_finite(&self) -> bool {
        match &self.json {
            Json::Number(text) => text.parse().is_ok_and(|value: f64| value.is_finite()),
            Json::Array(items) => items.iter().all(Self::is_finite),
            Json::Object(members) => members.iter().all(|member| member.value.is_finite()),
            Json::Null | Json::Bool(_) | Json::String(_) => true,
        }
    }

    /// Returns the value as JSON in one line, with all digits of its numbers and without invisible characters.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match &self.json {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => quote(text, out),
            Json::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    quote(&member.key, out);
                    out.push(':');
                    member.value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Describes the value: `the string "x"`, `an array`.
    pub(crate) fn described(&self) -> String {
        match &self.json {
            Json::Null => "null".into(),
            Json::Bool(value) => value.to_string(),
            Json::Number(text) => text.clone(),
            Json::String(text) => format!("the string {text:?}"),
            Json::Array(_) => "an array".into(),
            Json::Object(_) => "an object".into(),
        }
    }
}

impl From<&serde_json::Value> for Node {
    /// Converts a value that isn't from a file. All its parts have the place line 1, column 1.
    fn from(value: &serde_json::Value) -> Self {
        let at = At { line: 1, column: 1 };
        let json = match value {
            serde_json::Value::Null => Json::Null,
            serde_json::Value::Bool(value) => Json::Bool(*value),
            serde_json::Value::Number(number) => Json::Number(number.to_string()),
            serde_json::Value::String(text) => Json::String(text.clone()),
            serde_json::Value::Array(items) => Json::Array(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(members) => {
                let member = |(key, value)| Member { key: String::clone(key), key_at: at, value: Self::from(value) };
                Json::Object(Members::new(members.iter().map(member).collect()))
            }
        };
        Self { at, json }
    }
}

/// Returns the size that a keyword requires, which may be written as `2.0`; `None` if it isn't a number, or is
/// negative. A size beyond 64 bits becomes `u64::MAX`.
pub(crate) fn size(node: Option<&Node>) -> Option<u64> {
    let Json::Number(text) = &node?.json else { return None };
    let number = Number::new(text);
    (!number.is_negative()).then(|| u64::try_from(number.bound(false)).unwrap_or(u64::MAX))
}

/// Returns a text as a JSON string without invisible characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

/// Appends a text as a JSON string without invisible characters.
pub(crate) fn quote(text: &str, out: &mut String) {
    // almost all texts have nothing to escape
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.extend(["\"", text, "\""]);
    } else {
        out.push_str(&VisibleJson(&serde_json::Value::from(text).to_string()).to_string());
    }
}

/// Returns the steps of a JSON Pointer, unescaped.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|step| match step.contains('~') {
        true => step.replace("~1", "/").replace("~0", "~").into(),
        false => step.into(),
    })
}

/// Appends a step to a JSON Pointer.
pub(crate) fn step(pointer: &str, key: &str) -> String {
    let mut out = String::with_capacity(pointer.len() + key.len() + 1);
    out.push_str(pointer);
    out.push('/');
    if key.contains(['~', '/']) {
        out.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        out.push_str(key);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_that_of_serde_json_without_invisible_characters() {
        for character in (0..=0x2070).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            assert_eq!(quoted(&text), VisibleJson(&serde_json::Value::from(&*text).to_string()).to_string());
        }
    }
}
