//! Describes values and limits for messages, with the wording of the runtime's errors.

use serde_json::Value;
use twyla_contract::text::shortened;

use crate::decimal::Decimal;
use crate::schema::load::{Node, quoted};

/// The number of characters of a value that a message shows.
const SHOWN: usize = 60;

/// Formats a value for messages: JSON, shortened.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => self::text(text),
        Value::Array(_) => "the array".to_owned(),
        Value::Object(_) => "the object".to_owned(),
        value => value.to_string(),
    }
}

/// Formats a string for messages.
pub(super) fn text(text: &str) -> String {
    quoted(&shortened(text, SHOWN))
}

/// Describes a value: `the string "x"`, `an object`.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("the string {}", self::text(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Lists types with their articles: `a string or an integer`.
pub(super) fn types(names: &[&str]) -> String {
    let named = names.iter().map(|name| match *name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    });
    list(&named.collect::<Vec<_>>())
}

/// Lists the values of `enum` or `const`.
pub(super) fn values(nodes: &[Node]) -> String {
    let mut some: Vec<String> = nodes.iter().take(8).map(|node| shown(&node.value())).collect();
    if nodes.len() > 8 {
        some.push(format!("{} more", nodes.len() - 8));
    }
    list(&some)
}

fn list(some: &[String]) -> String {
    match some {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Describes a size out of bounds: `"x" has 1 character, and at least 2 are needed`.
pub(super) fn size(of: &str, count: &Decimal, limit: &Decimal, low: bool, [one, more]: [&str; 2]) -> String {
    let unit = if is_one(count) { one } else { more };
    format!("{of} has {count} {unit}, and {}", bound(limit, low))
}

/// Describes a number of matching items out of bounds: `0 items match `contains`, and at least 1 is needed`.
pub(super) fn matching(count: &Decimal, limit: &Decimal, low: bool) -> String {
    let items = if is_one(count) { "item matches" } else { "items match" };
    format!("{count} {items} `contains`, and {}", bound(limit, low))
}

fn bound(limit: &Decimal, low: bool) -> String {
    let is = if is_one(limit) { "is" } else { "are" };
    if low { format!("at least {limit} {is} needed") } else { format!("at most {limit} {is} allowed") }
}

fn is_one(count: &Decimal) -> bool {
    *count == Decimal::from(1)
}
