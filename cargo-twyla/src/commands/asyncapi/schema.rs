//! Converts a contract's schema to a component of an AsyncAPI document, and back without loss.
//!
//! The document's schemas are draft 7 with more keywords, and its tools follow every `$ref`. So references lead to other
//! components, and keywords that those tools can't read are kept under `x-twyla-<keyword>`: as a value, or as a text
//! (`x-twyla-text-<keyword>`) if the value contains a `$ref` that isn't a reference. A property called `$ref` becomes a pattern that
//! matches only this name, which is the same rule ([`property`]).

use std::collections::BTreeMap;

use twyla_build::compare::{SchemaPath, Sources};

use crate::support::json::{Json, step};
use crate::support::uri::{decoded, fragment, relative};

/// The keyword with the path of a component's file.
pub(crate) const FILE: &str = "x-twyla-file";
/// The keyword with the schema of a component, if the schema isn't an object.
const WHOLE: &str = "x-twyla-schema";
/// Marks an item of `allOf` into which the schema's own `$ref` was moved, because AsyncAPI's tools ignore siblings of a `$ref`.
const OWN: &str = "x-twyla-own";
const KEPT: &str = "x-twyla-";
const KEPT_AS_TEXT: &str = "x-twyla-text-";
/// Marks a schema whose property `$ref` was replaced by a pattern; the value is the property's position.
const PROPERTY: &str = "x-twyla-property";
/// The pattern that matches only the name `$ref`.
const ONLY_REF: &str = r"^\$ref$";
/// The prefix of references to components.
const COMPONENTS: &str = "#/components/schemas/";

/// The component name of each file.
pub(crate) type Keys = BTreeMap<String, String>;

/// Converts a file to a component.
pub(super) fn component(mut json: Json, file: &str, sources: &Sources, keys: &Keys) -> Json {
    let name = (FILE.to_owned(), Json::String(file.to_owned()));
    if !matches!(json, Json::Object(_)) {
        return Json::Object(vec![name, (WHOLE.to_owned(), json)]);
    }
    each(&mut json, "", &mut |members, pointer| {
        let from = SchemaPath { document: file.to_owned(), pointer: pointer.to_owned() };
        let target = sources.reference(&from).filter(|to| keys.contains_key(&to.document));
        if members.iter().any(|(name, _)| name == OWN) {
            return;
        }
        keep_keywords(members, &from, target, keys);
        property(members);
        among(members);
    });
    if let Json::Object(members) = &mut json {
        members.insert(0, name);
    }
    json
}

/// Returns the JSON Pointer of a schema that can't be converted: a definition called `$ref`, which others may refer to, or a
/// property called `$ref` whose pattern exists already.
pub(super) fn unsupported(json: &Json) -> Option<String> {
    let mut found = None;
    each(&mut json.clone(), "", &mut |members, pointer| {
        let is_map = |name: &str| matches!(name, "$defs" | "definitions");
        let is_taken = |name: &str| name == "properties" && members.iter().any(|it| it.1.get(ONLY_REF).is_some());
        let some = members.iter().find(|(name, map)| (is_map(name) || is_taken(name)) && map.get("$ref").is_some());
        found = found.take().or_else(|| some.map(|(name, _)| format!("{pointer}/{name}/$ref")));
    });
    found
}

/// Replaces a property called `$ref` by a pattern.
fn property(members: &mut Vec<(String, Json)>) {
    let Some((_, Json::Object(properties))) = members.iter_mut().find(|(name, _)| name == "properties") else { return };
    let Some(at) = properties.iter().position(|(name, _)| name == "$ref") else { return };
    let (_, schema) = properties.remove(at);
    let pattern = (ONLY_REF.to_owned(), schema);
    match members.iter_mut().find(|(name, _)| name == "patternProperties") {
        Some((_, Json::Object(patterns))) => patterns.push(pattern),
        _ => members.push(("patternProperties".to_owned(), Json::Object(vec![pattern]))),
    }
    members.push((PROPERTY.to_owned(), Json::Number(at.to_string())));
}

/// Turns the pattern back into a property called `$ref`, at its old position.
fn property_again(members: &mut Vec<(String, Json)>) {
    let Some(place) = members.iter().position(|(name, _)| name == PROPERTY) else { return };
    let (_, at) = members.remove(place);
    let Some((_, Json::Object(patterns))) = members.iter_mut().find(|(name, _)| name == "patternProperties") else {
        return;
    };
    let Some(pattern) = patterns.iter().position(|(name, _)| name == ONLY_REF) else { return };
    let (_, schema) = patterns.remove(pattern);
    if patterns.is_empty() {
        members.retain(|(name, _)| name != "patternProperties");
    }
    if let Some((_, Json::Object(properties))) = members.iter_mut().find(|(name, _)| name == "properties") {
        let at = if let Json::Number(at) = at { at.parse().unwrap_or(usize::MAX) } else { usize::MAX };
        properties.insert(at.min(properties.len()), ("$ref".to_owned(), schema));
    }
}

/// Rewrites a JSON Pointer through a property called `$ref`, so that it leads through the property's pattern.
fn through_property(pointer: &str) -> String {
    let mut steps: Vec<String> = pointer.split('/').map(str::to_owned).collect();
    let mut at = 1;
    while let [keyword, name, ..] = steps.get_mut(at..).unwrap_or_default() {
        let is_map = MAPS.contains(&keyword.as_str());
        if keyword == "properties" && name == "$ref" {
            "patternProperties".clone_into(keyword);
            ONLY_REF.clone_into(name);
        }
        at += if is_map { 2 } else { 1 };
    }
    steps.join("/")
}

fn keep_keywords(members: &mut Vec<(String, Json)>, from: &SchemaPath, target: Option<&SchemaPath>, keys: &Keys) {
    let mut kept = Vec::with_capacity(members.len());
    for (name, value) in std::mem::take(members) {
        match (name.as_str(), target) {
            ("$ref", Some(to)) => {
                let key = keys.get(&to.document).map(String::as_str).unwrap_or_default();
                let pointer = through_property(&to.pointer);
                kept.push((name, Json::String(format!("{COMPONENTS}{key}{}", fragment(&pointer)))));
                let usual = reference(&from.document, to);
                if value.str() != Some(&usual) || pointer != to.pointer {
                    kept.push((format!("{KEPT}$ref"), value));
                }
            }
            _ if refers(&name, &value) => kept.push((format!("{KEPT_AS_TEXT}{name}"), Json::String(value.line()))),
            _ if stumbles(&name, &value) => kept.push((format!("{KEPT}{name}"), value)),
            _ => kept.push((name, value)),
        }
    }
    // draft 4 has `exclusiveMinimum: true` beside `minimum`; later drafts have the bound itself in `exclusiveMinimum`
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        let is_exclusive =
            kept.iter().any(|(name, value)| *name == format!("{KEPT}{exclusive}") && *value == Json::Bool(true));
        if let Some((name, value)) = kept.iter_mut().find(|(name, _)| is_exclusive && name == bound) {
            let value = value.clone();
            *name = exclusive.to_owned();
            kept.push((format!("{KEPT}{bound}"), value));
        }
    }
    *members = kept;
}

/// Moves a reference with siblings into `allOf`. In drafts before 2019-09 the siblings are ignored, though other tools read them as
/// rules; they stay, because other references may lead to them.
fn among(members: &mut Vec<(String, Json)>) {
    let says = |(name, _): &(String, Json)| name != "$ref" && !name.starts_with("x-");
    let Some(at) = members.iter().position(|(name, _)| name == "$ref").filter(|_| members.iter().any(says)) else {
        return;
    };
    let own = Json::Object(vec![members.remove(at), (OWN.to_owned(), Json::Bool(true))]);
    match members.iter_mut().find(|(name, _)| name == "allOf") {
        Some((_, Json::Array(items))) => items.push(own),
        _ => members.push(("allOf".to_owned(), Json::Array(vec![own]))),
    }
}

/// Moves the reference that [`among`] moved back out of `allOf`.
fn lifted(members: &mut Vec<(String, Json)>) {
    let Some((_, Json::Array(items))) = members.iter_mut().find(|(name, _)| name == "allOf") else { return };
    let Some(at) = items.iter().position(|it| it.get(OWN).is_some()) else { return };
    let own = items.remove(at).get("$ref").cloned();
    if items.is_empty() {
        members.retain(|(name, _)| name != "allOf");
    }
    // insert the `$ref` first: a kept `x-twyla-$ref` with its original text replaces it later
    if let Some(own) = own {
        members.insert(0, ("$ref".to_owned(), own));
    }
}

/// Returns whether a keyword contains a `$ref` that a tool would follow, although it isn't a reference or leads out of the
/// document.
fn refers(name: &str, value: &Json) -> bool {
    let is_value = matches!(name, "enum" | "const" | "default" | "example" | "examples") || name.starts_with("x-");
    let has_names = matches!(name, "patternProperties" | "dependentSchemas" | "dependentRequired" | "dependencies");
    name == "$ref" || is_value && has_reference(value) || has_names && value.get("$ref").is_some()
}

fn has_reference(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(has_reference),
        Json::Object(members) => members.iter().any(|(name, value)| name == "$ref" || has_reference(value)),
        _ => false,
    }
}

/// Returns whether a keyword has another meaning in AsyncAPI, or is refused there.
fn stumbles(name: &str, value: &Json) -> bool {
    match name {
        // references start at the document's root, whatever `$id` a schema has
        "$id" | "id" => value.str().is_some(),
        "exclusiveMinimum" | "exclusiveMaximum" => matches!(value, Json::Bool(_)),
        "discriminator" => value.str().is_none(),
        "deprecated" => !matches!(value, Json::Bool(_)),
        "examples" => !matches!(value, Json::Array(_)),
        "externalDocs" => value.get("url").is_none(),
        // a component with this keyword would be read as a schema of another format
        "schema" | "schemaFormat" => true,
        _ => name.starts_with(KEPT),
    }
}

/// Converts a component back to the JSON of its file. `files` has the file of each component.
pub(crate) fn file(mut json: Json, file: &str, files: &BTreeMap<String, String>) -> Json {
    if let Some(whole) = json.get(WHOLE) {
        return whole.clone();
    }
    if let Json::Object(members) = &mut json {
        members.retain(|(name, _)| name != FILE);
    }
    each(&mut json, "", &mut |members, _| back(members, file, files));
    json
}

fn back(members: &mut Vec<(String, Json)>, file: &str, files: &BTreeMap<String, String>) {
    property_again(members);
    lifted(members);
    let bound = |name: &str| format!("{KEPT}{name}");
    for (exclusive, minimum) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        // rename `exclusiveMinimum` back to `minimum`, or `exclusiveMaximum` to `maximum`
        if members.iter().any(|(name, _)| *name == bound(minimum)) {
            members.retain(|(name, _)| *name != bound(minimum));
            members.iter_mut().filter(|(name, _)| name == exclusive).for_each(|(name, _)| minimum.clone_into(name));
        }
    }
    let mut made: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for (name, value) in std::mem::take(members) {
        let (name, value) = if let Some(keyword) = name.strip_prefix(KEPT_AS_TEXT) {
            match value.str().map(Json::parse) {
                Some(Ok(value)) => (keyword.to_owned(), value),
                _ => (name, value),
            }
        } else if let Some(keyword) = name.strip_prefix(KEPT) {
            (keyword.to_owned(), value)
        } else if let Some(to) = value.str().filter(|_| name == "$ref").and_then(|it| component_of(it, files)) {
            (name, Json::String(reference(file, &to)))
        } else {
            (name, value)
        };
        match made.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => made.push((name, value)),
        }
    }
    *members = made;
}

/// Returns the place that a reference to a component leads to; `None` if `files` doesn't have the component.
fn component_of(reference: &str, files: &BTreeMap<String, String>) -> Option<SchemaPath> {
    let rest = reference.strip_prefix(COMPONENTS)?;
    let (key, pointer) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let document = files.get(key)?.clone();
    Some(SchemaPath { document, pointer: decoded(pointer) })
}

/// Returns the reference from a file to a place in a document: relative, or absolute if the document's name is a URI.
fn reference(from: &str, to: &SchemaPath) -> String {
    let fragment = fragment(&to.pointer);
    if from == to.document {
        return format!("#{fragment}");
    }
    let path = if to.document.contains("://") { to.document.clone() } else { relative(from, &to.document) };
    if fragment.is_empty() { path } else { format!("{path}#{fragment}") }
}

/// The keywords whose values are maps from names to schemas.
const MAPS: [&str; 6] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Calls `with` for each subschema that is an object, outer ones first, with its pointer.
fn each(json: &mut Json, pointer: &str, with: &mut impl FnMut(&mut Vec<(String, Json)>, &str)) {
    match json {
        Json::Array(items) => {
            items.iter_mut().enumerate().for_each(|(i, item)| each(item, &format!("{pointer}/{i}"), with));
        }
        Json::Object(members) => {
            with(members, pointer);
            for (name, value) in members {
                let at = format!("{pointer}{}", step(name));
                match (name.as_str(), value) {
                    ("enum" | "const" | "default" | "example" | "examples", _) => {}
                    (name, _) if name.starts_with("x-") => {}
                    (keyword, Json::Object(named)) if MAPS.contains(&keyword) => {
                        named.iter_mut().for_each(|(name, value)| each(value, &format!("{at}{}", step(name)), with));
                    }
                    (_, value) => each(value, &at, with),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_keywords_are_restored() {
        let file_text = r##"{ "id": "urn:a", "minimum": 1, "exclusiveMinimum": true, "const": { "$ref": "no" }, "x-twyla-a": 1,
            "discriminator": { "propertyName": "a" }, "properties": { "b": true, "$ref": { "id": "b" }, "enum": { "$ref": "#nowhere" } },
            "dependentRequired": { "$ref": ["b"] }, "default": { "$ref": 1 } }"##;
        let mut json = Json::parse(file_text).unwrap();
        let from = SchemaPath { document: "a.json".to_owned(), pointer: String::new() };
        each(&mut json, "", &mut |members, _| {
            keep_keywords(members, &from, None, &Keys::new());
            property(members);
        });
        let written = json.line();
        assert!(written.contains(r#""exclusiveMinimum": 1"#), "{written}");
        assert!(!has_reference(&json), "{written}");
        assert_eq!(file(json, "a.json", &BTreeMap::new()).line(), Json::parse(file_text).unwrap().line());
        assert_eq!(
            through_property("/properties/properties/properties/$ref"),
            r"/properties/properties/patternProperties/^\$ref$"
        );
        assert_eq!(through_property("/$defs/properties/$ref"), "/$defs/properties/$ref");
    }

    #[test]
    fn a_reference_is_written_as_one_usually_does() {
        let to =
            |document: &str, pointer: &str| SchemaPath { document: document.to_owned(), pointer: pointer.to_owned() };
        let of = |to: SchemaPath| reference("events/api/a.json", &to);
        assert_eq!(of(to("events/api/a.json", "")), "#");
        assert_eq!(of(to("events/api/a.json", "/$defs/a b")), "#/$defs/a%20b");
        assert_eq!(of(to("shared/x.json", "")), "../../shared/x.json");
        assert_eq!(of(to("https://example.com/m.json", "/a~1b")), "https://example.com/m.json#/a~1b");
        let files = BTreeMap::from([("x".to_owned(), "shared/x.json".to_owned())]);
        assert_eq!(component_of("#/components/schemas/x/a%20b", &files), Some(to("shared/x.json", "/a b")));
        assert_eq!(component_of("#/components/messages/x", &files), None);
    }
}
