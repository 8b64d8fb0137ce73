//! `cargo twyla manifest` as a user runs it: on a service that emits in each way there is and doesn't in as many
//! (`tests/marks`), built for debugging, and built as hard on what isn't needed as rustc can.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod card;
#[path = "../lock/git.rs"]
mod git;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn twyla(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    command.args(["twyla", "manifest"]).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let error = text(&output.stderr);
    // cargo tells its own progress before
    error[error.find("error: ").unwrap()..].to_owned()
}

/// What is said of each event, without digests.
fn uses(manifest: &Value) -> Vec<String> {
    let list = |verb: &str| manifest[verb].as_array().cloned().unwrap_or_default();
    let emits = list("emits").into_iter().map(|it| format!("emits {}", it["event"].as_str().unwrap()));
    let listens = list("listens").into_iter().map(|it| {
        let field = |name: &str| it[name].as_str().unwrap().to_owned();
        format!("listens to {} in {}: {}", field("event"), field("group"), field("handler"))
    });
    let methods = |verb| list(verb).into_iter().map(move |it| format!("{verb} {}", it["method"].as_str().unwrap()));
    emits.chain(listens).chain(methods("serves")).chain(methods("calls")).collect()
}

const DOES: [&str; 10] = [
    "emits marks.bound",
    "emits marks.direct",
    "emits marks.generic",
    "emits marks.handled",
    "emits marks.library",
    "emits marks.outer",
    "emits marks.within",
    "listens to marks.heard in ears: twyla_marks::hear",
    "serves marks.answered",
    "calls marks.asked",
];

#[test]
fn a_manifest_lists_only_what_the_program_emits() {
    let folder = tempfile::tempdir().unwrap();
    let marks = workspace().join("tests/marks");
    let output = twyla(&marks).arg("-o").arg(folder.path().join("marks.json")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.ends_with("marks.json: twyla-marks 1.2.0 emits 7, listens to 1, serves 1, calls 1\n"), "{said}");
    let debug = std::fs::read_to_string(folder.path().join("marks.json")).unwrap();
    insta::assert_snapshot!("marks", debug);
    assert_eq!(uses(&serde_json::from_str(&debug).unwrap()), DOES);

    // the other program of the package does nothing with a contract, though they are compiled in
    let output = twyla(&marks).args(["--bin", "silent", "-o", "-"]).output().unwrap();
    let why = refused(&output);
    let program = why.strip_prefix("error: ").unwrap().split(' ').next().unwrap();
    assert!(program.ends_with("debug/silent"), "{why}");
    assert_eq!(
        why.replace(program, "<silent>"),
        "error: <silent> has no record of any contract: expected a service that is built with this version of twyla-runtime\n"
    );
}

/// Optimized over all crates, without symbols, without unwinding: the manifest is the same to the byte.
#[test]
fn the_hardest_optimization_changes_nothing() {
    let marks = workspace().join("tests/marks");
    let output = twyla(&marks)
        .args(["--release", "-o", "-"])
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .env("CARGO_TARGET_DIR", workspace().join("target/tests/marks"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    insta::assert_snapshot!("marks", text(&output.stdout));
}

#[test]
fn a_program_that_is_built_needs_no_sources() {
    let folder = tempfile::tempdir().unwrap();
    let marks = workspace().join("tests/marks");
    let output = twyla(&marks).args(["-o", "-"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let built = text(&output.stdout);
    let mut cargo = Command::new("cargo");
    let metadata = cargo.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(&marks).output().unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let program = Path::new(metadata["target_directory"].as_str().unwrap()).join("debug/twyla-marks");
    std::fs::copy(program, folder.path().join("ears")).unwrap();

    let of_file = |args: &[&str]| twyla(folder.path()).arg("ears").args(args).output().unwrap();
    assert_eq!(refused(&of_file(&[])), "error: ears contains no version of the service: pass it with --version\n");
    let output = of_file(&["--version", "1.2.0", "--service", "twyla-marks", "-o", "-"]);
    assert_eq!(text(&output.stdout), built);

    let output = of_file(&["--version", "1.2.0", "-o", "fleet/production/ears.contracts.json"]);
    assert!(output.status.success(), "a folder that isn't there is made: {}", text(&output.stderr));

    // the next version lists it too
    let output = of_file(&["--version", "1.2.0"]);
    assert_eq!(text(&output.stdout), "ears.contracts.json: ears 1.2.0 emits 7, listens to 1, serves 1, calls 1\n");
    let previous = ["--previous", "ears.contracts.json", "-o", "-"];
    assert_eq!(
        refused(&of_file(&[["--version", "1.2.0"].as_slice(), &previous].concat())),
        "error: ears.contracts.json has the version 1.2.0, which another --previous or the new manifest has too: change the package's version, or pass --version\n"
    );
    assert_eq!(
        refused(&of_file(&[["--version", "1.3.0", "--service", "eyes"].as_slice(), &previous].concat())),
        "error: ears.contracts.json is a manifest of the service ears, not of eyes: --previous takes earlier versions of the same service\n"
    );
    let output = of_file(&[["--version", "1.3.0", "--environment", "production"].as_slice(), &previous].concat());
    let next: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&next["version"], &next["environment"]), (&"1.3.0".into(), &"production".into()));
    assert_eq!(next["previous"][0]["version"], "1.2.0");
    assert_eq!(next["previous"][0]["emits"], next["emits"]);
}

#[test]
fn reports_a_package_that_is_not_a_service() {
    let root = workspace();
    let of = |args: &[&str]| refused(&twyla(&root).args(args).output().unwrap());
    assert_eq!(of(&["-p", "chatt"]), "error: the workspace has no package chatt; did you mean chat?\n");
    assert_eq!(
        of(&["-p", "twyla-marks", "--bin", "silence"]),
        "error: the package twyla-marks has no program silence; did you mean silent?\n"
    );
    assert_eq!(
        of(&["-p", "twyla-contract"]),
        "error: the package twyla-contract has no program: a manifest describes a service, which has a main.rs\n"
    );
    assert!(of(&[]).starts_with("error: there are several programs: name one with --package: "));
    assert_eq!(of(&["README.md", "--version", "1"]), "error: README.md is not a program: neither ELF, Mach-O nor PE\n");
    let missing = of(&["nowhere", "--version", "1"]);
    assert_eq!(missing, "error: nowhere can't be read: No such file or directory (os error 2)\n");

    // a program that is cut in the middle is not taken for a program without records
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut");
    let whole = std::fs::read(env!("CARGO_BIN_EXE_cargo-twyla")).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let error = of(&[cut.to_str().unwrap(), "--version", "1"]);
    assert!(error.contains("cut is a program that can't be read: "), "{error}");
}
