//! What `schemars` writes of Rust types, made what contracts have: formats that only Rust knows become bounds, and definitions that
//! several files have become one that is shared.

use std::collections::BTreeMap;

use twyla_contract::rust::field_name;

use super::json::Json;

/// What a format of Rust's numbers says.
fn bounds(format: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match format {
        "uint8" => &[("minimum", "0"), ("maximum", "255")],
        "uint16" => &[("minimum", "0"), ("maximum", "65535")],
        "uint32" => &[("minimum", "0"), ("maximum", "4294967295")],
        "uint" | "uint64" | "uint128" => &[("minimum", "0")],
        "int8" => &[("minimum", "-128"), ("maximum", "127")],
        "int16" => &[("minimum", "-32768"), ("maximum", "32767")],
        "int32" => &[("minimum", "-2147483648"), ("maximum", "2147483647")],
        "int" | "int64" | "int128" | "float" | "double" => &[],
        _ => return None,
    })
}

/// Replaces formats of Rust's numbers by what they mean; says how many there were.
pub(super) fn numbers(json: &mut Json) -> usize {
    let mut count = 0;
    json.each_schema(&mut |members| {
        let is_number = members.iter().any(|(name, value)| {
            let number = |it: &Json| matches!(it.str(), Some("integer" | "number"));
            name == "type" && (number(value) || matches!(value, Json::Array(types) if types.iter().any(number)))
        });
        let place = members.iter().position(|(name, value)| name == "format" && value.str().and_then(bounds).is_some());
        let Some(place) = place.filter(|_| is_number) else { return };
        let (_, format) = members.remove(place);
        count += 1;
        for (keyword, limit) in format.str().and_then(bounds).unwrap_or_default() {
            if !members.iter().any(|(name, _)| name == keyword) {
                members.insert(place.min(members.len()), ((*keyword).to_owned(), Json::Number((*limit).to_owned())));
            }
        }
    });
    count
}

/// Moves definitions that are the same in several files to files of their own below `shared/`, and says which.
pub(super) fn share(files: &mut BTreeMap<String, Json>) -> Vec<String> {
    let mut seen: BTreeMap<(String, String), Vec<(String, &'static str)>> = BTreeMap::new();
    for (path, json) in files.iter() {
        for holder in ["definitions", "$defs"] {
            for (name, definition) in json.get(holder).map_or(&[][..], Json::members) {
                seen.entry((name.clone(), definition.line())).or_default().push((path.clone(), holder));
            }
        }
    }
    // a name that means two things stays where it is, and so does what refers to one that stays
    let mut shared: BTreeMap<String, Json> = BTreeMap::new();
    for ((name, _), places) in &seen {
        let alone = seen.keys().filter(|(other, _)| other == name).count() == 1;
        let free = !files.contains_key(&place_of(name));
        let first = places.first().and_then(|(path, holder)| files.get(path)?.get(holder)?.get(name));
        if let Some(definition) = first.filter(|_| alone && free && places.len() > 1) {
            shared.insert(name.clone(), definition.clone());
        }
    }
    loop {
        let before = shared.len();
        let names: Vec<String> = shared.keys().cloned().collect();
        shared.retain(|_, definition| own_references(definition).iter().all(|name| names.contains(name)));
        if shared.len() == before {
            break;
        }
    }
    for (path, json) in files.iter_mut() {
        let up = "../".repeat(path.matches('/').count());
        refer(json, &shared, &|name| format!("{up}{}", place_of(name)));
        if let Json::Object(members) = json {
            for (holder, value) in members.iter_mut() {
                if matches!(holder.as_str(), "definitions" | "$defs")
                    && let Json::Object(definitions) = value
                {
                    definitions.retain(|(name, _)| !shared.contains_key(name));
                }
            }
            members.retain(|(holder, value)| {
                !(matches!(holder.as_str(), "definitions" | "$defs") && value.members().is_empty())
            });
        }
    }
    let names: Vec<String> = shared.keys().map(|name| place_of(name)).collect();
    let all = shared.clone();
    for (name, mut definition) in shared {
        refer(&mut definition, &all, &|name| format!("{}.json", field_name(name)));
        files.insert(place_of(&name), definition);
    }
    names
}

fn place_of(name: &str) -> String {
    format!("shared/{}.json", field_name(name))
}

/// The name of the definition that a reference within a file leads to.
fn definition_of(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("#/definitions/").or_else(|| reference.strip_prefix("#/$defs/"))?;
    (!name.contains(['/', '~', '%'])).then_some(name)
}

fn own_references(json: &Json) -> Vec<String> {
    let mut found = Vec::new();
    json.clone().each_schema(&mut |members| {
        let own = members.iter().filter(|(name, _)| name == "$ref").filter_map(|(_, value)| value.str());
        found.extend(own.filter(|it| it.starts_with('#')).map(|it| definition_of(it).unwrap_or(it).to_owned()));
    });
    found
}

fn refer(json: &mut Json, shared: &BTreeMap<String, Json>, place: &impl Fn(&str) -> String) {
    json.each_schema(&mut |members| {
        for (name, value) in members.iter_mut().filter(|(name, _)| name == "$ref") {
            let _ = name;
            if let Json::String(reference) = value
                && let Some(name) = definition_of(reference).filter(|name| shared.contains_key(*name))
            {
                *reference = place(name);
            }
        }
    });
}
