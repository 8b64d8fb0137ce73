//! What `cargo build` prints of a package whose contract has changed, as its user sees it. `UPDATE=1` writes the golden file
//! again.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use twyla_build::lock::Date;

const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "emission": {
      "type": "string",
      "minLength": 1,
      "maxLength": 4000
    },
    "code": { "type": "string", "pattern": "^(.)(.)\\1$" },
    "mood": { "enum": ["cheerful", "sorry"] }
  },
  "required": ["emission"]
}
"#;

/// A package outside of the workspace, with a service that only has contracts.
struct Package(PathBuf);

impl Package {
    fn new() -> Self {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("outside");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = Self(root);
        let _ = fs::remove_dir_all(package.0.join("schemas"));
        package.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"bot\"\nversion = \"1.4.0\"\nedition = \"2024\"\n\n[build-dependencies]\ntwyla-build = {{ \
                 path = {:?} }}\n\n[workspace]\n",
                here
            ),
        );
        package.write("build.rs", "fn main() {\n    twyla_build::compile(\"schemas\");\n}\n");
        package.write("src/lib.rs", "");
        package.write("schemas/context.json", "{ \"type\": \"object\" }\n");
        package.write("schemas/events/api/user_input.json", SCHEMA);
        // the versions that are there already
        fs::copy(here.join("../Cargo.lock"), package.0.join("Cargo.lock")).unwrap();
        package
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Whether it is built, and what is printed of the package itself.
    fn build(&self, variables: &[(&str, &str)]) -> String {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--offline", "--color", "never"]).current_dir(&self.0);
        cargo.env("CARGO_TARGET_DIR", self.0.join("target")).env_remove("CI").env_remove("TWYLA_LOCK");
        // of the cargo that runs this test
        for name in ["RUSTFLAGS", "CARGO_MANIFEST_DIR", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        let output = cargo.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        let until = Date::today().plus_days(30).to_string();
        let about = |line: &&str| {
            !["   Compiling ", "    Finished ", "     Locking", "      Adding", "    Blocking"]
                .iter()
                .any(|it| line.starts_with(it))
        };
        let lines: Vec<String> = text.lines().filter(about).map(|line| line.replace(&until, "<in 30 days>")).collect();
        format!("{}\n{}\n", if output.status.success() { "[is built]" } else { "[is not built]" }, lines.join("\n"))
    }
}

#[test]
fn cargo_says_it() {
    let package = Package::new();
    let builder = || twyla_build::Builder::new(package.0.join("schemas")).shown_as("schemas");
    let mut all = String::new();
    let mut add = |name: &str, said: String| all.push_str(&format!("# {name}\n{said}\n"));
    add("no lock", package.build(&[]));
    let lock = twyla_build::lock::Lock::of(&builder().contracts().unwrap());
    package.write("schemas/contracts.lock", &lock.to_string());
    add("as accepted", package.build(&[]));
    let mut edit = |name: &str, edits: &[(&str, &str)], variables: &[(&str, &str)]| {
        let text = edits.iter().fold(SCHEMA.to_owned(), |text, (from, to)| text.replace(from, to));
        package.write("schemas/events/api/user_input.json", &text);
        add(name, package.build(variables));
    };
    let additive = [("\"mood\"", "\"language\": { \"type\": \"string\" },\n    \"mood\"")];
    edit("additive", &additive, &[]);
    edit("additive, in CI", &additive, &[("CI", "true")]);
    edit("additive, in CI, where it is a warning", &additive, &[("CI", "true"), ("TWYLA_LOCK", "warn")]);
    edit("producer-first", &[("4000", "50")], &[]);
    edit("consumer-first", &[("\"sorry\"", "\"sorry\", \"angry\"")], &[]);
    edit("breaking", &[("\"emission\"", "\"text\"")], &[]);
    edit("undecided", &[("^(.)(.)", "^(..)(.)")], &[]);
    edit("a variable with another value", &additive, &[("TWYLA_LOCK", "strickt")]);
    package
        .write("schemas/contracts.lock", &lock.to_string().replace("\"contracts\"", "\n<<<<<<< HEAD\n\"contracts\""));
    add("a lock in the middle of a merge", package.build(&[]));
    let golden = "tests/lock/cargo.golden";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(golden, &all).unwrap();
    }
    assert_eq!(fs::read_to_string(golden).unwrap_or_default(), all, "UPDATE=1 accepts");
}

/// What the README shows is what is said.
#[test]
fn the_readme_shows_what_cargo_says() {
    let readme = fs::read_to_string("../README.md").unwrap();
    let golden = fs::read_to_string("tests/lock/cargo.golden").unwrap();
    let section = golden.split("# ").find(|section| section.starts_with("breaking\n")).unwrap();
    let said: Vec<&str> = section.lines().filter(|line| line.starts_with("error: ")).collect();
    let shown = readme.lines().skip_while(|line| !line.starts_with("error: bot@")).take(said.len());
    // but for the day, which is another one each day
    let undated = |line: &str| match line.split_once("--until ") {
        Some((before, after)) => {
            format!(
                "{before}--until <in 30 days>{}",
                after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
            )
        }
        None => line.to_owned(),
    };
    assert_eq!(shown.map(undated).collect::<Vec<_>>(), said);
}
