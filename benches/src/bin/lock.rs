//! The cost of checking contracts against their lock: `cargo run --release -p twyla-bench --bin lock [-- COUNT]`.
//!
//! Everything is included, from the files to the findings, as in `cargo twyla check` and in a build: with unchanged
//! contracts, and with an edit of every contract. The unit is CPU time of this process.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use twyla_bench::schemas;
use twyla_bench_clock::Clock;
use twyla_build::Builder;
use twyla_build::lock::{FILE_NAME, Lock, Severity};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The target for 1,000 contracts with their lock, in CPU seconds.
const BAR: f64 = 1.0;

fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(1_000), |count| count.parse())?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let folder = target.join("bench-lock");
    schemas::write(&folder, count)?;
    let lock = Lock::of(&Builder::new(&folder).contracts()?).to_string();
    fs::write(folder.join(FILE_NAME), &lock)?;
    println!("{count} contracts and the context; the lock is of {:.1} MB", lock.len() as f64 / 1e6);
    println!("\n| contracts | CPU s | found | bar |\n|---|--:|--:|---|");
    row(&folder, "all as accepted", count)?;
    edit(&folder, |schema| {
        schema["properties"]["added_since"] = json!({ "type": "string", "maxLength": 40 });
    })?;
    row(&folder, "each with a property more, which closed ones refuse", count)?;
    edit(&folder, |schema| {
        let name = "added_since";
        schema["required"] = match schema["required"].take() {
            Value::Array(mut names) => {
                names.push(name.into());
                names.into()
            }
            _ => json!([name]),
        };
    })?;
    row(&folder, "each with that required: producer-first", count)?;
    Ok(())
}

fn edit(folder: &Path, change: impl Fn(&mut Value)) -> Result<()> {
    for (_, path) in schemas::events(folder)? {
        let mut schema = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut schema);
        fs::write(path, format!("{schema:#}"))?;
    }
    Ok(())
}

fn row(folder: &Path, name: &str, count: usize) -> Result<()> {
    let clock = Clock::start();
    let findings = Builder::new(folder).check()?;
    let seconds = clock.took().cpu.as_secs_f64();
    let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error).count();
    let found = match (findings.len(), errors) {
        (0, _) => "nothing".to_owned(),
        (all, 0) => format!("{all} behind"),
        (all, errors) => format!("{} behind, {errors} broken", all - errors),
    };
    let bar = BAR * count as f64 / 1e3;
    let met = if seconds < bar { "ok" } else { "missed" };
    println!("| {name} | {seconds:.2} | {found} | < {bar} s: {met} |");
    Ok(())
}
