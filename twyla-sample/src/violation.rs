//! A violation, with the same message as the runtime's.

use std::fmt;

use serde_json::Value;
use twyla_build::compare::{Refusal, SchemaPath};

/// The maximum number of characters of a value in a message.
const SHOWN: usize = 64;

/// A broken rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The JSON Pointer of the value.
    pub pointer: String,
    /// The path of the rule in its schema.
    pub rule: SchemaPath,
    /// The keyword.
    pub keyword: String,
    /// The message, with the rule and the value.
    pub message: String,
}

impl Violation {
    /// Creates the violation of a value that isn't an object: events, contexts and requests must be objects even if the schema
    /// allows other values.
    pub(crate) fn no_object(value: &Value, root: &SchemaPath) -> Self {
        Self {
            pointer: String::new(),
            rule: root.clone(),
            keyword: "type".to_owned(),
            message: format!("expected an object, found {}", described(value)),
        }
    }

    /// Creates the violation of a value whose validation takes too much work.
    pub(crate) fn unknown(root: &SchemaPath) -> Self {
        let message = "validation takes too many steps, so its result is not known".to_owned();
        Self { pointer: String::new(), rule: root.clone(), keyword: String::new(), message }
    }
}

impl From<Refusal> for Violation {
    fn from(Refusal { pointer, keyword, path, rule }: Refusal) -> Self {
        Self { pointer, rule: path, keyword, message: rule }
    }
}

impl fmt::Display for Violation {
    /// Formats as `/emission: "" has 0 characters, and at least 1 is needed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

fn described(value: &Value) -> String {
    let shown = || {
        let text = value.to_string();
        let short: String = text.chars().take(SHOWN).collect();
        if short.len() < text.len() { short + "…" } else { short }
    };
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(_) => format!("the string {}", shown()),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
