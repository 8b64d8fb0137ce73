//! The card of a service that isn't written in Rust: its manifest is as that of a program.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::git::git;
use super::{refused, text, twyla, uses, workspace};

const CARD: &str = r#"name = "greeter"
version = "1.4.0"
schemas = "schemas"
emits = ["bot.reply"]
listens = [{ event = "api.user_input", group = "bot", handler = "greeter.handlers:answer" }]
serves = ["booking.find"]
calls = []
"#;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A folder with schemas and a card.
fn service() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let object = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;
    for path in [
        "context",
        "events/bot/reply",
        "events/api/user_input",
        "rpc/booking/find/request",
        "rpc/booking/find/response",
    ] {
        write(folder.path(), &format!("schemas/{path}.json"), object);
    }
    write(folder.path(), "service.toml", CARD);
    folder
}

fn manifest(folder: &Path, args: &[&str]) -> Value {
    let output = twyla(folder).args(["--card", "service.toml", "-o", "-"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_card_makes_the_manifest_that_a_program_would_have() {
    let folder = service();
    let found = manifest(folder.path(), &["--environment", "production"]);
    assert_eq!(
        uses(&found),
        ["emits bot.reply", "listens to api.user_input in bot: greeter.handlers:answer", "serves booking.find"]
    );
    assert_eq!(
        (&found["service"], &found["version"], &found["environment"]),
        (&"greeter".into(), &"1.4.0".into(), &"production".into())
    );
    let output = twyla(folder.path()).args(["--card", "service.toml"]).output().unwrap();
    let said = text(&output.stdout);
    assert_eq!(said, "greeter.contracts.json: greeter 1.4.0 emits 1, listens to 1, serves 1\n");
    // the fleet takes it
    let mut fleet = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = fleet.args(["twyla", "fleet", "greeter.contracts.json"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("no service listens to bot.reply, which greeter 1.4.0 emits"));
}

/// The digests of the card's contracts are those in the records of a program.
#[test]
fn the_digests_are_those_of_a_program() {
    let marks = workspace().join("tests/marks");
    let output = twyla(&marks).args(["-o", "-"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let program: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let list = |verb: &str, name: &str| {
        let names = program[verb].as_array().unwrap().iter().map(|it| it[name].as_str().unwrap());
        serde_json::to_string(&names.collect::<Vec<_>>()).unwrap()
    };
    let handler = "twyla_marks::hear";
    let card = format!(
        "name = \"twyla-marks\"\nversion = \"1.2.0\"\nemits = {}\nserves = {}\ncalls = {}\n\
         [[listens]]\nevent = \"marks.heard\"\ngroup = \"ears\"\nhandler = \"{handler}\"\n",
        list("emits", "event"),
        list("serves", "method"),
        list("calls", "method"),
    );
    write(folder.path(), "service.toml", &card);
    let schemas = marks.join("schemas");
    assert_eq!(manifest(folder.path(), &["--schemas", schemas.to_str().unwrap()]), program);
}

#[test]
fn the_schemas_are_those_of_the_revision() {
    let folder = service();
    git(folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "x"]);
    let before = manifest(folder.path(), &[]);
    write(folder.path(), "schemas/events/bot/reply.json", r#"{ "type": "object" }"#);
    let digest = |manifest: &Value| manifest["emits"][0]["content"].clone();
    assert_ne!(digest(&manifest(folder.path(), &[])), digest(&before));
    write(folder.path(), "service.toml", &CARD.replace("schemas = ", "revision = \"HEAD\"\nschemas = "));
    assert_eq!(manifest(folder.path(), &[]), before);
    git(folder.path(), &["tag", "v1.4.0"]);
    write(folder.path(), "service.toml", &CARD.replace("schemas = ", "revision = \"v1.4.1\"\nschemas = "));
    let output = twyla(folder.path()).args(["--card", "service.toml"]).output().unwrap();
    let said = refused(&output);
    assert!(said.contains("service.toml:3:12: there is no revision `v1.4.1` here: "), "{said}");
    assert!(said.ends_with("; did you mean `v1.4.0`?\n"), "{said}");
}

#[test]
fn mistakes_in_a_card_are_reported_with_their_places() {
    let folder = service();
    let said = |card: &str| {
        write(folder.path(), "service.toml", card);
        let output = twyla(folder.path()).args(["--card", "service.toml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        text(&output.stderr)
    };
    assert_eq!(
        said(&CARD.replace("bot.reply", "bot.replay").replace("[]", "[\"bot.reply\"]")),
        "error: service.toml:4:10: schemas declares no event `bot.replay`; did you mean `bot.reply`?\n\
         error: service.toml:7:10: `bot.reply` is an event, and `calls` names RPCs\n"
    );
    assert_eq!(
        said(&CARD.replace("emits", "emit").replace("group", "groups")),
        "error: service.toml:4:1: unknown key `emit`; did you mean `emits`?\n\
         error: service.toml:5:12: a listener without `group`\n\
         error: service.toml:5:40: unknown key `groups`; did you mean `group`?\n"
    );
    assert!(said("name = \"x").starts_with("error: service.toml:1:10: is not valid TOML: "));
    fs::remove_file(folder.path().join("service.toml")).unwrap();
    let output = twyla(folder.path()).args(["--card", "service.toml"]).output().unwrap();
    assert_eq!(refused(&output), "error: service.toml can't be read: No such file or directory (os error 2)\n");
    let output = twyla(folder.path()).args(["--schemas", "schemas"]).output().unwrap();
    assert!(text(&output.stderr).contains("--card"), "{}", text(&output.stderr));
}
