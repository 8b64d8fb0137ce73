//! Counts the verdicts on the pairs of some files, and prints them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::cases::{self, Direction};
use crate::judge::{self, Opinion, Worth};
use crate::rival::{Checker, Rival};

/// A checker's verdicts on the directions of one file.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The label agrees, or is refuted.
    pub agreed: usize,
    /// Of those, the label is refuted.
    pub label_refuted: usize,
    /// The label disagrees.
    pub disagreed: usize,
    /// There is a label, and the verdict is undecided.
    pub undecided: usize,
    /// There is no label: fits, breaks, undecided.
    pub unlabelled: [usize; 3],
    /// Wrong: called safe although a known value refutes it, or shown with a witness that doesn't hold.
    pub wrong: usize,
    /// Called safe, although a known value refutes it.
    pub false_safe: usize,
    /// Of all directions, those that a known value refutes and that are undecided.
    pub refuted_undecided: usize,
    /// Of all directions, those called safe.
    pub safe: usize,
    /// All directions.
    pub all: usize,
    /// Notes about single directions.
    pub notes: Vec<String>,
}

impl Counts {
    /// Verdicts that are right as far as is known.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.agreed
    }

    /// Wrong verdicts, and undecided ones with a label.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.disagreed + self.undecided + self.wrong
    }

    /// Undecided, with or without a label.
    #[must_use]
    pub fn all_undecided(&self) -> usize {
        self.undecided + self.unlabelled[2]
    }

    fn count(&mut self, direction: &Direction<'_>, opinion: &Opinion, refuted: bool) {
        self.all += 1;
        let worth = judge::worth(direction, opinion, refuted);
        self.safe += usize::from(*opinion == Opinion::Fits);
        self.refuted_undecided += usize::from(refuted && matches!(opinion, Opinion::Undecided(_)));
        let tell = match worth {
            Worth::Agreed => {
                self.agreed += 1;
                return;
            }
            Worth::Unlabelled => {
                self.unlabelled[usize::from(*opinion != Opinion::Fits)] += 1;
                return;
            }
            Worth::LabelRefuted => {
                self.agreed += 1;
                self.label_refuted += 1;
                "label refuted"
            }
            Worth::Disagreed => {
                self.disagreed += 1;
                "disagreed"
            }
            Worth::Undecided => {
                self.undecided += 1;
                "undecided"
            }
            Worth::UnlabelledUndecided => {
                self.unlabelled[2] += 1;
                "undecided, unlabelled"
            }
            Worth::Wrong => {
                self.wrong += 1;
                self.false_safe += usize::from(*opinion == Opinion::Fits);
                "WRONG"
            }
        };
        let what = match opinion {
            Opinion::Fits => "fits".to_owned(),
            Opinion::Breaks(Some(value)) => format!("breaks by {value}"),
            Opinion::Breaks(None) => "breaks".to_owned(),
            Opinion::Undecided(why) => why.replace('\n', "; "),
        };
        let label = direction.label.map_or("says nothing".to_owned(), |label| format!("says {label}"));
        self.notes.push(format!("{tell}: {} {}: {what} (the source {label})", direction.id, direction.name));
    }
}

/// The checkers' verdicts on one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file's name without its extension.
    pub name: String,
    /// Twyla.
    pub ours: Counts,
    /// The other checkers; empty if they didn't run.
    pub theirs: Vec<(Rival, Counts)>,
}

/// Runs the pairs of a file, also through `rivals`. `refuted` has the directions that known values refute.
///
/// # Errors
/// If the file can't be read, or a rival's process can't be started.
pub fn file(
    path: &Path,
    refuted: &HashMap<(String, String), Value>,
    rivals: &mut [(Rival, Checker)],
) -> io::Result<FileReport> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut ours = Counts::default();
    let mut theirs: Vec<(Rival, Counts)> = rivals.iter().map(|(rival, _)| (*rival, Counts::default())).collect();
    for case in &cases::read(path)? {
        for direction in case.directions() {
            let is_refuted = refuted.contains_key(&(direction.id.to_owned(), direction.name.to_owned()));
            ours.count(&direction, &judge::says(&direction), is_refuted);
            for ((_, checker), (_, counts)) in rivals.iter_mut().zip(&mut theirs) {
                counts.count(&direction, &checker.says(&direction)?, is_refuted);
            }
        }
    }
    Ok(FileReport { name, ours, theirs })
}

/// The files as a table, and notes about single directions.
#[must_use]
pub fn text(files: &[FileReport]) -> String {
    let mut out = String::new();
    for file in files {
        for note in &file.ours.notes {
            let _ = writeln!(out, "{note}");
        }
    }
    let _ = writeln!(
        out,
        "\n| file | checker | directions | agreed | of these, label refuted | disagreed | undecided | no label: fits | breaks | undecided | called safe though refuted | other wrong |"
    );
    let _ = writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut row = |name: &str, who: &str, counts: &Counts| {
        let Counts { all, agreed, label_refuted, disagreed, undecided, unlabelled: [fits, breaks, open], .. } = counts;
        let (unsafe_, other) = (counts.false_safe, counts.wrong - counts.false_safe);
        let _ = writeln!(
            out,
            "| {name} | {who} | {all} | {agreed} | {label_refuted} | {disagreed} | {undecided} | {fits} | {breaks} | {open} | {unsafe_} | {other} |"
        );
    };
    for file in files {
        row(&file.name, "Twyla", &file.ours);
        for (rival, counts) in &file.theirs {
            row(&file.name, &rival.to_string(), counts);
        }
    }
    let ours = sum(files.iter().map(|file| &file.ours));
    let rivals =
        Rival::ALL.into_iter().filter_map(|rival| theirs(files, rival).map(|counts| (rival.to_string(), counts)));
    let all: Vec<(String, Counts)> = [("Twyla".to_owned(), ours)].into_iter().chain(rivals).collect();
    all.iter().for_each(|(who, counts)| row("all", who, counts));
    out.push('\n');
    for (who, counts) in &all {
        let Counts { all, safe, false_safe, .. } = counts;
        let open = counts.all_undecided();
        let share = open as f64 * 100.0 / (*all).max(1) as f64;
        let _ = writeln!(
            out,
            "{who} calls {safe} directions safe, {false_safe} of them refuted by a known value, and leaves {open} of {all} undecided ({share:.1} %)"
        );
    }
    out
}

/// The sum of a checker's verdicts over all files; `None` if it didn't run.
#[must_use]
pub fn theirs(files: &[FileReport], rival: Rival) -> Option<Counts> {
    let tallies: Vec<&Counts> = files
        .iter()
        .flat_map(|file| &file.theirs)
        .filter(|(other, _)| *other == rival)
        .map(|(_, counts)| counts)
        .collect();
    (!tallies.is_empty()).then(|| sum(tallies.into_iter()))
}

/// The sum over all files.
#[must_use]
pub fn sum<'a>(tallies: impl Iterator<Item = &'a Counts>) -> Counts {
    tallies.fold(Counts::default(), |mut sum, counts| {
        sum.agreed += counts.agreed;
        sum.label_refuted += counts.label_refuted;
        sum.disagreed += counts.disagreed;
        sum.undecided += counts.undecided;
        sum.unlabelled.iter_mut().zip(counts.unlabelled).for_each(|(sum, one)| *sum += one);
        sum.wrong += counts.wrong;
        sum.false_safe += counts.false_safe;
        sum.refuted_undecided += counts.refuted_undecided;
        sum.safe += counts.safe;
        sum.all += counts.all;
        sum
    })
}
