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
    let events = events.iter().map(|(name, content)| (format!("events/shop/{name}.json"), (*content).to_owned()));
    types_of(folder, &events.collect())
}

/// The same for files by their paths.
fn types_of(folder: &Path, files: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
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
    files.iter().for_each(|(path, content)| write(path, content));
    let about = Builder::new(folder).shown_as("schemas").explain().ok()?;
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

#[test]
fn no_addition_changes_the_name_of_the_items_of_a_list() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("items");
    let inner = r#"{ "type": "object", "properties": { "b": { "enum": ["x"] } } }"#;
    let object =
        |members: &[String]| format!("{{ \"type\": \"object\", \"properties\": {{\n{}\n}} }}", members.join(",\n"));
    let one = |name: &str| format!(r#""{name}": {inner}"#);
    let lists = ["lines", "line_tags", "categories", "people"]
        .map(|name| format!(r#""{name}": {{ "type": "array", "items": {inner} }}"#));
    let refs = |names: &[&str]| {
        let refer = |name: &&str| format!(r#""{name}": {{ "$ref": "../../shared/{name}.json" }}"#);
        object(&names.iter().map(refer).collect::<Vec<_>>())
    };
    let content = object(&lists);
    let singular = object(&[&lists[..], &[one("line"), one("category"), one("person")]].concat());
    let tagged = object(&[one("tag")]);
    let file = |path: &str, content: &str| (path.to_owned(), content.to_owned());
    let event = [file("events/shop/order.json", &content)];
    let shared = [file("shared/order.json", &content), file("events/shop/all.json", &refs(&["order"]))];
    let referred = refs(&["order", "order_line"]);
    for (before, added) in [
        (&event[..], vec![file("events/shop/order_line.json", &tagged)]),
        (&event[..], vec![file("events/shop/order_category.json", "{}"), file("events/shop/order_person.json", inner)]),
        (&event[..], vec![file("events/shop/order.json", &singular)]),
        (&shared[..], vec![file("shared/order_line.json", &tagged), file("events/shop/all.json", &referred)]),
    ] {
        let before: BTreeMap<String, String> = before.iter().cloned().collect();
        let after = before.clone().into_iter().chain(added).collect();
        let [before, after] = [before, after].map(|files| types_of(&folder, &files).expect("no type's name is taken"));
        assert!(before.len() > lists.len() && after.len() > before.len(), "{before:#?} {after:#?}");
        for (place, path) in &before {
            assert_eq!(after.get(place), Some(path), "{place}: {after:#?}");
        }
    }
}

/// A content with a type at the end of a long way, and further members of the objects around it.
fn deep(further: &str) -> String {
    let words = ["configuration_of_the_warehouse", "automatic_replenishment_policies", "^.", "thresholds_for_orders"];
    let leaf = format!(r#"{{ "type": "object", "properties": {{ "at_least": {{ "enum": ["none"] }}{further} }} }}"#);
    words.iter().rev().fold(leaf, |inner, word| {
        let patterns = r#""patternProperties": { "^x-.+\\d": { "type": "object", "properties": { "a": {} } } }"#;
        format!(r#"{{ "type": "object", "properties": {{ "{word}": {inner}{further} }}, {patterns} }}"#)
    })
}

#[test]
fn a_long_way_gives_a_short_name_that_no_addition_changes() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("long-names");
    let long = "inventory_of_the_warehouse_has_been_adjusted_by_an_auditor";
    let plain = deep("");
    let object = r#"{ "type": "object", "properties": { "b": { "enum": ["y"] } } }"#;
    let more = deep(&format!(r#", "a": {object}, "zone": {object}"#));
    let names = |content: &str| -> BTreeMap<String, String> {
        let types = types(&folder, &[("stock", content), (long, content)]).unwrap();
        // a place without its column, which additions in the same line move
        types.into_iter().map(|(place, path)| (path, place)).collect()
    };
    let (before, after) = (names(&plain), names(&more));
    assert!(before.len() > 12 && after.len() > before.len(), "{before:#?}");
    for path in before.keys() {
        assert!(after.contains_key(path), "{path} is renamed: {after:#?}");
    }
    for path in after.keys() {
        let name = path.rsplit("::").next().unwrap();
        assert!(name.chars().count() <= 60, "{path}");
        assert!(!name.contains("U5e") && !name.contains("u5e"), "{path}");
    }
}

#[test]
fn a_branch_added_at_the_end_renumbers_no_type() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("branches");
    let branches = |count: usize| {
        let branch = |n: usize| {
            format!(
                r#"{{ "type": "object", "required": ["action"], "properties": {{ "action": {{ "const": "a{n}" }}, "part": {{ "type": "object", "properties": {{ "p{n}": {{ "type": "string" }} }} }} }} }}"#
            )
        };
        let branches: Vec<String> = (0..count).map(branch).collect();
        types(&folder, &[("changed", &format!("{{ \"oneOf\": [\n{}\n] }}", branches.join(",\n")))]).unwrap()
    };
    let mut before = branches(2);
    for count in 3..13 {
        let after = branches(count);
        assert!(after.len() > before.len());
        for (place, path) in &before {
            assert_eq!(after.get(place), Some(path), "{place} with {count} branches");
        }
        before = after;
    }
}
