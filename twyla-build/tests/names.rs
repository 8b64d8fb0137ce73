//! The names of types: no event that comes changes one that is there.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use twyla_build::Builder;

/// Events whose types, and those within, would have few names.
const EVENTS: [&str; 6] = ["a", "a_b", "a-b", "a_b_c", "b", "b.a"];
/// Contents, with what is in them.
const CONTENTS: [&str; 4] = [
    r#"{ "type": "object", "properties": { "b": { "type": "object", "properties": { "c": { "enum": ["x"] } } } } }"#,
    r#"{ "type": "object", "properties": { "b_c": { "enum": ["x"] }, "b": { "items": { "type": "object", "properties": { "x": {} } } } } }"#,
    r#"{ "type": "object", "properties": { "c": { "oneOf": [{ "type": "null" }, { "type": "object", "properties": { "b": { "enum": ["x"] } } }] } } }"#,
    r#"{ "$ref": "../../shared/b.json" }"#,
];

/// The path of each type, by its place; none where the folder is refused.
fn types(folder: &Path, events: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    let _ = fs::remove_dir_all(folder);
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "context.json",
        r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "b": {} } } } }"#,
    );
    write(
        "shared/b.json",
        r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "b": {} } } } }"#,
    );
    write("events/other/one.json", "{}");
    events.iter().for_each(|(name, content)| write(&format!("events/shop/{name}.json"), content));
    let about = Builder::new(folder).shown_as("schemas").about().ok()?;
    let types = about.into_iter().flat_map(|about| about.types);
    Some(types.map(|it| (it.place.to_string(), it.rust_path)).collect())
}

#[test]
fn no_event_that_comes_changes_a_name() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    let all: Vec<(&str, &str)> = EVENTS.iter().flat_map(|name| CONTENTS.map(|content| (*name, content))).collect();
    let (mut kept, mut refused) = (0, 0);
    for first in &all {
        let before = types(&folder, &[*first]).unwrap();
        for second in all.iter().filter(|second| second.0 != first.0) {
            match types(&folder, &[*first, *second]) {
                Some(after) => {
                    kept += 1;
                    for (place, path) in &before {
                        assert_eq!(after.get(place), Some(path), "{place} of {first:?} with {second:?}");
                    }
                }
                None => refused += 1,
            }
        }
    }
    assert!(kept > 200 && refused > 40, "{kept} {refused}");
}
