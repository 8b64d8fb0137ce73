//! `cargo xtask fuzz`: arbitrary bytes as events and as schemas, for a bounded time.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod error;
mod seeds;

pub(crate) use error::Error;

/// The targets, each with the schema of the values that it reads; the target `schemas` reads schemas.
const TARGETS: [(&str, Option<&str>); 4] = [
    ("context", Some("context.json")),
    ("user_input", Some("events/api/user_input.json")),
    ("reply", Some("events/bot/reply.json")),
    ("schemas", None),
];

/// The time limit of one input; a longer run counts as a hang.
const SECONDS_PER_INPUT: u32 = 20;

/// The longest input, in bytes: many short inputs find more than a few long ones.
const LONGEST: u32 = 8192;

/// Runs each target, or only the target `only`, for this number of seconds.
pub(crate) fn run(seconds: u64, only: Option<&str>) -> Result<(), Error> {
    provide()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let build = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("fuzz");
    for (target, schema) in TARGETS.into_iter().filter(|(target, _)| only.is_none_or(|only| only == *target)) {
        let corpus = build.join("corpus").join(target);
        let seeds = build.join("seeds").join(target);
        let dictionary = build.join("seeds").join(format!("{target}.dict"));
        for folder in [&corpus, &seeds] {
            std::fs::create_dir_all(folder).map_err(|error| Error::Write { path: folder.clone(), error })?;
        }
        let count = seeds::write(&root.join("schemas"), schema, &seeds, &dictionary)?;
        println!("building the target `{target}`");
        let fuzz = |verb: &str| {
            let mut command = nightly();
            command.args(["cargo", "fuzz", verb, "--sanitizer", "none", "--target-dir"]).arg(build.join("build"));
            command.arg(target).current_dir(root.join("fuzz"));
            command
        };
        if !fuzz("build").status().map_err(Error::Rustup)?.success() {
            return Err(Error::Build(target));
        }
        println!("running the target `{target}` for {seconds} s, from {count} seeds");
        let artifacts = root.join("fuzz/artifacts").join(target);
        let before = newest(&artifacts);
        let status = fuzz("run")
            .args([&corpus, &seeds])
            .args(["--", "-print_final_stats=1", "-rss_limit_mb=4096"])
            .arg(format!("-timeout={SECONDS_PER_INPUT}"))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-dict={}", dictionary.display()))
            .status()
            .map_err(Error::Rustup)?;
        if !status.success() {
            let input = newest(&artifacts).filter(|found| before.as_ref() != Some(found));
            let input = input.map_or_else(
                || "none was written, because the target stopped first".to_owned(),
                |at| at.display().to_string(),
            );
            return Err(Error::Found { target, input });
        }
    }
    println!("no input fails");
    Ok(())
}

/// Installs the missing tools, and prints a line first.
fn provide() -> Result<(), Error> {
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    for (what, check, install) in [
        (
            "the nightly toolchain (only it has libFuzzer's instrumentation)",
            &["run", "nightly", "rustc", "--version"][..],
            &["toolchain", "install", "nightly", "--profile", "minimal"][..],
        ),
        (
            "cargo-fuzz",
            &["run", "nightly", "cargo", "fuzz", "--version"][..],
            &["run", "nightly", "cargo", "install", "cargo-fuzz", "--locked"][..],
        ),
    ] {
        if quiet(rustup().args(check)) {
            continue;
        }
        println!("missing on this machine: {what}; running rustup {}", install.join(" "));
        if !rustup().args(install).status().map_err(Error::Rustup)?.success() || !quiet(rustup().args(check)) {
            return Err(Error::Missing { what, command: format!("rustup {}", install.join(" ")) });
        }
    }
    Ok(())
}

/// Returns the command of rustup, without the variables that cargo has set for its own toolchain.
fn rustup() -> Command {
    let mut command = Command::new("rustup");
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command
}

fn nightly() -> Command {
    let mut command = rustup();
    command.args(["run", "nightly"]);
    command
}

/// Returns the newest file of a folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok()).map(|entry| entry.path())
}
