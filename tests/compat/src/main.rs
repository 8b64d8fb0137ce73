//! Runs files of labelled pairs through the comparison and through the `jsoncompat` crate.

use std::path::PathBuf;
use std::process::ExitCode;

use twyla_compat::{cases, history, report};

fn main() -> ExitCode {
    let mut rivals = true;
    let mut given: Vec<PathBuf> = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--alone" => rivals = false,
            _ => given.push(argument.into()),
        }
    }
    match run(given, rivals) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(given: Vec<PathBuf>, rivals: bool) -> std::io::Result<bool> {
    // known values belong to the shared files; other files run without them
    let refuted = if given.is_empty() { cases::refuted()? } else { cases::refuted().unwrap_or_default() };
    let files = if given.is_empty() { cases::files()? } else { given };
    let (mut reports, mut unlabelled) = (Vec::new(), Vec::new());
    for path in files {
        let in_file = |error| std::io::Error::other(format!("{}: {error}", path.display()));
        let report = report::file(&path, &refuted, rivals).map_err(in_file)?;
        // a source without labels contains real edits
        if report.ours.passed() + report.ours.failed() == 0 {
            unlabelled.push(path.clone());
        }
        reports.push(report);
    }
    print!("{}", report::text(&reports));
    if !unlabelled.is_empty() {
        contracts(&unlabelled)?;
    }
    let all = report::sum(reports.iter().map(|file| &file.ours));
    println!("{} passed, {} failed", all.passed(), all.failed());
    Ok(all.failed() == 0)
}

/// Prints the verdicts on the edits of some files as contracts.
fn contracts(files: &[PathBuf]) -> std::io::Result<()> {
    println!("\nAs contracts: formats are rules, what is sent is closed, what is read is open.\n");
    println!(
        "| history | edits | additive | consumer-first | producer-first | breaking | undecided | witnesses | hold under the `jsonschema` crate |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut notes = Vec::new();
    for path in files {
        let text = history::text(path)?;
        let (row, more) = text.split_once('\n').unwrap_or((&text, ""));
        println!("{row}");
        notes.extend(Some(more.to_owned()).filter(|more| !more.is_empty()));
    }
    println!();
    notes.iter().for_each(|more| println!("{more}"));
    println!();
    Ok(())
}
