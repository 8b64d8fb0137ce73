//! `cargo twyla completions`, in a real bash.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{said, workspace};

/// What bash completes in a folder, each candidate as it is put into the line.
fn completed(folder: &Path, words: &[&str]) -> Vec<String> {
    let bin = Path::new(env!("CARGO_BIN_EXE_cargo-twyla")).parent().unwrap();
    let script = "source <(cargo-twyla twyla completions bash)
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        if [[ $1 == cargo ]]; then _cargo_twyla_or_cargo; else _cargo_twyla; fi
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    let output = bash.args(["-c", script, "bash"]).args(words).env("PATH", path).current_dir(folder).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_commands_options_and_events() {
    let complete = |words: &[&str]| completed(&workspace(), words);
    assert_eq!(complete(&["cargo", "twyla", "va"]), ["validate"]);
    assert_eq!(complete(&["cargo", "twyla", "validate", "api."]), ["api.user_input"]);
    assert_eq!(complete(&["cargo-twyla", "twyla", "sample", "b"]), ["bot.reply"]);
    assert_eq!(complete(&["cargo", "twyla", "sample", "api.user_input", "--inv"]), ["--invalid"]);
    let all = complete(&["cargo", "twyla", ""]);
    for command in ["new", "explain", "sample", "validate", "manifest", "fleet", "dead", "completions"] {
        assert!(all.iter().any(|it| it == command), "{command} in {all:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("CARGO_TWYLA_COMPLETE"));
    }
}

#[test]
fn a_shell_runs_nothing_of_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["$(touch harmed)", "`touch harmed`", "a;touch harmed", "a\nb", "a'b\"", "\u{1b}[2J", "\u{202e}a"];
    for name in names.into_iter().chain(["fine"]) {
        for path in [
            format!("schemas/events/api/{name}.json"),
            format!("schemas/events/{name}/made.json"),
            format!("schemas/rpc/desk/{name}/request.json"),
            name.to_owned(),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
    }
    let mut events = completed(folder.path(), &["cargo", "twyla", "explain", ""]);
    events.retain(|word| !word.starts_with("--"));
    assert_eq!(events, ["api.fine", "context", "desk.fine/request", "fine.made"]);
    // a file is completed whatever its name, as one word that stands for itself
    let files = completed(folder.path(), &["cargo", "twyla", "validate", "api.fine", ""]);
    let script = "for word in \"$@\"; do eval \"printf '%s\\n' $word\"; done";
    let output = Command::new("bash").args(["-c", script, "bash"]).args(&files).current_dir(folder.path()).output();
    let words = String::from_utf8(output.unwrap().stdout).unwrap();
    let expected = ["$(touch harmed)", "`touch harmed`", "a;touch harmed", "a'b\"", "fine"];
    for name in expected {
        assert!(words.lines().any(|word| word == name), "{name}: {words}");
    }
    assert!(!words.contains('\u{1b}') && !words.contains('\u{202e}'), "{words}");
    assert!(!folder.path().join("harmed").exists());
}
