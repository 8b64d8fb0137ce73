//! Runs files of labelled pairs through the comparison, and through the `jsoncompat` crate beside it.

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
    // what is known of the shared files says nothing of others, and need not be there for those
    let refuted = if given.is_empty() { cases::refuted()? } else { cases::refuted().unwrap_or_default() };
    let files = if given.is_empty() { cases::files()? } else { given };
    let (mut reports, mut unlabelled) = (Vec::new(), Vec::new());
    for path in files {
        let told = |error| std::io::Error::other(format!("{}: {error}", path.display()));
        let report = report::file(&path, &refuted, rivals).map_err(told)?;
        // a source that says nothing has edits as they were made
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

/// Prints what the edits of some files are as contracts.
fn contracts(files: &[PathBuf]) -> std::io::Result<()> {
    println!("\nAs contracts: formats are rules, what is sent is closed, what is read is open.\n");
    println!(
        "| history | edits | additive | consumer-first | producer-first | breaking | undecided | witnesses | hold under the `jsonschema` crate |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut told = Vec::new();
    for path in files {
        let text = history::text(path)?;
        let (row, more) = text.split_once('\n').unwrap_or((&text, ""));
        println!("{row}");
        told.extend(Some(more.to_owned()).filter(|more| !more.is_empty()));
    }
    println!();
    told.iter().for_each(|more| println!("{more}"));
    println!();
    Ok(())
}
