//! Characters that can't be seen, or that move others: in no code, no lock and no message.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fs;
use std::path::Path;

use twyla_build::lock::{self, Lock};
use twyla_build::{Builder, Problems};
use twyla_contract::text::{VisibleJson, is_invisible};

/// Of each kind one: a bidirectional override and isolate, a zero-width character, a tag, a separator, a control character.
const SOME: [char; 7] = ['\u{202e}', '\u{2067}', '\u{200b}', '\u{e0061}', '\u{2028}', '\u{9b}', '\u{ad}'];

/// An event that has a character wherever a schema has a text.
fn event(c: char) -> String {
    let text = serde_json::Value::from(format!("a{c}b")).to_string();
    let text = text.trim_matches('"');
    format!(
        r##"{{
            "title": "{text}", "description": "{text}", "$comment": "{text}", "x-{text}": "{text}", "type": "object",
            "properties": {{
                "{text}": {{ "type": "string", "description": "{text}" }},
                "a_b": {{ "type": "string" }},
                "pattern": {{ "type": "string", "pattern": "^{text}$", "default": "{text}" }},
                "enum": {{ "enum": ["{text}", "ab"], "default": "{text}" }},
                "const": {{ "const": "{text}" }},
                "mixed": {{ "enum": ["{text}", 1], "maxLenght": 3 }},
                "format": {{ "type": "string", "format": "uui{c}d", "maxLen{c}gth": 1 }},
                "closed": {{ "type": "object", "properties": {{ "{text}": {{ "$ref": "#/$defs/{text}" }} }}, "additionalProperties": false }},
                "union": {{ "oneOf": [
                    {{ "type": "object", "properties": {{ "{text}": {{ "const": "{text}1" }} }}, "required": ["{text}"] }},
                    {{ "type": "object", "properties": {{ "{text}": {{ "const": "{text}2" }} }}, "required": ["{text}"] }}
                ] }}
            }},
            "required": ["c{text}"],
            "patternProperties": {{ "^x{text}": {{ "const": 1 }} }},
            "$defs": {{ "{text}": {{ "description": "{text}", "type": "object", "properties": {{ "{text}": {{}} }} }} }}
        }}"##
    )
}

#[track_caller]
fn visible(text: &str) {
    let found = text.find(|c| is_invisible(c) && c != '\n');
    assert!(found.is_none(), "{:?}", found.and_then(|at| text.get(at.saturating_sub(100)..)));
}

#[test]
fn they_are_those_of_unicode() {
    let class = regex::Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").unwrap();
    for c in '\0'..=char::MAX {
        assert_eq!(is_invisible(c), class.is_match(c.encode_utf8(&mut [0; 4])), "{c:?}");
    }
}

#[test]
fn json_is_the_same_with_them_in_escapes() {
    let value = serde_json::Value::from(SOME.iter().collect::<String>());
    let pretty = format!("{:#}", serde_json::json!({ "a": [value] }));
    let shown = VisibleJson(&pretty).to_string();
    visible(&shown);
    assert_ne!(shown, pretty);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["a"][0], value);
}

#[test]
fn code_locks_and_messages_have_none() {
    for c in SOME {
        let schemas = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("invisible/{:x}", u32::from(c)));
        let _ = fs::remove_dir_all(&schemas);
        let write = |path: &str, text: &str| {
            let path = schemas.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("context.json", "{}");
        write("events/a/x.json", &event(c));
        let builder = Builder::new(&schemas).shown_as("schemas");
        let generated = builder.generate().unwrap();
        visible(&generated.code);
        syn::parse_file(&generated.code).unwrap();
        assert!(generated.warnings.len() > 2, "{:?}", generated.warnings);
        generated.warnings.iter().for_each(|warning| visible(&warning.to_string()));

        let text = Lock::of(&builder.contracts().unwrap()).to_string();
        visible(&text);
        let lock = Lock::parse("lock", text.as_bytes()).unwrap();
        lock.verify("lock").unwrap();
        assert_eq!(lock.to_string(), text);

        // the same again, with what is found of a change
        write("events/a/x.json", &event(c).replace("1\"", "3\"").replace("\"ab\"]", "\"ac\"]"));
        write(lock::FILE_NAME, &text);
        let found = builder.check().unwrap();
        assert!(!found.is_empty());
        lock::messages(&found).iter().flat_map(|message| &message.lines).for_each(|line| visible(line));
        found.iter().flat_map(|found| found.changes()).for_each(|line| visible(&line));

        // and of a mistake
        write("events/a/x.json", &format!(r#"{{ "type": "a{c}b", "$ref": "a{c}b.json", "pattern": "(a{c}b" }}"#));
        let Err(Problems(problems)) = builder.generate() else { panic!("has no mistake") };
        problems.iter().for_each(|problem| visible(&problem.to_string()));
    }
}
