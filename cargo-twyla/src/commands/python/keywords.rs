//! Reads the keywords of a schema.

use serde_json::Value;

use super::documents::{Documents, Part, Place};

/// The keywords with rules for members that a class doesn't express.
const IN_PLACE: [&str; 10] = [
    "if",
    "then",
    "else",
    "not",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedProperties",
    "patternProperties",
];

/// The keywords with alternatives.
pub(super) const UNIONS: [&str; 2] = ["oneOf", "anyOf"];

/// Returns the hint for the class of a part: the name of the part's place if a reference led to it, and otherwise `hint`.
pub(super) fn hint_of(documents: &Documents<'_>, part: &Part<'_>, from: &Place, hint: &str) -> String {
    let is_within = part.place.0 == from.0 && part.place.1.starts_with(&from.1);
    let is_named = documents.schema(&part.place).is_some() && !is_within;
    if is_named { name_of_target(&part.place) } else { hint.to_owned() }
}

/// Returns a name for the target of a reference: the last step of its pointer, or the name of its file.
pub(super) fn name_of_target((document, pointer): &Place) -> String {
    let last = pointer.rsplit('/').next().filter(|last| !last.is_empty());
    let file = document.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    last.unwrap_or(file).to_owned()
}

/// Returns a name for an alternative: its title, the name of its reference's target, its constants, or a member that only it
/// requires.
pub(super) fn name_of_branch(branches: &[Value], index: usize) -> Option<String> {
    let branch = branches.get(index)?;
    if let Some(title) = branch.get("title").and_then(Value::as_str) {
        return Some(title.to_owned());
    }
    if let Some(reference) = branch.get("$ref").and_then(Value::as_str) {
        let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        return Some(name_of_target(&(document.to_owned(), pointer.to_owned())));
    }
    let constant = properties(branch).into_iter().find_map(|(_, schema)| {
        let words = words(schema, "enum");
        match words.len() {
            1..=3 => Some(words.join(" ")),
            _ => schema.get("const").and_then(Value::as_str).map(str::to_owned),
        }
    });
    let own = |word: &&str| {
        branches.iter().enumerate().all(|(other, it)| other == index || !words(it, "required").contains(word))
    };
    constant.or_else(|| words(branch, "required").into_iter().find(own).map(str::to_owned))
}

/// Returns the properties of an object's schema.
pub(super) fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
}

/// Returns the strings in a keyword's array.
pub(super) fn words<'a>(schema: &'a Value, keyword: &str) -> Vec<&'a str> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn is_object_alone(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == "object",
        Some(Value::Array(several)) => several.len() == 1 && several.iter().all(|it| it == "object"),
        _ => false,
    }
}

/// Returns whether a schema has rules for members that it doesn't declare.
pub(super) fn is_open(schema: &Value) -> bool {
    schema.get("additionalProperties").is_some_and(|it| *it != Value::Bool(false))
        || IN_PLACE.iter().any(|keyword| schema.get(keyword).is_some())
}

/// Returns whether a schema has no keyword that determines the type of its values.
pub(super) fn only_narrows(schema: &Value) -> bool {
    let shaping = ["$ref", "type", "enum", "const", "properties", "items", "allOf", "anyOf", "oneOf"];
    shaping.iter().all(|keyword| schema.get(keyword).is_none())
}

/// Returns the type of values that are both of the type `one` and of one of the types `others`; `None` if no value is.
pub(super) fn common<'a>(one: &'a str, others: &[&'a str]) -> Option<&'a str> {
    match one {
        _ if others.contains(&one) => Some(one),
        "integer" if others.contains(&"number") => Some("integer"),
        "number" if others.contains(&"integer") => Some("integer"),
        _ => None,
    }
}
