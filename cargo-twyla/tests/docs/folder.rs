//! Contracts to make pages of: the demo platform's with their services, and hostile ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use twyla_build::Builder;
use twyla_build::compare::{ContractKind, Sources};

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// What a command prints, and its exit code.
pub(crate) fn twyla(folder: &Path, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.arg("twyla").args(args).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code().unwrap())
}

pub(crate) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

pub(crate) fn git(folder: &Path, args: &[&str]) {
    let who = ["-c", "user.name=A <b>author</b>", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(who).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Every file of a site.
pub(crate) fn site(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for below in ["", "events", "rpc"] {
        for entry in fs::read_dir(folder.join(below)).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() {
                let name = entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(entry).unwrap());
            }
        }
    }
    files
}

fn digest(sources: &Sources, kind: ContractKind, name: &str, schemas: &mut serde_json::Map<String, Value>) -> String {
    let bundle = &sources.contract(kind, name).unwrap().bundle;
    schemas.insert(bundle.digest(), serde_json::from_str(&bundle.to_string()).unwrap());
    bundle.digest()
}

/// The services of the demo platform, as their manifests would have them.
pub(crate) fn manifests(folder: &Path) {
    let sources = Builder::new(workspace().join("schemas")).contracts().unwrap();
    fs::create_dir_all(folder).unwrap();
    type Events<'a> = &'a [&'a str];
    let services: [(&str, &str, Events<'_>, Events<'_>, Events<'_>, Events<'_>); 4] = [
        ("web", "1.4.0", &["api.user_input"], &["bot.reply"], &[], &[]),
        ("bot", "2.1.0", &["bot.reply"], &["api.user_input"], &[], &["navitaire-api.get_booking"]),
        ("audit", "0.9.2", &[], &["api.user_input", "bot.reply"], &[], &[]),
        ("navitaire-api", "3.0.1", &[], &[], &["navitaire-api.get_booking"], &[]),
    ];
    for (service, version, emits, listens, serves, calls) in services {
        let mut schemas = serde_json::Map::new();
        let context = digest(&sources, ContractKind::Context, "context", &mut schemas);
        let mut event = |name: &str| digest(&sources, ContractKind::Event, name, &mut schemas);
        let emits: Vec<Value> =
            emits.iter().map(|name| json!({ "event": name, "content": event(name), "context": context })).collect();
        let listens: Vec<Value> = listens
            .iter()
            .map(|name| {
                let handler = format!("{}::on_{}", service.replace('-', "_"), name.replace('.', "_"));
                json!({ "event": name, "group": service, "content": event(name), "context": context, "handler": handler })
            })
            .collect();
        let mut method = |name: &&str| {
            json!({ "method": name, "context": context,
                "request": digest(&sources, ContractKind::Request, name, &mut schemas),
                "response": digest(&sources, ContractKind::Response, name, &mut schemas),
                "error": digest(&sources, ContractKind::Error, name, &mut schemas) })
        };
        let serves: Vec<Value> = serves.iter().map(&mut method).collect();
        let calls: Vec<Value> = calls.iter().map(&mut method).collect();
        let manifest = json!({ "format": "twyla-contracts 1", "service": service, "version": version,
            "emits": emits, "listens": listens, "serves": serves, "calls": calls, "schemas": schemas });
        fs::write(folder.join(format!("{service}.contracts.json")), manifest.to_string()).unwrap();
    }
}

/// A text that would run if it were taken for HTML, and is valid in a schema.
pub(crate) const EVIL: &str =
    r#"</script></title></pre><script>window.harmed = 1</script><img src=x onerror="window.harmed = 1">'\"&amp;"#;

/// A folder in which every text that anybody may write is one that means harm, with a history.
pub(crate) fn evil() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let evil = json!(EVIL);
    let schema = |more: Value| {
        let mut schema = json!({
            "title": evil, "description": evil, "type": "object",
            "properties": {
                EVIL: { "type": "string", "description": evil, "default": evil, "x-sensitive": true, "deprecated": true },
                "choice": { "enum": [evil, "b"] },
                "one": { "oneOf": [{ "title": evil, "type": "object", "properties": { "a": { "const": evil } } }, { "type": "null" }] },
                "pattern": { "type": "string", "pattern": "^<b>$" },
                "tree": { "$ref": "#/$defs/tree" },
                "pairs": { "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "string" }], "items": false },
                "map": { "type": "object", "additionalProperties": { "type": "object", "properties": { "n": { "type": "number", "exclusiveMinimum": 0 } } } }
            },
            "patternProperties": { "^<i>": { "type": "integer" } },
            "$defs": { "tree": { "type": "object", "properties": { "label": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } }
        });
        schema.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        schema.to_string()
    };
    let plain = schema(json!({}));
    write(
        folder.path(),
        &[
            ("schemas/context.json", &plain),
            ("schemas/events/evil/one.json", &plain),
            ("schemas/events/evil/two.json", r#"{ "$ref": "../../shared/two.json" }"#),
            ("schemas/events/evil/gone.json", r#"{ "type": "object" }"#),
            (
                "schemas/events/evil/nothing.json",
                r#"{ "type": "object", "required": ["a"], "properties": { "a": false } }"#,
            ),
            (
                "schemas/shared/two.json",
                r#"{ "type": "object", "properties": { "a": { "type": "string", "maxLength": 4 } } }"#,
            ),
            ("schemas/rpc/evil/ask/request.json", &schema(json!({ "idempotent": true }))),
            ("schemas/rpc/evil/ask/response.json", r#"{ "type": ["string", "null"], "maxLength": 5 }"#),
        ],
    );
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", EVIL]);
    let two = r#"{ "type": "object", "properties": { "a": { "type": "string", "maxLength": 9 } } }"#;
    write(folder.path(), &[("schemas/shared/two.json", two), ("schemas/events/evil/late.json", "{}")]);
    fs::remove_file(folder.path().join("schemas/events/evil/gone.json")).unwrap();
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "Take more of it"]);
    write(folder.path(), &[("schemas/shared/two.json", &two.replace('9', "3"))]);
    folder
}
