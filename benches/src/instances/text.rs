//! JSON text in the order in which a producer writes it.

use std::fmt::Display;

/// An object that is being written.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member whose value is JSON already: a number, an object, an array.
    pub(crate) fn raw(mut self, key: &str, value: impl Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        self.0.push_str(&format!("{comma}{}:{value}", quoted(key)));
        self
    }

    pub(crate) fn text(self, key: &str, value: impl AsRef<str>) -> Self {
        self.raw(key, quoted(value.as_ref()))
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

pub(crate) fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Escapes each character beyond ASCII, as Python's `json.dumps` does.
pub(crate) fn in_ascii(json: &str) -> String {
    let mut out = String::new();
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}
