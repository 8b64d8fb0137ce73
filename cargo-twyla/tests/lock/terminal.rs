//! `cargo twyla diff` on a terminal, which `script` makes.

use std::io::{Read, Write};
use std::process::{ChildStdout, Command, Stdio};

use super::repository::Repository;

/// Twelve members, each with one of eleven values, and no two with the same one: a comparison needs its whole budget.
fn pigeons() -> String {
    let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let same = |i: usize, j: usize| {
        list(11, &|v| format!(r#"{{ "properties": {{ "p{i}": {{ "const": {v} }}, "p{j}": {{ "const": {v} }} }} }}"#))
    };
    let pairs = (0..12).flat_map(|i| (0..i).map(move |j| (i, j)));
    let differ: Vec<String> = pairs.map(|(i, j)| format!(r#"{{ "not": {{ "anyOf": [{}] }} }}"#, same(i, j))).collect();
    format!(
        r#"{{ "type": "object", "properties": {{ {} }}, "required": [{}], "allOf": [{}] }}"#,
        list(12, &|i| format!(r#""p{i}": {{ "enum": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }}"#)),
        list(12, &|i| format!(r#""p{i}""#)),
        differ.join(",")
    )
}

/// Reads until a word is there.
fn until(screen: &mut ChildStdout, seen: &mut String, word: &str) {
    while !seen.contains(word) {
        let mut some = [0; 4096];
        let count = screen.read(&mut some).unwrap();
        assert!(count > 0, "it ended too soon: {seen}");
        seen.push_str(&String::from_utf8_lossy(&some[..count]));
    }
}

#[test]
fn a_bar_names_the_contract_that_takes_long_and_ctrl_c_ends_the_comparison() {
    let path = "schemas/events/area/pigeons.json";
    let repository = Repository::accepted(&[("schemas/context.json", r#"{ "type": "object" }"#), (path, &pigeons())]);
    repository.edit(path, r#""p11"],"#, r#""p11", "more"],"#);
    let diff = format!("{} twyla diff", env!("CARGO_BIN_EXE_cargo-twyla"));
    // what starts the tests may ignore ctrl-C, which children inherit
    let mut child = Command::new("env")
        .args([
            "--default-signal=INT",
            "script",
            "-qec",
            &format!("trap 'echo interrupted' INT; stty cols 120; {diff}; echo ended $?"),
            "/dev/null",
        ])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .current_dir(repository.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`env` is a part of coreutils, `script` of util-linux");
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = String::new();
    until(&mut screen, &mut seen, "area.pigeons");
    assert!(seen.contains("0 of 2"), "{seen:?}");
    keyboard.write_all(b"\x03").unwrap();
    until(&mut screen, &mut seen, "ended 130");
    assert!(seen.contains("interrupted") && !seen.contains("undecided"), "{seen:?}");
    drop(keyboard);
    child.wait().unwrap();
}
