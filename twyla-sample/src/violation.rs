//! A rule that a value breaks, in the words that a service has for it.

use std::fmt;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;
/// Characters of a value that a message shows.
const SHOWN: usize = 64;

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Where in the value: a JSON Pointer.
    pub pointer: String,
    /// The rule's URI: its document, and the JSON Pointer of its keyword.
    pub rule: String,
    /// The keyword.
    pub keyword: String,
    /// The rule and the value in words.
    pub message: String,
}

impl Violation {
    pub(crate) fn new(error: &ValidationError<'_>) -> Self {
        Self {
            pointer: error.instance_path().to_string(),
            keyword: match error.kind() {
                Kind::FalseSchema => "false".to_owned(),
                kind => kind.keyword().to_owned(),
            },
            message: message(error),
            rule: rule(error),
        }
    }
}

impl Violation {
    /// That a value is no object, though its schema allows it: a content has to be one.
    pub(crate) fn no_object(value: &Value) -> Self {
        Self {
            pointer: String::new(),
            rule: String::new(),
            keyword: "type".to_owned(),
            message: format!("is {}, not an object", described(value)),
        }
    }
}

/// The URI of the rule that is broken.
pub(crate) fn rule(error: &ValidationError<'_>) -> String {
    error.absolute_keyword_location().map_or_else(|| error.schema_path().to_string(), ToString::to_string)
}

impl fmt::Display for Violation {
    /// `/emission: "" has 0 characters, and at least 1 is needed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(root)" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

fn message(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let shown = || shown(value);
    let size = |of: &str, is: usize| format!("has {is} {of}{}", if is == 1 { "" } else { "s" });
    let items = || size("item", value.as_array().map_or(0, Vec::len));
    let characters = || size("character", value.as_str().map_or(0, |text| text.chars().count()));
    let members = || size("member", value.as_object().map_or(0, serde_json::Map::len));
    let needs = |limit: u64| format!("at least {limit} {} needed", if limit == 1 { "is" } else { "are" });
    let allows = |limit: u64| format!("at most {limit} {} allowed", if limit == 1 { "is" } else { "are" });
    match error.kind() {
        Kind::Type { kind } => format!("is {}, not {}", described(value), types(kind)),
        Kind::Required { property } => format!("`{}` is missing", property.as_str().unwrap_or_default()),
        Kind::MinLength { limit } => format!("{} {}, and {}", shown(), characters(), needs(*limit)),
        Kind::MaxLength { limit } => format!("{} {}, and {}", shown(), characters(), allows(*limit)),
        Kind::MinItems { limit } => format!("{}, and {}", items(), needs(*limit)),
        Kind::MaxItems { limit } => format!("{}, and {}", items(), allows(*limit)),
        Kind::MinProperties { limit } => format!("{}, and {}", members(), needs(*limit)),
        Kind::MaxProperties { limit } => format!("{}, and {}", members(), allows(*limit)),
        Kind::Minimum { limit } => format!("{} is less than {limit}", shown()),
        Kind::Maximum { limit } => format!("{} is more than {limit}", shown()),
        Kind::ExclusiveMinimum { limit } => format!("{} is not more than {limit}", shown()),
        Kind::ExclusiveMaximum { limit } => format!("{} is not less than {limit}", shown()),
        Kind::MultipleOf { multiple_of } => format!("{} is no multiple of {multiple_of}", shown()),
        Kind::Pattern { pattern } => format!("{} doesn't match `{pattern}`", shown()),
        Kind::Format { format } => format!("{} is no {format}", shown()),
        Kind::Enum { options } => {
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let mut words: Vec<String> = options.iter().take(8).map(self::shown).collect();
            if options.len() > 8 {
                words.push(format!("{} more", options.len() - 8));
            }
            format!("{} is none of {}", shown(), words.join(", "))
        }
        Kind::Constant { expected_value } => format!("{} is not {}", shown(), self::shown(expected_value)),
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::AdditionalProperties { unexpected } => {
            format!("has {}, and no others than declared are allowed", quoted("member", unexpected))
        }
        Kind::UnevaluatedProperties { unexpected } => {
            format!("has {}, which no schema speaks of", quoted("member", unexpected))
        }
        Kind::UnevaluatedItems { unexpected } => {
            format!("has {}, which no schema speaks of", quoted("item", unexpected))
        }
        Kind::AdditionalItems { limit } => format!("{}, and {}", items(), allows(*limit as u64)),
        Kind::Contains => "has no item, or too few or too many, of the kind that `contains` asks for".to_owned(),
        Kind::PropertyNames { error } => format!("has a member whose name breaks a rule: {}", message(error)),
        Kind::FalseSchema => format!("{} stands where nothing is allowed", shown()),
        Kind::Not { .. } => format!("{} is what `not` excludes", shown()),
        Kind::AnyOf { .. } => format!("{} fits none of the schemas of `anyOf`", shown()),
        Kind::OneOfNotValid { .. } => format!("{} fits none of the schemas of `oneOf`", shown()),
        Kind::OneOfMultipleValid { .. } => format!("{} fits more than one of the schemas of `oneOf`", shown()),
        _ => error.to_string(),
    }
}

/// A value as messages show it.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "the array".to_owned(),
        Value::Object(_) => "the object".to_owned(),
        value => {
            let text = value.to_string();
            let short: String = text.chars().take(SHOWN).collect();
            if short.len() < text.len() { short + "…" } else { short }
        }
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(_) => format!("the string {}", shown(value)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn types(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "null" => name.to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(one) => word(&one.to_string()),
        TypeKind::Multiple(several) => {
            let words: Vec<String> = several.iter().map(|it| word(&it.to_string())).collect();
            words.join(" or ")
        }
    }
}

/// `the member "a"`, `the members "a" and "b"`
fn quoted(what: &str, names: &[String]) -> String {
    let s = if names.len() == 1 { "" } else { "s" };
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("the {what}{s} {}", names.join(", "))
}
