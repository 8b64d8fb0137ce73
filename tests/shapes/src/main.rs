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

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use measure::Measurement;

const USAGE: &str = "twyla-shapes [--schemas DIR] [--fields]";

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
    let (mut folder, mut fields) = (None, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value: {USAGE}"));
        match arg.as_str() {
            "--schemas" => folder = Some(PathBuf::from(value()?)),
            "--fields" => fields = true,
            _ => return Err(format!("unknown argument `{arg}`: {USAGE}")),
        }
    }
    let made = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let folder = match folder {
        Some(folder) => folder,
        None => {
            let written = twyla_generate::shapes::write(made.path());
            written.map_err(|error| format!("the made schemas could not be written: {error}"))?;
            made.path().to_owned()
        }
    };
    let measurement = Measurement::of(&folder).map_err(|problems| problems.to_string())?;
    print!("{}", report::text(&measurement, fields));
    Ok(report::holds(&measurement))
}
