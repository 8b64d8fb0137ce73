//! `cargo twyla check`, `accept` and `diff` in a git repository, as they are used.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod git;
mod repository;
#[cfg(target_os = "linux")]
mod terminal;

use std::fs;
use std::process::{Command, Stdio};

use git::git;
use repository::Repository;
use serde_json::Value;
use tempfile::TempDir;

const FILES: [(&str, &str); 2] =
    [("schemas/context.json", r#"{ "type": "object" }"#), ("schemas/events/bot/reply.json", TEXT)];
const TEXT: &str = r#"{ "type": "object", "properties": { "text": { "type": "string", "maxLength": 100 } } }"#;

/// A repository with a schemas folder.
fn schemas() -> Repository {
    Repository::new(&FILES)
}

/// The same with a lock, committed.
fn accepted() -> Repository {
    Repository::accepted(&FILES)
}

/// The exit code, and what is printed.
fn run(repository: &Repository, args: &[&str]) -> (i32, String) {
    let (said, code) = repository.twyla(".", args);
    (code, said)
}

fn lock(repository: &Repository) -> String {
    fs::read_to_string(repository.path().join("schemas/contracts.lock")).unwrap()
}

#[test]
fn the_first_lock_is_created_and_passes() {
    let repository = schemas();
    let (code, said) = run(&repository, &["check"]);
    assert_eq!((code, &*said), (2, "error: schemas has no lock to check against: `cargo twyla accept` creates it\n"));
    let shown = repository.said(&["accept", "--dry-run"]);
    assert!(shown.contains("\n+    \"bot.reply\": {\n") && shown.ends_with("nothing was written\n"), "{shown}");
    assert!(!repository.path().join("schemas/contracts.lock").exists());
    let said = repository.said(&["accept"]);
    assert!(
        said.starts_with("accepted: `context` is new: ") && said.ends_with("schemas/contracts.lock was written\n"),
        "{said}"
    );
    assert_eq!(repository.said(&["check"]), "in order: 2 contracts, all as accepted\n");
    assert_eq!(repository.said(&["accept"]), "nothing to do: all contracts are as accepted\n");
    assert_eq!(repository.said(&["diff"]), "nothing has changed: no contract has changed since it was accepted\n");
    // and nothing is left lying about
    assert_eq!(fs::read_dir(repository.path().join("schemas")).unwrap().count(), 3);
}

#[test]
fn a_lock_that_is_behind_is_an_error_where_it_is_strict() {
    let repository = accepted();
    repository.write("schemas/events/bot/more.json", "{}");
    let (code, said) = run(&repository, &["check"]);
    assert_eq!(code, 0);
    assert!(said.starts_with("warning: schemas/events/bot/more.json:1:1: `bot.more` is new"), "{said}");
    assert_eq!(run(&repository, &["check", "--strict"]).0, 1);
    for (variables, code) in [
        (&[("CI", "true")][..], 1),
        (&[("CI", "false")], 0),
        (&[("CI", "true"), ("TWYLA_LOCK", "warn")], 0),
        (&[("TWYLA_LOCK", "strict")], 1),
        (&[("TWYLA_LOCK", "strickt")], 2),
    ] {
        assert_eq!(repository.run_in(".", &["check"], variables).status.code(), Some(code), "{variables:?}");
    }
}

#[test]
fn the_folder_is_found_from_below_and_from_beside() {
    let repository = accepted();
    fs::create_dir_all(repository.path().join("services/bot/src")).unwrap();
    let run = |folder: &str, args: &[&str]| {
        let output = repository.run_in(folder, args, &[]);
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run("services/bot/src", &["check"]), "in order: 2 contracts, all as accepted\n");
    assert_eq!(run("services", &["check", "--schemas", "../schemas/"]), "in order: 2 contracts, all as accepted\n");
    assert_eq!(run("services/bot", &["check", "--against", "HEAD"]), "in order: 2 contracts, all as accepted\n");
    repository.write("schemas/events/bot/more.json", "{}");
    assert!(run("services/bot", &["check"]).starts_with("warning: ../../schemas/events/bot/more.json:1:1: "));
}

#[test]
fn how_schemas_are_read_is_taken_from_the_lock() {
    let repository = schemas();
    repository.write("schemas/events/bot/reply.json", r#"{ "properties": { "at": { "format": "date" } } }"#);
    repository.said(&["accept", "--draft", "7", "--no-formats"]);
    assert!(lock(&repository).contains("\"draft\": \"7\"") && lock(&repository).contains("\"formats\": false"));
    assert_eq!(repository.said(&["check"]), "in order: 2 contracts, all as accepted\n");
    let (code, said) = run(&repository, &["check", "--draft", "8"]);
    assert!(code == 2 && said.contains("expected 4, 6, 7, 2019-09 or 2020-12"), "{said}");
}

#[test]
fn finds_a_removed_contract_after_any_edit_of_the_lock() {
    let repository = accepted();
    repository.write("schemas/events/bot/other.json", r#"{ "not": { "type": "null" } }"#);
    fs::remove_file(repository.path().join("schemas/events/bot/reply.json")).unwrap();
    let (code, said) = run(&repository, &["check"]);
    assert!(code == 1 && said.contains("`bot.reply` is in the lock, but its schema no longer exists"), "{said}");
    fs::remove_file(repository.path().join("schemas/contracts.lock")).unwrap();
    repository.said(&["accept"]);
    repository.said(&["check"]);
    let (code, said) = run(&repository, &["check", "--against", "main"]);
    assert!(code == 1 && said.contains("`bot.reply` is in the lock, but its schema no longer exists"), "{said}");
    // the same where that revision had no lock
    git(repository.path(), &["checkout", "--quiet", "-b", "bare"]);
    git(repository.path(), &["rm", "--quiet", "--cached", "schemas/contracts.lock"]);
    repository.write("schemas/events/bot/gone.json", "{}");
    git(repository.path(), &["add", "schemas/events/bot/gone.json"]);
    git(repository.path(), &["commit", "--quiet", "--message", "x"]);
    fs::remove_file(repository.path().join("schemas/events/bot/gone.json")).unwrap();
    let (code, said) = run(&repository, &["check", "--against", "bare"]);
    assert!(code == 1 && said.contains("`bot.gone` is in the lock, but its schema no longer exists"), "{said}");
    // and it is accepted with a reason, which is seen
    let (code, said) = run(&repository, &["accept", "bot.reply", "--removed"]);
    assert!(code == 2 && said.contains("--reason"), "{said}");
    git(repository.path(), &["checkout", "--quiet", "main", "--", "schemas/contracts.lock"]);
    let said = repository.said(&["accept", "bot.reply", "--removed", "--reason", "nothing listens"]);
    assert!(said.starts_with("accepted: `bot.reply` was removed\n"), "{said}");
    assert!(lock(&repository).contains("\"removed\": \"nothing listens\""));
    repository.said(&["accept"]);
    assert_eq!(repository.said(&["check", "--against", "main"]), "in order: 2 contracts, all as accepted\n");
}

#[test]
fn exits_with_two_if_nothing_can_be_checked() {
    let repository = accepted();
    let refused = |args: &[&str]| {
        let (code, said) = run(&repository, args);
        assert_eq!(code, 2, "{said}");
        said
    };
    assert!(refused(&["check", "--against", "nowhere"]).contains("there is no revision `nowhere` here"));
    for command in ["check", "diff"] {
        let missing = refused(&[command, "--schemas", "nowhere"]);
        assert!(missing.starts_with("error: nowhere: the schemas folder can't be read: "), "{missing}");
    }
    assert!(refused(&["check", "--against=--output=x"]).contains("there is no revision `--output=x` here"));
    assert!(refused(&["diff", "nowhere"]).contains("there is no revision"));
    repository.write("elsewhere/context.json", "{}");
    assert!(refused(&["check", "--schemas", "elsewhere"]).contains("elsewhere has no lock"));
    assert!(refused(&["accept", "bot.replay"]).contains("did you mean `bot.reply`?"));
    assert!(refused(&["accept", "reply"]).contains("`reply` is not the name of a contract: "));
    assert!(refused(&["accept", "--reason", "so"]).contains("--reason needs --direction"));
    repository.edit("schemas/contracts.lock", "\"lock\": 1", "\"lock\": 7");
    assert!(refused(&["check"]).contains("error: schemas/contracts.lock:2:11: the lock has the format version 7"));
    git(repository.path(), &["checkout", "--quiet", "."]);
    repository.edit("schemas/contracts.lock", "\"maxLength\": 100", "\"maxLength\": 99");
    assert!(refused(&["check"]).contains("the lock was edited by hand"));
    git(repository.path(), &["checkout", "--quiet", "."]);
    repository.write("schemas/events/bot/reply.json", r#"{ "type": "sting" }"#);
    let said = refused(&["check"]);
    assert!(said.contains("error: schemas/events/bot/reply.json:1:11: there is no type `sting`"), "{said}");
    let elsewhere = TempDir::new().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_cargo-twyla")).args(["twyla", "check"]).current_dir(elsewhere.path()).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.contains("no folder `schemas` here or in a folder above"), "{said}");
    fs::create_dir(elsewhere.path().join("schemas")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"))
        .args(["twyla", "diff", "HEAD"])
        .current_dir(elsewhere.path())
        .env("GIT_CEILING_DIRECTORIES", elsewhere.path().parent().unwrap())
        .output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.contains("is not in a git repository"), "{said}");
}

/// As behind `| head`: what it ends with still tells what was found. A full disk is another matter.
#[cfg(target_os = "linux")]
#[test]
fn output_may_be_closed_before_its_end() {
    let repository = accepted();
    repository.edit("schemas/events/bot/reply.json", "\"text\": {", "\"said\": {");
    repository.edit("schemas/events/bot/reply.json", "\"properties\"", "\"required\": [\"said\"], \"properties\"");
    let ends = |args: &[&str], out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
        command.arg("twyla").args(args).current_dir(repository.path()).stdin(Stdio::null()).stdout(out);
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (args, code) in [(&["check"][..], 1), (&["diff"], 0), (&["accept", "--dry-run"], 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(ends(args, writer.into()), (code, String::new()), "{args:?}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, error) = ends(args, full.into());
        assert_eq!(code, 2, "{args:?}");
        assert!(error.starts_with("error: the standard output can't be written: No space left"), "{error}");
    }
}

#[test]
fn programs_read_it_as_json() {
    let repository = accepted();
    repository.write("schemas/events/bot/more.json", "{}");
    let found: Value = serde_json::from_str(&repository.said(&["check", "--json"])).unwrap();
    assert_eq!(found["ok"], true);
    assert_eq!(found["contracts"], 3);
    assert_eq!(found["findings"][0]["contract"], "bot.more");
    assert_eq!(found["findings"][0]["is"], "new");
    assert_eq!(found["findings"][0]["line"], 1);
    let found: Value = serde_json::from_str(&repository.said(&["diff", "--json"])).unwrap();
    assert_eq!(found["changes"][0]["contract"], "bot.more");
}

#[test]
fn a_break_is_shown_accepted_with_a_reason_and_retired() {
    let repository = accepted();
    let reply = "schemas/events/bot/reply.json";
    repository.edit(reply, "100", "50");
    let (code, said) = run(&repository, &["check"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with(
            "error: schemas/events/bot/reply.json:1:65: `bot.reply` can't change like this: new listeners would refuse \
             events of old producers\n  changed  `/properties/text/maxLength`: 100 -> 50\n  verdict  producer-first: "
        ),
        "{said}"
    );
    assert!(said.ends_with("\nnot in order: 2 contracts checked against the lock\n"), "{said}");
    assert_eq!(run(&repository, &["check", "--role", "producer"]).0, 0);
    assert_eq!(run(&repository, &["check", "--role", "listener"]).0, 1);

    // the same in words, and for programs
    let shown = repository.said(&["diff"]);
    assert!(
        shown.starts_with("bot.reply  producer-first\n  changed  `/properties/text/maxLength`: 100 -> 50\n"),
        "{shown}"
    );
    assert!(
        shown.contains("\n  witness  {\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaa… (51 characters)\"} may be sent by"),
        "{shown}"
    );
    assert_eq!(repository.said(&["diff", "HEAD"]), shown);
    assert!(repository.said(&["diff", "-c", "context"]).starts_with("nothing has changed"));
    let (code, found) = run(&repository, &["check", "--json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let broken = &found["findings"][0];
    assert_eq!((code, &found["ok"], &broken["is"]), (1, &Value::Bool(false), &"broken".into()));
    assert_eq!(
        (&broken["verdict"], &broken["line"], &broken["column"]),
        (&"producer-first".into(), &1.into(), &65.into())
    );
    let misfit = &broken["misfits"][0];
    assert_eq!((&misfit["direction"], &misfit["refused"]["keyword"]), (&"old-to-new".into(), &"maxLength".into()));
    assert_eq!(misfit["witness"]["text"].as_str().unwrap().len(), 51);

    // what is left isn't written
    let before = lock(&repository);
    let (code, said) = run(&repository, &["accept"]);
    assert!(code == 1 && said.contains("not accepted: 1, see above"), "{said}");
    assert_eq!(lock(&repository), before);
    let (code, said) = run(&repository, &["accept", "bot.reply", "--direction", "old-to-new", "--reason", "so"]);
    assert!(code == 2 && said.contains("--until"), "{said}");
    let accept = |more: &[&str]| {
        let mut args = vec!["accept", "bot.reply", "--until", "9999-01-01", "--reason", "all bots are at 2.0"];
        args.extend(more);
        run(&repository, &args)
    };
    let (code, said) = accept(&["--direction", "new-to-old"]);
    assert!(code == 2 && said.contains("`bot.reply` breaks in `--direction old-to-new`"), "{said}");
    let (code, said) = accept(&["--direction", "old-to-new", "--dry-run"]);
    assert!(code == 0 && said.contains("\n+      \"waivers\": [\n"), "{said}");
    assert_eq!(lock(&repository), before);
    let (code, said) = accept(&["--direction", "old-to-new"]);
    assert!(code == 0 && said.contains("accepted: `bot.reply`, producer-first: "), "{said}");

    // it warns, against what was before too, until the old version is retired
    let (code, said) = run(&repository, &["check", "--against", "HEAD"]);
    assert!(
        code == 0
            && said.contains("new listeners refuse")
            && said.contains(", which is waived until 9999-01-01, with the reason \""),
        "{said}"
    );
    assert_eq!(said.matches("which is waived until").count(), 1, "{said}");
    let lock: Value = serde_json::from_str(&lock(&repository)).unwrap();
    let digest = lock["contracts"]["bot.reply"]["in_the_field"][0]["digest"].as_str().unwrap();
    repository.said(&["accept", "bot.reply", "--retire", &digest[..8], "--reason", "gone"]);
    assert_eq!(repository.said(&["check", "--against", "HEAD"]), "in order: 2 contracts, all as accepted\n");
    repository.commit();

    // a lock that was made again hides nothing of it
    repository.edit(reply, "50", "40");
    fs::remove_file(repository.path().join("schemas/contracts.lock")).unwrap();
    repository.said(&["accept"]);
    repository.said(&["check"]);
    let (code, said) = run(&repository, &["check", "--against", "HEAD"]);
    assert!(code == 1 && said.contains("`/properties/text/maxLength`: 50 -> 40"), "{said}");
}

#[test]
fn an_additive_change_is_accepted_and_what_is_in_the_field_is_kept() {
    let repository = accepted();
    let reply = "schemas/events/bot/reply.json";
    repository.edit(reply, "\"text\"", "\"mood\": { \"type\": \"string\" }, \"text\"");
    let shown = repository.said(&["diff"]);
    assert_eq!(shown, "bot.reply  additive\n  changed  `/properties/mood`: added, {\"type\":\"string\"}\n\n");
    let said = repository.said(&["accept", "bot.reply", "--keep", "mobile app 3.1", "--sides", "listeners"]);
    assert!(said.contains("is in the field: mobile app 3.1"), "{said}");
    assert!(lock(&repository).contains("\"because\": \"mobile app 3.1\""));
    repository.commit();
    // the app still reads only what it knew
    repository.edit(reply, "\"mood\": { \"type\": \"string\" }, ", "");
    repository.said(&["accept"]);
    repository.edit(reply, "\"maxLength\": 100", "\"maxLength\": 200");
    let (code, said) = run(&repository, &["check"]);
    assert!(code == 1 && said.contains("refused  by old listeners"), "{said}");
}

#[test]
fn contracts_of_rpcs_are_compared_in_the_same_way() {
    let repository = schemas();
    let of = |way: &str| format!("schemas/rpc/booking/get/{way}.json");
    repository.write(&of("request"), r#"{ "properties": { "pnr": { "type": "string", "maxLength": 8 } } }"#);
    repository.write(&of("response"), r#"{ "properties": { "name": { "type": "string", "maxLength": 8 } } }"#);
    repository.said(&["accept"]);
    repository.commit();
    // the same edit hurts the other side in a request than in a response
    repository.edit(&of("request"), "8", "6");
    repository.edit(&of("response"), "8", "6");
    let shown = repository.said(&["diff", "HEAD"]);
    assert!(shown.contains("booking.get/request  producer-first\n"), "{shown}");
    assert!(shown.contains("{\"pnr\":\"aaaaaaa\"} may be sent by old callers\n  refused  by new services"), "{shown}");
    assert!(shown.contains("{\"name\":\"aaaaaaa\"} may be sent by old services\n  refused  by new callers"), "{shown}");
    assert_eq!(run(&repository, &["check"]).0, 1);
    let (_, found) = run(&repository, &["check", "--json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let kinds: Vec<&Value> = found["findings"].as_array().unwrap().iter().map(|finding| &finding["kind"]).collect();
    assert_eq!(kinds, ["request", "response"]);
    let both = ["booking.get/request", "booking.get/response"];
    let because = ["--direction", "old-to-new", "--until", "9999-01-01", "--reason", "one team has both"];
    repository.said(&[&["accept"], &both[..], &because[..]].concat());
    assert_eq!(run(&repository, &["check", "--against", "HEAD"]).0, 0);
    repository.commit();
    // and one that is gone is one thing that is gone
    fs::remove_dir_all(repository.path().join("schemas/rpc")).unwrap();
    let (code, said) = run(&repository, &["check"]);
    assert!(
        code == 1 && said.contains("the RPC `booking.get` is in the lock, but its schemas no longer exist"),
        "{said}"
    );
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    repository.said(&[&["accept"], &both[..], &["--removed", "--reason", "nothing calls it"]].concat());
    assert_eq!(repository.said(&["check", "--against", "HEAD"]), "in order: 2 contracts, all as accepted\n");
}

#[test]
fn diff_shows_an_edit_of_a_shared_schema_once_with_all_contracts_that_it_reaches() {
    let money =
        r#"{ "type": "object", "properties": { "cents": { "type": "integer" } }, "additionalProperties": false }"#;
    let order = r#"{ "type": "object", "properties": { "price": { "$ref": "../../shared/money.json" } } }"#;
    let repository = Repository::accepted(&[
        ("schemas/context.json", r#"{ "type": "object" }"#),
        ("schemas/shared/money.json", money),
        ("schemas/events/shop/order.json", order),
        ("schemas/events/shop/refund.json", order),
        ("schemas/events/shop/visit.json", r#"{ "type": "object" }"#),
    ]);
    repository.edit("schemas/shared/money.json", r#""cents""#, r#""exact": { "type": "boolean" }, "cents""#);
    let said = repository.said(&["diff"]);
    assert!(said.starts_with("shop.order, shop.refund  consumer-first\n"), "{said}");
    assert_eq!(said.matches("added").count(), 1, "{said}");
    // an edit of its own sets a contract apart
    repository.edit("schemas/events/shop/refund.json", r#""price""#, r#""why": { "type": "string" }, "price""#);
    let said = repository.said(&["diff"]);
    assert!(
        said.starts_with("shop.order  consumer-first\n") && said.contains("\nshop.refund  consumer-first\n"),
        "{said}"
    );
}
