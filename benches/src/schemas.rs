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

/// Writes the context and this many events, each of 300 to 800 lines, over shared definitions of 80 members that refer to one
/// another three levels deep. Five of six events reach the definition `repository`.
///
/// # Errors
/// If a file can't be written.
pub fn write_shared(folder: &Path, count: usize) -> io::Result<()> {
    let mut random = Random::new(11);
    let mut shared = Map::new();
    shared.insert("license".to_owned(), record(&mut random, 5, &[], 0));
    shared.insert("user".to_owned(), record(&mut random, 20, &[], 0));
    shared.insert("repository".to_owned(), record(&mut random, 80, &["user", "license"], 0));
    shared.insert("organization".to_owned(), record(&mut random, 13, &["user"], 0));
    for name in THREADS {
        shared.insert(name.to_owned(), record(&mut random, 80, &["repository", "user", "organization"], 1));
    }
    let mut files = vec![("shared/entities.json".to_owned(), json!({ "$defs": shared }))];
    for index in 0..count {
        let (lines, mut names) = (random.from(300, 800) as usize, vec!["user", "organization"]);
        if index % 6 != 0 {
            names.push("repository");
        }
        // three levels: the event, a thread, the repository
        if index % 6 != 0 && random.percent(40) {
            names.push(random.of(&THREADS));
        }
        let mut event = record(&mut random, 4, &[], 0);
        for name in names {
            event["properties"][name] = json!({ "$ref": format!("../../shared/entities.json#/$defs/{name}") });
            push(&mut event["required"], name);
        }
        let mut length = format!("{event:#}").lines().count();
        for part in 0.. {
            if length >= lines {
                break;
            }
            let object = record(&mut random, 6, &[], 1);
            length += format!("{object:#}").lines().count();
            event["properties"][format!("part_{part}")] = object;
        }
        files.push((format!("events/hub{}/event{index}.json", index / 10), event));
    }
    write_files(folder, files)
}

/// The definitions that refer to the repository.
const THREADS: [&str; 4] = ["pull_request", "issue", "discussion", "workflow_run"];

/// Returns a closed object of this many members, most of them required, with a reference to each of these definitions.
fn record(random: &mut Random, count: usize, refers: &[&str], deep: u64) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for name in refers {
        properties.insert((*name).to_owned(), json!({ "$ref": format!("#/$defs/{name}") }));
        required.push((*name).to_owned());
    }
    while properties.len() < count {
        let name = format!("{}_{}", random.of(&WORDS), random.of(&WORDS));
        if properties.contains_key(&name) {
            continue;
        }
        if random.percent(85) {
            required.push(name.clone());
        }
        properties.insert(name, property(random, deep));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Returns the files of one version of a folder of 290 schemas: deep shared definitions, unions of objects, and recursion. Each
/// later version adds some members, values and branches to the version before it.
///
/// Bounds: 20,000 lines in all.
#[must_use]
pub fn version(version: usize) -> Vec<(String, Value)> {
    const COUNT: usize = 290;
    let mut random = Random::new(13);
    let mut shared = Map::new();
    let tree = json!({ "$ref": "#/$defs/tree" });
    for level in 0..12 {
        let below = format!("level_{}", level + 1);
        let refers: &[&str] = if level < 11 { &[&below] } else { &[] };
        let mut object = record(&mut random, 12, refers, 0);
        if level == 11 {
            object["properties"]["tree"] = tree.clone();
        }
        shared.insert(format!("level_{level}"), object);
    }
    let mut kinds = Vec::new();
    for kind in ["leaf", "list", "pair"] {
        let mut object = record(&mut random, 4, &[], 0);
        object["properties"]["kind"] = json!({ "const": kind });
        push(&mut object["required"], "kind");
        match kind {
            "list" => object["properties"]["items"] = json!({ "type": "array", "items": tree }),
            "pair" => {
                object["properties"]["left"] = tree.clone();
                object["properties"]["right"] = tree.clone();
            }
            _ => {}
        }
        kinds.push(object);
    }
    shared.insert("tree".to_owned(), json!({ "oneOf": kinds }));
    let mut events = Vec::new();
    for _ in 0..COUNT {
        let mut event = record(&mut random, 4, &[], 1);
        let level = format!("level_{}", random.from(0, 11));
        event["properties"]["subject"] = json!({ "$ref": format!("../../shared/model.json#/$defs/{level}") });
        event["properties"]["change"] = json!({ "oneOf": (0..3).map(|kind| {
            let mut object = record(&mut random, 3, &[], 0);
            object["properties"]["kind"] = json!({ "const": format!("kind_{kind}") });
            push(&mut object["required"], "kind");
            object
        }).collect::<Vec<_>>() });
        events.push(event);
    }
    for version in 1..=version {
        let mut random = Random::new(1_000 + version as u64);
        let added = format!("added_{version}");
        let level = format!("level_{}", random.from(0, 11));
        if let Some(object) = shared.get_mut(&level).filter(|_| version % 3 == 0) {
            object["properties"][&added] = json!({ "type": "boolean" });
        }
        for _ in 0..6 {
            let at = random.from(0, COUNT as u64 - 1) as usize;
            events[at]["properties"][&added] = property(&mut random, 1);
            let branch = &mut events[at]["properties"]["change"]["oneOf"][random.from(0, 2) as usize];
            branch["properties"][&added] = json!({ "type": ["string", "null"] });
        }
    }
    let mut files = vec![("shared/model.json".to_owned(), json!({ "$defs": shared }))];
    let named = |(index, event)| (format!("events/area{}/event{index}.json", index / 10), event);
    files.extend(events.into_iter().enumerate().map(named));
    files
}

/// Appends a name to a list.
fn push(list: &mut Value, name: &str) {
    if let Some(list) = list.as_array_mut() {
        list.push(name.into());
    }
}

/// Writes these files and a context, and nothing else, to a folder.
///
/// # Errors
/// If a file can't be written.
pub fn write_files(folder: &Path, files: Vec<(String, Value)>) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let context = json!({ "type": "object", "properties": { "tenant": { "type": "string" } }, "required": ["tenant"] });
    for (path, schema) in std::iter::once(("context.json".to_owned(), context)).chain(files) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, format!("{schema:#}\n"))?;
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
