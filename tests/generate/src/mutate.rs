//! Changes a schema in one place: removes, adds or changes a keyword.

use serde_json::{Map, Number, Value, json};

use crate::random::Random;
use crate::schemas;

/// The schema with one change; unchanged if none was possible.
#[must_use]
pub fn changed(draft: &str, schema: &Value, random: &mut Random) -> Value {
    let mut places = Vec::new();
    walk(schema, &mut Vec::new(), &mut places);
    let mut out = schema.clone();
    let place = random.pick(&places).clone();
    if let Some(at) = at(&mut out, &place) {
        change(draft, at, random);
    }
    out
}

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every schema in a schema.
fn walk(schema: &Value, way: &mut Vec<Step>, places: &mut Vec<Vec<Step>>) {
    places.push(way.clone());
    let Value::Object(keywords) = schema else { return };
    for (keyword, value) in keywords {
        way.push(Step::Key(keyword.clone()));
        match (keyword.as_str(), value) {
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies",
                Value::Object(named),
            ) => {
                for (name, inner) in named.iter().filter(|(_, inner)| !inner.is_array()) {
                    way.push(Step::Key(name.clone()));
                    walk(inner, way, places);
                    way.pop();
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(all)) => {
                for (index, inner) in all.iter().enumerate() {
                    way.push(Step::Index(index));
                    walk(inner, way, places);
                    way.pop();
                }
            }
            (
                "items"
                | "additionalItems"
                | "additionalProperties"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                _,
            ) => walk(value, way, places),
            _ => {}
        }
        way.pop();
    }
}

fn at<'v>(value: &'v mut Value, way: &[Step]) -> Option<&'v mut Value> {
    way.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_str()),
        Step::Index(index) => value.get_mut(*index),
    })
}

const WORDS: [&str; 6] = ["a", "b", "abc", "", "card", "id"];

fn change(draft: &str, schema: &mut Value, random: &mut Random) {
    let other = schemas::schema(draft, random.draw(), 0);
    let Value::Object(keywords) = schema else {
        // `true` or `false`, which draft 4 lacks
        *schema = json!({ "type": "string" });
        return;
    };
    let names: Vec<String> =
        keywords.keys().filter(|key| !key.starts_with('$') && *key != "definitions").cloned().collect();
    match random.below(10) {
        // remove a keyword
        0 | 1 if !names.is_empty() => {
            keywords.remove(random.pick(&names));
        }
        // add or replace a keyword with one of another schema
        2 | 3 => {
            if let Value::Object(other) = &other {
                let fitting = |key: &&String| !key.starts_with('$') && *key != "definitions" && !refers(&other[*key]);
                let some: Vec<&String> = other.keys().filter(fitting).collect();
                if !some.is_empty() {
                    let key = (*random.pick(&some)).clone();
                    let alone =
                        matches!(key.as_str(), "exclusiveMinimum" | "exclusiveMaximum") && other[&key].is_boolean();
                    if !alone {
                        keywords.insert(key.clone(), other[&key].clone());
                    }
                }
            }
        }
        // wrap it in a schema that is wider or narrower
        4 => {
            let inner = std::mem::take(schema);
            let mut other = if refers(&other) { json!({ "type": "null" }) } else { other };
            if let Value::Object(other) = &mut other {
                other.retain(|key, _| !key.starts_with('$') && key != "definitions");
            }
            let keyword = *random.pick(&["anyOf", "allOf", "oneOf"]);
            *schema = hoisted(inner, |inner| json!({ keyword: [inner, other] }));
        }
        _ if !names.is_empty() => {
            let key = random.pick(&names).clone();
            if let Some(value) = keywords.get_mut(&key) {
                vary(&key, value, random);
            }
        }
        _ => {
            keywords.insert("minProperties".into(), 1.into());
        }
    }
}

/// Nests a schema in another one; targets of absolute references stay in place.
fn hoisted(inner: Value, around: impl FnOnce(Value) -> Value) -> Value {
    let Value::Object(mut inner) = inner else { return around(inner) };
    let named = ["$defs", "definitions", "$dynamicAnchor", "$recursiveAnchor", "$id", "id", "$schema"];
    let mut kept = Map::new();
    for key in named {
        if let Some(value) = inner.remove(key) {
            kept.insert(key.into(), value);
        }
    }
    let mut outer = around(inner.into());
    if let Value::Object(outer) = &mut outer {
        outer.extend(kept);
    }
    outer
}

/// Whether a schema, or one nested in it, refers to another.
fn refers(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key.ends_with("ef") || refers(value)),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Gives a keyword a value close to its current one.
fn vary(key: &str, value: &mut Value, random: &mut Random) {
    match (key, value) {
        ("type", value) => {
            *value = json!(random.pick(&["string", "integer", "number", "object", "array", "null", "boolean"]))
        }
        ("multipleOf", value) => *value = random.pick(&[json!(1), json!(2), json!(0.5), json!(3), json!(0.1)]).clone(),
        (key, Value::Number(number)) => {
            let by = *random.pick(&[-1, 1, 2]);
            let size = key.starts_with("min") && key != "minimum" || key.starts_with("max") && key != "maximum";
            if let Some(whole) = number.as_i64() {
                let moved = whole.saturating_add(by);
                *number = if size { moved.max(0).into() } else { moved.into() };
            } else if let Some(moved) = number.as_f64().and_then(|float| Number::from_f64(float + by as f64 / 2.0)) {
                *number = moved;
            }
        }
        ("enum" | "required", Value::Array(items)) => {
            if items.len() > 1 && random.chance(50) {
                let index = random.below(items.len());
                items.remove(index);
            } else {
                let word = json!(random.pick(&WORDS));
                if !items.contains(&word) {
                    items.push(word);
                }
            }
        }
        ("const", value) => *value = json!(random.pick(&WORDS)),
        ("pattern", value) => *value = json!(random.pick(&["^a", "b$", "^[a-c]+$", r"^\d*$", ".", "^(?!a)"])),
        ("format", value) => *value = json!(random.pick(&["date", "uri", "email", "ipv4"])),
        (_, Value::Bool(flag)) => *flag = !*flag,
        ("properties" | "patternProperties", Value::Object(named)) => {
            let names: Vec<String> = named.keys().cloned().collect();
            if names.is_empty() {
                named.insert("a".into(), json!({ "type": "string" }));
            } else if let Some(value) = named.remove(random.pick(&names))
                && key == "properties"
                && random.chance(50)
            {
                named.insert((*random.pick(&WORDS)).into(), value);
            }
        }
        ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(all)) if all.len() > 1 => {
            let index = random.below(all.len());
            all.remove(index);
        }
        _ => {}
    }
}
