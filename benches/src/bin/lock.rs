//! The cost of checking contracts against their lock: `cargo run --release -p twyla-bench --bin lock [-- COUNT]`.
//!
//! Everything is included, from the files to the findings, as in `cargo twyla check`: with unchanged contracts, with an edit of
//! one and of every contract, with an edit of a definition that most of them share, and of a folder with the first of its 30
//! versions. The row of the build script is the whole script, with the generated code.
//!
//! Without `--release` it measures what an unoptimized build script costs; the bars of that row differ.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use twyla_bench::schemas;
use twyla_bench_clock::{Clock, Took};
use twyla_build::Builder;
use twyla_build::lock::{self, CheckOptions, FILE_NAME, Finding, Lock, Severity};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The argument for the program itself as a build script: its folder follows.
const BUILD: &str = "--build-script";
/// The events of the folder with shared definitions.
const SHARING: usize = 191;
/// The versions of the folder with a history.
const VERSIONS: usize = 30;
/// The seconds of the edit of a shared definition, in an unoptimized build script and in an optimized one.
const SHARED_BAR: f64 = if cfg!(debug_assertions) { 8.0 } else { 1.0 };

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let count = match arguments.next() {
        Some(first) if first == BUILD => return build(arguments.next().unwrap_or_default().as_ref()),
        Some(count) => count.parse()?,
        None => 1_000,
    };
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    println!("| contracts | CPU s | wall s | found | bar |\n|---|--:|--:|---|---|");
    each(&target.join("bench-lock"), count)?;
    shared(&target.join("bench-lock-shared"))?;
    history(&target.join("bench-lock-history"))
}

/// Independent contracts, as many as given.
fn each(folder: &Path, count: usize) -> Result<()> {
    // the bars are those of 1,000 contracts
    let bar = |seconds: f64| seconds * count as f64 / 1e3;
    schemas::write(folder, count)?;
    accept(folder)?;
    row(&format!("{count}, all as accepted"), bar(0.4), || check(folder))?;
    let add = |schema: &mut Value| schema["properties"]["added_since"] = json!({ "type": "string", "maxLength": 40 });
    edit(folder, 1, add)?;
    row(&format!("{count}, one with a property more"), bar(0.45), || check(folder))?;
    edit(folder, count, add)?;
    row(&format!("{count}, each with a property more, which closed ones refuse"), bar(1.5), || check(folder))?;
    edit(folder, count, |schema| {
        let name = "added_since";
        schema["required"] = match schema["required"].take() {
            Value::Array(mut names) => {
                names.push(name.into());
                names.into()
            }
            _ => json!([name]),
        };
    })?;
    row(&format!("{count}, each with that required: producer-first"), bar(2.5), || check(folder))
}

/// Contracts that share definitions, one of which is edited.
fn shared(folder: &Path) -> Result<()> {
    schemas::write_shared(folder, SHARING)?;
    accept(folder)?;
    row("191 that share definitions, all as accepted", SHARED_BAR, || check(folder))?;
    script("191 that share definitions, all as accepted, in a build script", folder)?;
    let path = folder.join("shared/entities.json");
    let mut entities: Value = serde_json::from_slice(&fs::read(&path)?)?;
    entities["$defs"]["repository"]["properties"]["added_since"] = json!({ "type": "boolean" });
    fs::write(path, format!("{entities:#}"))?;
    row("191 that share definitions, one of these with an optional boolean more", SHARED_BAR, || check(folder))?;
    script("191 that share definitions, with that boolean, in a build script", folder)
}

/// A folder and the first of its versions, as with `cargo twyla diff REV`.
fn history(folder: &Path) -> Result<()> {
    schemas::write_files(folder, schemas::version(0))?;
    let first = Lock::of(&Builder::new(folder).contracts()?);
    let mut then = first.clone();
    let mut sum = 0;
    row("290 of 20,000 lines, each of 30 versions with the one before it", 10.0, || {
        for version in 1..VERSIONS {
            schemas::write_files(folder, schemas::version(version))?;
            let sources = Builder::new(folder).contracts()?;
            sum += lock::check(&sources, &then, &CheckOptions::new("schemas"))?.len();
            then = Lock::of(&sources);
        }
        Ok(Vec::new())
    })?;
    row(
        &format!("290 of 20,000 lines, the last of 30 versions with the first; {sum} changes between them"),
        10.0,
        || Ok(lock::check(&Builder::new(folder).contracts()?, &first, &CheckOptions::new("schemas"))?),
    )
}

/// Writes the lock of a folder.
fn accept(folder: &Path) -> Result<()> {
    Ok(fs::write(folder.join(FILE_NAME), Lock::of(&Builder::new(folder).contracts()?).to_string())?)
}

fn check(folder: &Path) -> Result<Vec<Finding>> {
    Ok(Builder::new(folder).check()?)
}

/// Changes the first `count` schemas.
fn edit(folder: &Path, count: usize, change: impl Fn(&mut Value)) -> Result<()> {
    for (_, path) in schemas::events(folder)?.into_iter().take(count) {
        let mut schema = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut schema);
        fs::write(path, format!("{schema:#}"))?;
    }
    Ok(())
}

fn row(name: &str, bar: f64, work: impl FnOnce() -> Result<Vec<Finding>>) -> Result<()> {
    let clock = Clock::start();
    let findings = work()?;
    let took = clock.took();
    let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error).count();
    let found = match (findings.len(), errors) {
        (0, _) => "nothing".to_owned(),
        (all, 0) => format!("{all} behind"),
        (all, errors) => format!("{} behind, {errors} broken", all - errors),
    };
    print(name, took.cpu.as_secs_f64(), took.wall.as_secs_f64(), &found, bar);
    Ok(())
}

/// Runs the build script of a folder in a process of its own.
fn script(name: &str, folder: &Path) -> Result<()> {
    let out = folder.with_extension("out");
    fs::create_dir_all(&out)?;
    let mut script = Command::new(std::env::current_exe()?);
    let script = script.arg(BUILD).arg(folder).env("OUT_DIR", &out).env("TWYLA_LOCK", "warn");
    let output = script.stdout(Stdio::null()).output()?;
    let text = String::from_utf8(output.stderr)?;
    let Some((cpu, wall)) = text.trim().split_once(' ') else { return Err(text.into()) };
    print(name, cpu.parse()?, wall.parse()?, "", SHARED_BAR);
    Ok(())
}

/// Compiles a folder, as a build script does, and writes what it cost to standard error.
fn build(folder: &Path) -> Result<()> {
    let clock = Clock::start();
    let fits = Builder::new(folder).compile();
    let Took { cpu, wall } = clock.took();
    eprintln!("{} {}", cpu.as_secs_f64(), wall.as_secs_f64());
    // the folder is generated: only a broken contract ends its build
    let _ = fits;
    Ok(())
}

fn print(name: &str, cpu: f64, wall: f64, found: &str, bar: f64) {
    let met = if cpu <= bar { "ok" } else { "missed" };
    println!("| {name} | {cpu:.2} | {wall:.2} | {found} | ≤ {bar} s: {met} |");
}
