//! Counts the types that a folder of schemas becomes: `cargo xtask types`.
//!
//! | module | what it does |
//! |---|---|
//! | [`measure`] | counts types and fields, and finds the untyped and the repeated ones |
//! | [`cause`] | why a field is untyped |
//! | [`report`] | prints the counts, with the bars |
#![forbid(unsafe_code)]

mod cause;
mod measure;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use measure::Measurement;

const USAGE: &str = "twyla-shapes [--schemas DIR] [--events N] [--fields] [--write DIR]";

/// The number of made events.
const EVENTS: usize = 100;

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether the bars are kept.
fn run(mut args: impl Iterator<Item = String>) -> Result<bool, String> {
    let (mut folder, mut write, mut events, mut fields) = (None, None, EVENTS, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value: {USAGE}"));
        match arg.as_str() {
            "--schemas" => folder = Some(PathBuf::from(value()?)),
            "--write" => write = Some(PathBuf::from(value()?)),
            "--events" => events = value()?.parse().map_err(|_| format!("--events takes a number: {USAGE}"))?,
            "--fields" => fields = true,
            _ => return Err(format!("unknown argument `{arg}`: {USAGE}")),
        }
    }
    let made = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let folder = match (&folder, &write) {
        (Some(folder), _) => folder,
        (None, Some(write)) => written(write, events)?,
        (None, None) => written(made.path(), events)?,
    };
    let measurement = Measurement::of(folder).map_err(|problems| problems.to_string())?;
    print!("{}", report::text(&measurement, fields));
    Ok(report::holds(&measurement))
}

/// Writes the made schemas into a folder.
fn written(folder: &Path, events: usize) -> Result<&Path, String> {
    for (path, schema) in twyla_generate::shapes::folder(events) {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        let result = fs::create_dir_all(parent).and_then(|()| fs::write(&path, format!("{schema:#}")));
        result.map_err(|error| format!("{} could not be written: {error}", path.display()))?;
    }
    Ok(folder)
}
