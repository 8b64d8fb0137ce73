//! The script of the GitHub action, in a repository as the runner has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::git::git;
use super::{broken, chat};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs the script; returns what it printed and its exit code.
fn check(folder: &Path, variables: &[(&str, &str)]) -> (String, i32) {
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-twyla")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.arg(workspace().join(".github/action/check.sh").canonicalize().unwrap()).current_dir(folder);
    bash.env("PATH", path)
        .env("COMMENT", "comment.md")
        .env("GITHUB_OUTPUT", "output")
        .env("GITHUB_STEP_SUMMARY", "summary");
    let output = bash.env("CI", "true").envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.code().unwrap())
}

#[test]
fn the_action_annotates_comments_and_ends_as_the_check_does() {
    let repository = chat();
    let of = |path: &str| fs::read_to_string(repository.path().join(path)).unwrap();
    let all = [("AGAINST", "HEAD"), ("MANIFESTS", "fleet"), ("SCHEMAS", "schemas"), ("SARIF", "contracts.sarif")];
    let (said, code) = check(repository.path(), &all);
    assert_eq!((&*said, code), ("Contracts: in order: 3 contracts, all as accepted\n", 0));
    assert_eq!(of("output"), "verdict=fits\ncomment=comment.md\n");
    broken(&repository);
    let (said, code) = check(repository.path(), &all);
    assert_eq!(code, 1);
    assert!(said.starts_with("::error file=schemas/"), "{said}");
    assert!(of("comment.md").contains("| `bot.reply`<br>") && of("summary").ends_with(&of("comment.md")));
    assert!(of("contracts.sarif").contains("\"version\": \"2.1.0\""));
    assert!(of("output").ends_with("verdict=breaks\ncomment=comment.md\n"));
    repository.write("schemas/events/bot/reply.json", "{");
    let (said, code) = check(repository.path(), &[]);
    assert_eq!(code, 2, "{said}");
    assert!(of("output").ends_with("verdict=error\ncomment=comment.md\n"));
}

#[test]
fn the_action_finds_a_branch_from_a_clone_of_one_commit() {
    let repository = chat();
    git(repository.path(), &["checkout", "--quiet", "-b", "change"]);
    broken(&repository);
    repository.commit();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), &["clone", "--quiet", "--depth=1", &url, "clone"]);
    let clone = folder.path().join("clone");
    for against in ["main", "origin/main"] {
        let (said, code) = check(&clone, &[("AGAINST", against)]);
        assert_eq!(code, 1, "{said}");
    }
    let (said, code) = check(&clone, &[("AGAINST", "--upload-pack=touch x")]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("::error title=Contracts::the revision of the input 'against' is not in this clone"),
        "{said}"
    );
    assert!(fs::read_to_string(clone.join("output")).unwrap().ends_with("verdict=error\ncomment=comment.md\n"));
    assert!(!clone.join("comment.md").exists() && !clone.join("x").exists());
}

#[test]
fn no_name_in_an_error_is_a_command_of_the_runner() {
    let repository = chat();
    repository.write("fleet/\n::stop-commands::x.contracts.json", "{");
    let (said, code) = check(repository.path(), &[("MANIFESTS", "fleet")]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("stop-commands") && !said.lines().any(|line| line.trim_start().starts_with("::stop")),
        "{said}"
    );
}

#[test]
fn a_key_is_a_part_of_a_name() {
    let repository = chat();
    for key in ["a b", "../x", "a\nb", "$(touch x)"] {
        let (said, code) = check(repository.path(), &[("KEY", key)]);
        assert_eq!(code, 2, "{said}");
        assert!(said.starts_with("::error title=Contracts::the action's key has letters"), "{said}");
    }
}

/// Keeps each comment of a pull request in a file, named by its number.
const GH: &str = r#"#!/usr/bin/env bash
for last; do :; done
case "$*" in
    *--paginate*)
        for comment in [0-9]*; do
            [[ ! -f $comment || $last != *"startswith(\"$(head -n 1 "$comment")\")"* ]] || echo "$comment"
        done ;;
    *POST*) cp "${last#body=@}" "$(($(ls | grep -c '^[0-9]') + 1))" ;;
    *PATCH*) cp "${last#body=@}" "$(basename "$5")" ;;
esac
"#;

#[test]
fn each_key_has_one_comment_in_a_pull_request() {
    let folder = tempfile::tempdir().unwrap();
    let of = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    write("gh", GH);
    Command::new("chmod").arg("+x").arg(folder.path().join("gh")).status().unwrap();
    let script = workspace().join(".github/action/comment.sh").canonicalize().unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let comment = |key: &str, text: &str| {
        write("comment.md", &format!("<!-- cargo-twyla: Contracts -->\n{text}\n"));
        let mut bash = Command::new("bash");
        bash.arg(&script).current_dir(&folder).env("PATH", &path).env("COMMENT", "comment.md").env("NUMBER", "7");
        assert!(bash.env("GITHUB_REPOSITORY", "o/r").env("KEY", key).status().unwrap().success());
    };
    comment("Contracts", "| one |");
    comment("shop", "| two |");
    comment("Contracts", "in order");
    // without findings, there is nothing to replace
    comment("bot", "in order");
    assert_eq!(of("1"), "<!-- cargo-twyla: Contracts -->\nin order\n");
    assert_eq!(of("2"), "<!-- cargo-twyla: shop -->\n| two |\n");
    assert!(!folder.path().join("3").exists());
}

#[test]
fn the_action_runs_scripts_that_exist_with_the_variables_that_they_read() {
    let action = fs::read_to_string(workspace().join("action.yml")).unwrap();
    for script in ["check.sh", "comment.sh"] {
        assert!(action.contains(&format!(".github/action/{script}")), "{script}");
        let text = fs::read_to_string(workspace().join(".github/action").join(script)).unwrap();
        for variable in ["AGAINST", "SCHEMAS", "MANIFESTS", "SARIF", "KEY", "COMMENT", "NUMBER"] {
            let is_read = text.contains(&format!("${variable}")) || text.contains(&format!("${{{variable}"));
            assert!(!is_read || action.contains(&format!("        {variable}: ")), "{script} reads {variable}");
        }
    }
    // an expression in a script would run what a pull request's author has written
    let scripts = action.lines().filter(|line| line.trim_start().starts_with("run:"));
    assert!(scripts.clone().count() == 4 && scripts.into_iter().all(|line| !line.contains("${{")), "{action}");
}
