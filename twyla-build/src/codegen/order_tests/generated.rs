//! Tests the same on generated folders, whose schemas refer to one another.

use serde_json::{Value, json};
use twyla_generate::random::Random;

use super::{DRAFTS, Folder, holds};
use crate::stack;

#[test]
fn generated_folders() {
    const FOLDERS: u64 = 16;
    let read = stack::large(|| {
        let mut read = 0;
        for (number, draft) in DRAFTS.into_iter().enumerate() {
            for index in 0..FOLDERS {
                let mut random = Random::new(&[1, number as u64, index]);
                let folder = generated(number, index, &mut random);
                read += u64::from(holds(&format!("{draft:?} {index}"), &folder, draft, &mut random));
            }
        }
        read
    });
    let read = read.unwrap();
    assert!(read > FOLDERS * 5 / 2, "only {read} of the generated folders have no errors");
}

/// Returns a folder of generated schemas that refer to one another.
fn generated(draft: usize, index: u64, random: &mut Random) -> Folder {
    let places =
        ["events/nalpha/ntheta", "events/nalpha/ngamma", "events/ntheta/nalpha", "shared/nkappa", "shared/nsigma"];
    let mut folder = vec![("context.json".to_owned(), json!({}))];
    for (at, place) in places.iter().enumerate() {
        let mut schema = twyla_generate::schemas::schema(twyla_generate::DRAFTS[draft], 7, index * 5 + at as u64);
        if place.starts_with("events") {
            let properties = if random.chance(50) {
                json!({ "own": schema })
            } else {
                json!({ "a": { "type": "integer" }, "own": schema })
            };
            // the schema is put below `own`, where its references would have other targets
            let looked_at = json!({ "required": ["own"], "properties": { "own": { "required": ["z"] } } });
            let not = if random.chance(50) { looked_at } else { json!({ "required": ["a", "b"] }) };
            let object = json!({ "type": "object", "properties": properties, "not": not });
            let allowed = schema.get("type").is_some_and(|kind| kind == "object");
            schema = if allowed && random.chance(70) { schema } else { without_references(object) };
        }
        refer(&mut schema, &places, random, draft >= 3);
        folder.push((format!("{place}.json"), schema));
    }
    folder
}

fn without_references(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, _)| !key.ends_with("Ref") && key != "$ref");
            kept.map(|(key, value)| (key, without_references(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_references).collect(),
        other => other,
    }
}

/// Replaces some schemas by references to the other files, or adds references beside their keywords.
fn refer(schema: &mut Value, to: &[&str], random: &mut Random, beside: bool) {
    let Value::Object(members) = schema else { return };
    for (key, value) in members.iter_mut() {
        let mut each = |schema: &mut Value| {
            if schema.is_object() || schema.is_boolean() {
                refer(schema, to, random, beside);
                if random.chance(18) {
                    let target = format!("/{}.json", random.pick(to));
                    match schema {
                        Value::Object(members) if beside && random.chance(40) => {
                            members.entry("$ref").or_insert(target.into());
                        }
                        _ => *schema = json!({ "$ref": target }),
                    }
                }
            }
        };
        match (key.as_str(), value) {
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => {
                named.values_mut().for_each(each);
            }
            ("allOf" | "anyOf" | "oneOf" | "items" | "prefixItems", Value::Array(items)) => {
                items.iter_mut().for_each(each)
            }
            ("items" | "additionalProperties" | "contains" | "not" | "if" | "then" | "else", schema) => each(schema),
            _ => {}
        }
    }
}
