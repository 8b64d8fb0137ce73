//! Runs files of labelled pairs through the comparison and through the other checkers.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use twyla_compat::rival::{self, Checker, Rival};
use twyla_compat::{cases, history, report};

fn main() -> ExitCode {
    let mut alone = false;
    let mut given: Vec<PathBuf> = Vec::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--alone" => alone = true,
            "--answer" => return answer(arguments.next().as_deref().and_then(Rival::named)),
            _ => given.push(argument.into()),
        }
    }
    match run(given, alone) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs as the process of a checker, which a thread with a large stack is for.
fn answer(rival: Option<Rival>) -> ExitCode {
    let answered = std::thread::spawn(move || rival.map(rival::answer)).join();
    if matches!(answered, Ok(Some(Ok(())))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(given: Vec<PathBuf>, alone: bool) -> std::io::Result<bool> {
    // known values belong to the shared files; other files run without them
    let refuted = if given.is_empty() { cases::refuted()? } else { cases::refuted().unwrap_or_default() };
    let files = if given.is_empty() { cases::files()? } else { given };
    let program = env::current_exe()?;
    let rivals = Rival::ALL.into_iter().filter(|_| !alone);
    let mut rivals: Vec<_> = rivals.map(|rival| (rival, Checker::new(rival, &program))).collect();
    let (mut reports, mut unlabelled) = (Vec::new(), Vec::new());
    for path in files {
        let in_file = |error| std::io::Error::other(format!("{}: {error}", path.display()));
        let report = report::file(&path, &refuted, &mut rivals).map_err(in_file)?;
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
