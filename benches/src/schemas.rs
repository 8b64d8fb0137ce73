//! Reproducible folders of event schemas as real platforms have them, of any size.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::instances::Random;

const WORDS: [&str; 24] = [
    "account", "address", "amount", "batch", "channel", "city", "code", "comment", "contact", "count", "country",
    "device", "label", "language", "level", "number", "owner", "place", "price", "region", "state", "target", "title",
    "weight",
];

/// Writes the context and this many events, ten per domain.
///
/// # Errors
/// If a file can't be written.
pub fn write(folder: &Path, count: usize) -> io::Result<()> {
    let mut random = Random::new(7);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let context = json!({ "type": "object", "properties": { "tenant": { "type": "string" } }, "required": ["tenant"] });
    fs::write(folder.join("context.json"), context.to_string())?;
    for index in 0..count {
        let domain = folder.join(format!("events/domain{}", index / 10));
        fs::create_dir_all(&domain)?;
        let schema = format!("{:#}", event(&mut random, index));
        fs::write(domain.join(format!("event{index}.json")), schema)?;
    }
    Ok(())
}

/// The name of each event as an identifier, and its file.
///
/// # Errors
/// If a folder can't be read.
pub fn events(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut events = Vec::new();
    for domain in fs::read_dir(folder.join("events"))? {
        for file in fs::read_dir(domain?.path())? {
            let path = file?.path();
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            events.push((name, path));
        }
    }
    events.sort();
    Ok(events)
}

/// Code that decodes and encodes each event once, so that all of it is compiled.
///
/// If a folder can't be read.
/// What the file system says.
pub fn uses(folder: &Path, twyla: bool) -> io::Result<String> {
    let mut code = String::new();
    for (name, file) in events(folder)? {
        let index = name.trim_start_matches("event");
        if twyla {
            let domain = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            let domain = domain.unwrap_or_default();
            code.push_str(&format!(
                "pub fn use{index}(text: &[u8], out: &mut Vec<u8>) -> bool {{\n    use twyla_runtime::event::{{Emit, Listen}};\n    \
                 {domain}::Event{index}::decode(text).is_ok_and(|event| event.encode(out).is_ok())\n}}\n"
            ));
        } else {
            code.push_str(&format!(
                "pub fn use{index}(text: &[u8], out: &mut Vec<u8>) -> bool {{\n    \
                 serde_json::from_slice::<{name}::Event{index}>(text).is_ok_and(|event| serde_json::to_writer(out, &event).is_ok())\n}}\n"
            ));
        }
    }
    Ok(code)
}

fn event(random: &mut Random, index: usize) -> Value {
    let count = random.from(4, 10);
    let mut event = object(random, count, 2);
    if let Some(event) = event.as_object_mut() {
        event.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        event.insert("title".into(), json!(format!("Event{index}")));
        event.insert("description".into(), json!("Something has happened."));
    }
    event
}

/// An object with this many properties, nested up to `deep` levels.
fn object(random: &mut Random, count: u64, deep: u64) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    while (properties.len() as u64) < count {
        let name = random.of(&WORDS).to_owned();
        if properties.contains_key(&name) {
            continue;
        }
        if random.percent(60) {
            required.push(name.clone());
        }
        properties.insert(name, property(random, deep));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": random.percent(50) })
}

fn property(random: &mut Random, deep: u64) -> Value {
    let count = random.from(2, 5);
    match random.from(0, if deep > 0 { 15 } else { 12 }) {
        0 => json!({ "type": "string" }),
        1 => {
            json!({ "type": "string", "minLength": 1, "maxLength": random.from(20, 400), "description": "As it is shown." })
        }
        2 => json!({ "type": "string", "pattern": "^[A-Z]{2}-\\d{4,6}$" }),
        3 => json!({ "type": "string", "format": "date-time" }),
        4 => json!({ "type": "string", "format": "uuid" }),
        5 => json!({ "type": "string", "format": random.of(&["email", "uri", "hostname"]) }),
        6 => json!({ "type": "integer", "minimum": 0, "maximum": random.from(10, 100_000) }),
        7 => json!({ "type": "number", "minimum": 0 }),
        8 => json!({ "type": "boolean" }),
        9 => json!({ "type": "string", "enum": ["open", "held", "closed", random.of(&["lost", "sent", "late"])] }),
        10 => json!({ "type": "array", "items": { "type": "string", "maxLength": 40 }, "maxItems": 20 }),
        11 => json!({ "type": ["string", "null"] }),
        12 => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        13 => json!({ "type": "array", "items": object(random, count, deep - 1), "minItems": 1 }),
        _ => object(random, count, deep - 1),
    }
}
