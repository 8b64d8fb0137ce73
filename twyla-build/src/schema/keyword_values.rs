//! Checks the value of each keyword, as the drafts' meta-schemas do, and finds the place of each invalid value.

use std::collections::HashSet;

use crate::number::Number;
use crate::schema::draft::Draft::{self, Draft4, Draft201909, Draft202012};
use crate::schema::load::{Json, Member, Node};

/// The names of types.
pub(crate) const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// A value that its keyword can't have.
#[derive(Debug)]
pub(crate) struct InvalidValue<'a> {
    pub(crate) node: &'a Node,
    /// The keyword, or its member that should be a schema.
    pub(crate) keyword: String,
    /// The expected value, in words.
    pub(crate) wanted: &'static str,
}

/// Returns the values that the draft doesn't allow for a keyword; in an array, only the first.
pub(crate) fn wrong<'a>(draft: Draft, schema: &Node, member: &'a Member) -> Vec<InvalidValue<'a>> {
    let (keyword, value) = (member.key.as_str(), &member.value);
    let found = match keyword {
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies"
            if value.is_object() =>
        {
            let wrong = value.members().iter().filter_map(|inner| {
                let node = match keyword {
                    "dependencies" if matches!(inner.value.json, Json::Array(_)) => names(draft, &inner.value),
                    _ => schema_of(draft, &inner.value),
                }?;
                Some(InvalidValue { node, keyword: format!("{keyword}/{}", inner.key), wanted: schema_form(draft) })
            });
            return wrong.collect();
        }
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
        | "maxContains" => unless(value, whole(draft, value)),
        "minimum" | "maximum" => unless(value, number(value)),
        "exclusiveMinimum" | "exclusiveMaximum" if draft == Draft4 => {
            let beside = if keyword == "exclusiveMinimum" { "minimum" } else { "maximum" };
            if schema.get(beside).is_none() {
                let wanted = if beside == "minimum" { BESIDE_MINIMUM } else { BESIDE_MAXIMUM };
                return vec![InvalidValue { node: value, keyword: keyword.to_owned(), wanted }];
            }
            unless(value, boolean(value))
        }
        "exclusiveMinimum" | "exclusiveMaximum" => unless(value, number(value)),
        "multipleOf" => unless(value, positive(value)),
        "uniqueItems" | "deprecated" | "readOnly" | "writeOnly" | "$recursiveAnchor" => unless(value, boolean(value)),
        // the meta-schema of draft 4 doesn't have `$ref`
        "$ref" if draft == Draft4 => None,
        "title" | "description" | "format" | "$comment" | "contentEncoding" | "contentMediaType" | "pattern" | "id"
        | "$ref" | "$dynamicRef" | "$recursiveRef" => unless(value, value.str().is_some()),
        "$id" => {
            // from 2019-09 on, `$anchor` replaces fragments
            let named = |id: &str| id.find('#').is_none_or(|at| at + 1 == id.len()) || draft < Draft201909;
            unless(value, value.str().is_some_and(named))
        }
        "$anchor" | "$dynamicAnchor" => unless(value, value.str().is_some_and(|name| anchor(draft, name))),
        "type" => types(value),
        "required" => names(draft, value),
        "enum" | "examples" => unless(value, matches!(value.json, Json::Array(_))),
        "dependentRequired" => map(value, |node| names(draft, node)),
        "$vocabulary" => map(value, |node| unless(node, boolean(node))),
        "items" if draft < Draft202012 && matches!(value.json, Json::Array(_)) => schemas(draft, value),
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => schemas(draft, value),
        "additionalItems" | "additionalProperties" => unless(value, boolean(value) || value.is_object()),
        "items"
        | "contains"
        | "not"
        | "if"
        | "then"
        | "else"
        | "propertyNames"
        | "contentSchema"
        | "unevaluatedItems"
        | "unevaluatedProperties" => schema_of(draft, value),
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies" => {
            Some(value)
        }
        _ => None,
    };
    let wrong = found.map(|node| InvalidValue { node, keyword: keyword.to_owned(), wanted: wanted(keyword, draft) });
    wrong.into_iter().collect()
}

/// Returns whether a keyword is an annotation, for which an invalid value is harmless.
pub(crate) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "$comment" | "examples" | "deprecated" | "readOnly" | "writeOnly")
        || matches!(keyword, "contentEncoding" | "contentMediaType")
}

const BESIDE_MINIMUM: &str = "left out in draft 4 if `minimum` isn't beside it";
const BESIDE_MAXIMUM: &str = "left out in draft 4 if `maximum` isn't beside it";

/// Describes the values that are schemas.
fn schema_form(draft: Draft) -> &'static str {
    if draft == Draft4 { "a schema (an object in draft 4)" } else { "a schema (an object or a boolean)" }
}

/// Describes the values that a keyword may have.
fn wanted(keyword: &str, draft: Draft) -> &'static str {
    match keyword {
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
        | "maxContains" => "an integer, 0 or greater",
        "minimum" | "maximum" => "a number",
        "exclusiveMinimum" | "exclusiveMaximum" if draft == Draft4 => "a boolean in draft 4",
        "exclusiveMinimum" | "exclusiveMaximum" => "a number",
        "multipleOf" => "a number greater than 0",
        "type" => "the name of a type, or an array of different names of types",
        "required" if draft == Draft4 => "an array of one or more property names, all different",
        "required" => "an array of property names, all different",
        "enum" => "an array of values",
        "pattern" => "a string with a regular expression (ECMA-262)",
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            "an object whose members are schemas"
        }
        "dependencies" => "an object whose members are schemas or arrays of property names",
        "dependentRequired" => "an object whose members are arrays of property names",
        "$vocabulary" => "an object whose members are booleans",
        "items" if draft < Draft202012 => "a schema or an array of schemas",
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => "an array of one or more schemas",
        "uniqueItems" | "deprecated" | "readOnly" | "writeOnly" | "$recursiveAnchor" => "a boolean",
        "title" | "description" | "format" | "$comment" | "contentEncoding" | "contentMediaType" => "a string",
        "$ref" | "$id" | "id" | "$dynamicRef" | "$recursiveRef" => "a URI reference",
        "$anchor" | "$dynamicAnchor" => "a name that begins with a letter",
        "examples" => "an array",
        _ => schema_form(draft),
    }
}

fn unless(node: &Node, good: bool) -> Option<&Node> {
    (!good).then_some(node)
}

fn boolean(node: &Node) -> bool {
    matches!(node.json, Json::Bool(_))
}

fn number(node: &Node) -> bool {
    matches!(node.json, Json::Number(_))
}

fn positive(node: &Node) -> bool {
    matches!(&node.json, Json::Number(text) if Number::new(text).is_positive())
}

/// Returns whether a value is an integer, 0 or greater. `1.0` is an integer, except in draft 4.
fn whole(draft: Draft, node: &Node) -> bool {
    let Json::Number(text) = &node.json else { return false };
    let number = Number::new(text);
    let plain = draft != Draft4 || !text.contains(['.', 'e', 'E']);
    plain && number.is_whole() && !number.is_negative()
}

fn anchor(draft: Draft, name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' && draft == Draft202012;
    let more = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || c == ':' && draft == Draft201909;
    name.starts_with(first) && name.chars().all(more)
}

/// Reports a value that isn't a schema.
fn schema_of(draft: Draft, node: &Node) -> Option<&Node> {
    unless(node, node.is_object() || boolean(node) && draft != Draft4)
}

/// Reports items that aren't schemas, and an empty array.
fn schemas(draft: Draft, node: &Node) -> Option<&Node> {
    match &node.json {
        Json::Array(items) if !items.is_empty() => items.iter().find_map(|item| schema_of(draft, item)),
        _ => Some(node),
    }
}

/// Reports the invalid members of an object.
fn map(node: &Node, wrong: impl Fn(&Node) -> Option<&Node>) -> Option<&Node> {
    if node.is_object() { node.members().iter().find_map(|member| wrong(&member.value)) } else { Some(node) }
}

/// Reports the invalid items of an array of names.
fn names(draft: Draft, node: &Node) -> Option<&Node> {
    match &node.json {
        Json::Array(items) if !items.is_empty() || draft != Draft4 => strings(node, items),
        _ => Some(node),
    }
}

/// Reports items that aren't strings, and an array with duplicates.
fn strings<'a>(node: &'a Node, items: &'a [Node]) -> Option<&'a Node> {
    let mut seen = HashSet::new();
    for item in items {
        match item.str() {
            None => return Some(item),
            Some(name) if !seen.insert(name) => return Some(node),
            Some(_) => {}
        }
    }
    None
}

/// Reports an invalid `type`, except unknown names, which have a message of their own.
fn types(node: &Node) -> Option<&Node> {
    match &node.json {
        Json::String(_) => None,
        Json::Array(items) if items.iter().any(|item| item.str().is_some_and(|name| !TYPES.contains(&name))) => None,
        Json::Array(items) if !items.is_empty() => strings(node, items),
        _ => Some(node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load::parse;

    const VALUES: [&str; 43] = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "1.0",
        "1.5",
        "1e2",
        "-1.0",
        "0.0",
        "1e-7",
        "18446744073709551616",
        "-18446744073709551616",
        "\"\"",
        "\"string\"",
        "\"a#\"",
        "\"a#b\"",
        "\"_a\"",
        "\"a:b\"",
        "\"1a\"",
        "\"a-._1\"",
        "[]",
        "[1]",
        "[\"integer\"]",
        "[\"integer\", \"integer\"]",
        "[\"integer\", \"null\"]",
        "[\"integer\", 1]",
        "[{}]",
        "[true]",
        "[{}, 1]",
        "[{}, {}]",
        "{}",
        "{\"a\": 1}",
        "{\"a\": true}",
        "{\"a\": {}}",
        "{\"a\": {}, \"b\": null}",
        "{\"a\": []}",
        "{\"a\": [\"b\"]}",
        "{\"a\": [\"b\", \"b\"]}",
        "{\"a\": [1]}",
        "{\"a\": \"b\"}",
    ];

    /// Compares every keyword of every draft, with many values, with the drafts' meta-schemas in another
    /// implementation.
    #[test]
    fn says_what_the_meta_schemas_say() {
        let mut compared = 0;
        for (draft, oracle) in [
            (Draft4, jsonschema::draft4::meta::validator()),
            (Draft::Draft6, jsonschema::draft6::meta::validator()),
            (Draft::Draft7, jsonschema::draft7::meta::validator()),
            (Draft201909, jsonschema::draft201909::meta::validator()),
            (Draft202012, jsonschema::draft202012::meta::validator()),
        ] {
            for keyword in draft.keywords() {
                for value in VALUES {
                    // checked elsewhere: `$schema` as a draft, the others as URIs or patterns
                    if keyword == "$schema" || matches!(keyword, "$id" | "$ref" | "pattern") && value.contains('"') {
                        continue;
                    }
                    let text = format!("{{{keyword:?}: {value}}}");
                    let schema = parse("", text.clone().into_bytes(), &mut Vec::new()).unwrap();
                    let ours = wrong(draft, &schema, &schema.members()[0]).is_empty();
                    let mut theirs = oracle.is_valid(&serde_json::from_str(&text).unwrap());
                    // an unknown type name is reported elsewhere; to the other implementation, -0 has a fraction
                    theirs |= keyword == "type" && value.starts_with('"');
                    if draft == Draft4 && value == "-0" {
                        continue;
                    }
                    assert_eq!(ours, theirs, "{draft:?}: {text}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 8_000, "{compared}");
    }
}
