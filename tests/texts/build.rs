//! Writes schemas with each text of `texts.rs` in each place that holds a text, and compiles them.

use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value, json};

const TEXTS: &[&str] = include!("texts.rs");

/// Names that become the same identifier, look alike, or cause warnings of rustc.
const NAMES: &[&[&str]] = &[
    &["\u{f900}", "\u{8c48}"],
    &["\u{fb01}x", "fix", "\u{ff46}ix", "\u{ff46}n", "fn"],
    &["ª", "a", "\u{430}"],
    &["ı", "i", "l", "1", "kayıt", "kayit"],
    &["µ", "μ", "Ω", "\u{2126}", "ω", "\u{212a}", "k", "ſ", "s", "ⅸ", "ix", "ǆ", "ŉ", "²"],
    &["адрес", "а", "с", "имя", "aдpec"],
    &["ー", "一", "データ", "ロ", "口", "日本"],
    &["læge", "laege", "straße", "ümber", "ürnber", "ü1", "ül"],
    &["עברית", "عربي", "हिन्दी", "ไทย", "한국어", "ᄒ", "ꓐ", "ᏼ", "\u{1d400}"],
    &["\u{2067}b", "b", "\u{200d}b", "b\u{202e}", "e\u{301}", "é"],
];

fn main() {
    println!("cargo::rerun-if-changed=texts.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let schemas = Path::new(&out).join("schemas");
    let _ = fs::remove_dir_all(&schemas);
    let write = |path: String, schema: &Value| {
        let path = schemas.join(path);
        fs::create_dir_all(path.parent().expect("is in the folder")).expect("is writable");
        fs::write(path, schema.to_string()).expect("is writable");
    };
    write("context.json".to_owned(), &json!({ "title": TEXTS[0], "type": "object" }));
    // a file's name is shown where its schema is declared
    write("shared/[a] `b` ~~~ <c> _d_.json".to_owned(), &json!({ "type": "object", "properties": { "a": {} } }));
    for (i, text) in TEXTS.iter().enumerate() {
        write(format!("events/texts/text_{i}.json"), &event(i, text));
    }
    let named = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<Map<_, _>>();
    let words: Vec<&str> = NAMES.concat();
    write(
        "events/texts/names.json".to_owned(),
        &json!({ "type": "object", "properties": named(&words), "enum": [{}] }),
    );
    write(
        "events/texts/words.json".to_owned(),
        &json!({ "type": "object", "properties": { "word": { "enum": words } } }),
    );
    for (i, alike) in NAMES.iter().enumerate() {
        let schema = json!({ "type": "object", "properties": { "in": { "properties": named(alike) } } });
        write(format!("events/texts/names_{i}.json"), &schema);
    }
    for (i, text) in TEXTS.iter().enumerate().step_by(10) {
        let body = json!({ "description": text, "type": "object" });
        for way in ["request", "response", "error"] {
            write(format!("rpc/texts/text_{i}/{way}.json"), &body);
        }
    }
    // as the builder compiles, but without a warning for each renamed property
    match twyla_build::Builder::new(&schemas).shown_as("schemas").runtime("twyla_codec").generate() {
        Ok(generated) => {
            fs::write(Path::new(&out).join("twyla.rs"), generated.code).expect("is writable");
            fs::write(Path::new(&out).join("twyla.index"), generated.index).expect("is writable");
        }
        Err(problems) => println!("cargo::error={}", problems.to_string().replace('\n', "; ")),
    }
}

/// An event with a text in each place.
fn event(i: usize, text: &str) -> Value {
    let quoted: String = text.chars().map(|c| format!("\\u{{{:x}}}", u32::from(c))).collect();
    let mut properties = Map::new();
    for (name, schema) in [
        ("description", json!({ "description": text, "type": "string" })),
        ("title", json!({ "title": text, "type": "integer" })),
        ("default", json!({ "type": "string", "default": text })),
        ("examples", json!({ "examples": [text], "type": "string" })),
        ("pattern", json!({ "type": "string", "pattern": format!("^[^{quoted}x]$") })),
        ("constant", json!({ "const": text })),
        ("number", json!({ "const": 3 })),
        ("fraction", json!({ "enum": [0.5] })),
        ("flag", json!({ "type": "boolean", "enum": [true] })),
        ("nullable", json!({ "description": text, "type": ["integer", "null"], "enum": [1, null] })),
        (
            "narrowed",
            json!({ "description": text, "$ref": "#/$defs/defined", "title": text, "not": { "const": text } }),
        ),
        (
            "rules",
            json!({ "type": "object", "additionalProperties": false, "properties": { "rules": { "type": "string", "not": { "const": "none" } } } }),
        ),
        (
            "long_enough_for_a_name_of_more_than_sixty_characters",
            json!({ "title": text, "type": "object", "properties": { text: {} } }),
        ),
        ("words", json!({ "description": text, "enum": ["a", text, format!("{text}\u{20}b")] })),
        ("mixed", json!({ "enum": [text, 1, null] })),
        ("inner", json!({ "description": text, "type": "object", "properties": { "a": { "description": text } } })),
        ("list", json!({ "type": "array", "items": { "title": text, "type": "object", "properties": { text: {} } } })),
        ("map", json!({ "description": text, "type": "object", "additionalProperties": { "description": text } })),
        ("closed", json!({ "type": "object", "required": [text], "additionalProperties": false })),
        ("shared", json!({ "$ref": "../../shared/[a] `b` ~~~ <c> _d_.json", "description": text })),
        ("tree", json!({ "description": text, "not": { "const": text }, "$comment": text, "x-note": text })),
        ("defined", json!({ "$ref": "#/$defs/defined" })),
        (
            "union",
            json!({ "oneOf": [
                { "type": "object", "properties": { "kind": { "const": format!("{text}1") } }, "required": ["kind"] },
                { "type": "object", "properties": { "kind": { "const": format!("{text}2") } }, "required": ["kind"] },
            ] }),
        ),
    ] {
        properties.insert(name.to_owned(), schema);
    }
    properties.insert(format!("{text}{i}"), json!({ "description": text }));
    json!({
        "title": text,
        "description": text,
        "type": "object",
        "properties": properties,
        "allOf": [{ "required": [format!("{text} undeclared")] }],
        "$defs": { "defined": { "description": text, "enum": [format!("{text}1")] } },
    })
}
