//! The commands in README and book: each is a command of the program, with options that it has. Options are spelt alike in all.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn help(command: &[&str]) -> Option<String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-twyla"));
    let output = program.arg("twyla").args(command).arg("--help").output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// What stands behind each `cargo twyla ` of a page, up to the end of the command: a comment, a backtick or the line.
fn commands(page: &str) -> impl Iterator<Item = &str> {
    page.match_indices("cargo twyla ").map(|(at, lead)| {
        let rest = &page[at + lead.len()..];
        rest[..rest.find(['`', '#', '\n', '(', '|', ';']).unwrap_or(rest.len())].trim()
    })
}

#[test]
fn every_command_on_a_page_exists_with_its_options() {
    let book = fs::read_dir("../docs/book/src").unwrap().map(|page| page.unwrap().path());
    let pages = book.chain(["../README.md", "../CONTRIBUTING.md"].map(PathBuf::from));
    let (mut helps, mut seen) = (BTreeMap::new(), 0);
    for page in pages {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            let words: Vec<_> = command.split_whitespace().take_while(|word| *word != "--").collect();
            let Some(name) = words.first().filter(|name| name.chars().all(|c| c.is_ascii_lowercase())) else {
                continue;
            };
            let group = matches!(*name, "dead" | "outbox");
            let named = words.get(1).filter(|word| group && word.chars().all(|c| c.is_ascii_lowercase()));
            let path: Vec<_> = [*name].into_iter().chain(named.copied()).collect();
            let help = helps.entry(path.join(" ")).or_insert_with(|| help(&path));
            let help = help
                .as_ref()
                .unwrap_or_else(|| panic!("{}: there is no `cargo twyla {}`", page.display(), path.join(" ")));
            for option in
                words.iter().filter(|word| word.starts_with("--") || (word.starts_with('-') && word.len() == 2))
            {
                assert!(help.contains(option), "{}: `cargo twyla {command}`: no option {option}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn options_are_spelt_alike_in_all_commands() {
    let all = help(&[]).unwrap();
    let names =
        all.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() > 15, "{all}");
    let groups = ["dead", "outbox"].into_iter().flat_map(|group| ["list", "show"].map(|name| vec![group, name]));
    for command in names.into_iter().map(|name| vec![name]).chain(groups) {
        let help = help(&command).unwrap();
        for other in ["--json", "--into", "--output", "--manifest ", "--at "] {
            // the place in an event by which dead letters are chosen
            if other == "--at " && command[0] == "dead" {
                continue;
            }
            assert!(!help.contains(other), "{command:?} has {other}");
        }
        for (short, long) in [("-o, ", "--out "), ("-m, ", "--manifests ")] {
            assert_eq!(help.contains(long), help.contains(&format!("{short}{long}")), "{command:?}: {short}{long}");
        }
    }
}

#[test]
fn the_old_spellings_of_options_still_work() {
    for old in [
        &["import", "x", "--into", "x"][..],
        &["docs", "--into", "x"],
        &["docs", "--serve", "--at", "127.0.0.1:0"],
        &["manifest", "--output", "x"],
        &["openapi", "--output", "x"],
        &["asyncapi", "--manifest", "x"],
        &["new", "x", "--path", "x"],
        &["check", "--json"],
        &["diff", "--json"],
        &["fleet", "x", "--json"],
        &["explain", "--json"],
        &["sample", "x", "--json"],
        &["validate", "x", "-", "--json"],
        &["dead", "list", "x", "x", "--json"],
        &["dead", "show", "x", "x", "x", "--json"],
        &["outbox", "list", "--json"],
        &["outbox", "show", "1", "--json"],
    ] {
        // an option that isn't there is an error, before help is printed
        assert!(help(old).is_some(), "{old:?}");
    }
    assert!(help(&["docs", "--onto", "x"]).is_none());
}
