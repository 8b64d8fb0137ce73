//! `cargo twyla new`: what it makes compiles, passes its test and runs, and the other commands have it for their own.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod contracts_crate;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn twyla(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    command.arg("twyla").args(args).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", workspace().join("target/tests/new")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn refused(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = twyla(folder.path(), args);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing is written");
    text(&output.stderr)
}

#[test]
fn a_new_service_compiles_passes_its_test_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let sources = workspace();
    let made = twyla(folder.path(), &["new", "small-talk", "--twyla", sources.to_str().unwrap()]);
    assert_eq!(
        text(&made.stdout),
        "made the service small-talk in small-talk\nnext: cd small-talk && cargo test && cargo run\n",
        "{}",
        text(&made.stderr)
    );
    let service = folder.path().join("small-talk");
    let mut files: Vec<_> =
        walk(&service).into_iter().map(|it| it.strip_prefix(&service).unwrap().to_owned()).collect();
    files.sort();
    insta::assert_debug_snapshot!("files", files);

    // the versions of the workspace, so that nothing is asked of a registry
    std::fs::copy(sources.join("Cargo.lock"), service.join("Cargo.lock")).unwrap();
    let cargo = |args: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(args).current_dir(&service).env("CARGO_NET_OFFLINE", "true");
        command.env("CARGO_TARGET_DIR", sources.join("target/tests/new"));
        command
    };
    let tested = cargo(&["test"]).output().unwrap();
    assert!(tested.status.success(), "{}", text(&tested.stderr));
    assert!(text(&tested.stdout).contains("test result: ok. 2 passed; 0 failed"), "{}", text(&tested.stdout));
    assert!(!text(&tested.stderr).contains("warning"), "{}", text(&tested.stderr));

    let built = cargo(&["build", "--quiet"]).output().unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    let program = sources.join("target/tests/new/debug/small-talk");
    let mut running = Command::new(program).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "small-talk listens; ctrl-C ends it\n");
    while !catches_interrupts(running.id()) {
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-s", "INT", &running.id().to_string()]).status().unwrap();
    assert!(killed.success() && running.wait().unwrap().success());

    let manifest = twyla(&service, &["manifest"]);
    assert_eq!(
        text(&manifest.stdout),
        "small-talk.contracts.json: small-talk 0.1.0 emits 1, listens to 1\n",
        "{}",
        text(&manifest.stderr)
    );
    let fleet = twyla(&service, &["fleet", "small-talk.contracts.json"]);
    let report = text(&fleet.stdout);
    assert!(
        report.contains("no service listens to small-talk.answered") && report.ends_with("everything fits\n"),
        "{report}"
    );
    let sample = twyla(&service, &["sample", "small-talk.asked", "--json"]);
    assert_eq!(text(&sample.stdout), "{\"question\":\"What is the time?\"}\n");
}

/// Whether the process has said what it does on SIGINT, which it may say a moment after it has said that it listens.
fn catches_interrupts(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|it| if it.is_dir() { walk(&it) } else { vec![it] }).collect()
}

#[test]
fn it_takes_the_sources_that_the_command_was_built_from() {
    let folder = tempfile::tempdir().unwrap();
    let made = text(&twyla(folder.path(), &["new", "small-talk"]).stdout);
    let sources = workspace();
    let line = format!("its Cargo.toml uses Twyla from {}, from which this command was built", sources.display());
    assert!(made.contains(&line), "{made}");
    let manifest = std::fs::read_to_string(folder.path().join("small-talk/Cargo.toml")).unwrap();
    assert!(manifest.contains(&format!("path = \"{}/twyla-runtime\"", sources.display())), "{manifest}");
}

#[test]
fn reports_a_service_that_can_not_be_created() {
    assert_eq!(
        refused(&["new", "über"]),
        "error: a service can't be named über: a name has ASCII letters, digits, `-` and `_`\n"
    );
    assert!(refused(&["new", "2fast"]).starts_with("error: a service can't be named 2fast: "));
    assert!(refused(&["new", "type"]).starts_with("error: a service can't be named type: "));
    for name in ["shared", "deps", "tokio"] {
        assert!(refused(&["new", name]).starts_with(&format!("error: a service can't be named {name}: ")));
    }
    assert!(refused(&["new", "a", "--twyla", "/nowhere"]).contains("doesn't contain Twyla's sources"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("there")).unwrap();
    std::fs::write(folder.path().join("there/file"), "").unwrap();
    let output = twyla(folder.path(), &["new", "there"]);
    assert_eq!(text(&output.stderr), "error: there already exists and is not empty\n");
}
