//! Counts what is said of the pairs of some files, and prints it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::cases::{self, Direction};
use crate::judge::{self, Said, Worth};
use crate::rival;

/// What a checker has said of the directions of one file.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The source says the same, or is shown to be wrong.
    pub agreed: usize,
    /// Of those, the source is shown to be wrong.
    pub label_refuted: usize,
    /// The source says else.
    pub disagreed: usize,
    /// The source says something, and it isn't decided.
    pub undecided: usize,
    /// The source says nothing: it fits, it breaks, it is undecided.
    pub unlabelled: [usize; 3],
    /// It is wrong: called safe though a value is known that isn't accepted, or shown with a value that doesn't hold.
    pub wrong: usize,
    /// Called safe, though a value is known that isn't accepted.
    pub false_safe: usize,
    /// Of all directions, those of which a value is known that isn't accepted, and which are undecided.
    pub refuted_undecided: usize,
    /// Of all directions, those called safe.
    pub safe: usize,
    /// All directions.
    pub all: usize,
    /// What there is to tell of single directions.
    pub told: Vec<String>,
}

impl Tally {
    /// What is right as far as anybody knows.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.agreed
    }

    /// What isn't, or isn't decided where the source decides.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.disagreed + self.undecided + self.wrong
    }

    /// Undecided, whether the source says something or not.
    #[must_use]
    pub fn all_undecided(&self) -> usize {
        self.undecided + self.unlabelled[2]
    }

    fn count(&mut self, direction: &Direction<'_>, said: &Said, refuted: bool) {
        self.all += 1;
        let worth = judge::worth(direction, said, refuted);
        self.safe += usize::from(*said == Said::Fits);
        self.refuted_undecided += usize::from(refuted && matches!(said, Said::Undecided(_)));
        let tell = match worth {
            Worth::Agreed => {
                self.agreed += 1;
                return;
            }
            Worth::Unlabelled => {
                self.unlabelled[usize::from(*said != Said::Fits)] += 1;
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
                self.false_safe += usize::from(*said == Said::Fits);
                "WRONG"
            }
        };
        let what = match said {
            Said::Fits => "fits".to_owned(),
            Said::Breaks(value) => format!("breaks by {value}"),
            Said::Undecided(why) => why.replace('\n', "; "),
        };
        let label = direction.label.map_or("says nothing".to_owned(), |label| format!("says {label}"));
        self.told.push(format!("{tell}: {} {}: {what} (the source {label})", direction.id, direction.name));
    }
}

/// What both checkers have said of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file's name without its ending.
    pub name: String,
    /// Twyla.
    pub ours: Tally,
    /// The `jsoncompat` crate; none where it wasn't asked.
    pub theirs: Option<Tally>,
}

/// Runs the pairs of a file. `refuted` has what is known to be refuted.
///
/// # Errors
/// Where the file can't be read.
pub fn file(path: &Path, refuted: &HashMap<(String, String), Value>, rivals: bool) -> io::Result<FileReport> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (mut ours, mut theirs) = (Tally::default(), Tally::default());
    for case in &cases::read(path)? {
        for direction in case.directions() {
            let is_refuted = refuted.contains_key(&(direction.id.to_owned(), direction.name.to_owned()));
            ours.count(&direction, &judge::says(&direction), is_refuted);
            if rivals {
                theirs.count(&direction, &rival::says(direction.inner, direction.outer), is_refuted);
            }
        }
    }
    Ok(FileReport { name, ours, theirs: rivals.then_some(theirs) })
}

/// The files as a table, and what there is to tell of single directions.
#[must_use]
pub fn text(files: &[FileReport]) -> String {
    let mut out = String::new();
    for file in files {
        for told in &file.ours.told {
            let _ = writeln!(out, "{told}");
        }
    }
    let _ = writeln!(
        out,
        "\n| file | checker | directions | agreed | of these, label refuted | disagreed | undecided | no label: fits | breaks | undecided | called safe though refuted | other wrong |"
    );
    let _ = writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut row = |name: &str, who: &str, tally: &Tally| {
        let Tally { all, agreed, label_refuted, disagreed, undecided, unlabelled: [fits, breaks, open], .. } = tally;
        let (unsafe_, other) = (tally.false_safe, tally.wrong - tally.false_safe);
        let _ = writeln!(
            out,
            "| {name} | {who} | {all} | {agreed} | {label_refuted} | {disagreed} | {undecided} | {fits} | {breaks} | {open} | {unsafe_} | {other} |"
        );
    };
    for file in files {
        row(&file.name, "Twyla", &file.ours);
        if let Some(theirs) = &file.theirs {
            row(&file.name, "jsoncompat", theirs);
        }
    }
    let ours = sum(files.iter().map(|file| &file.ours));
    let theirs = files.iter().any(|file| file.theirs.is_some());
    let theirs = theirs.then(|| sum(files.iter().filter_map(|file| file.theirs.as_ref())));
    let all: Vec<(&str, &Tally)> =
        [("Twyla", &ours)].into_iter().chain(theirs.as_ref().map(|theirs| ("jsoncompat", theirs))).collect();
    all.iter().for_each(|(who, tally)| row("all", who, tally));
    out.push('\n');
    for (who, tally) in all {
        let Tally { all, safe, false_safe, .. } = tally;
        let open = tally.all_undecided();
        let share = open as f64 * 100.0 / (*all).max(1) as f64;
        let _ = writeln!(
            out,
            "{who} calls {safe} directions safe, {false_safe} of them refuted by a known value, and leaves {open} of {all} undecided ({share:.1} %)"
        );
    }
    out
}

/// All files together.
#[must_use]
pub fn sum<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Tally {
    tallies.fold(Tally::default(), |mut sum, tally| {
        sum.agreed += tally.agreed;
        sum.label_refuted += tally.label_refuted;
        sum.disagreed += tally.disagreed;
        sum.undecided += tally.undecided;
        sum.unlabelled.iter_mut().zip(tally.unlabelled).for_each(|(sum, one)| *sum += one);
        sum.wrong += tally.wrong;
        sum.false_safe += tally.false_safe;
        sum.refuted_undecided += tally.refuted_undecided;
        sum.safe += tally.safe;
        sum.all += tally.all;
        sum
    })
}
