//! Runs the programs of all drafts, and reports the results.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::SUITE;
use crate::group::{DRAFTS, Kind, Placement};
use crate::summary::{Counts, Disagreement, Summary};

/// The number of characters shown of a schema or a value.
const SHOWN: usize = 400;

/// The results of all drafts.
#[derive(Debug)]
pub struct Report(Vec<Result<Summary, String>>);

impl Report {
    /// Runs the programs, named after their drafts, in a folder.
    #[must_use]
    pub fn run(folder: &Path) -> Self {
        let programs = DRAFTS.map(|draft| {
            let mut command = Command::new(folder.join(format!("{draft}{}", std::env::consts::EXE_SUFFIX)));
            (draft, command.stdout(Stdio::piped()).spawn())
        });
        let waiting = programs.map(|(draft, child)| {
            thread::spawn(move || {
                let output = child.and_then(std::process::Child::wait_with_output);
                let output = output.map_err(|error| format!("{draft} could not be run: {error}"))?;
                // a stack overflow ends the program
                let ended = || format!("{draft} has ended before its time: {}", output.status);
                serde_json::from_slice(&output.stdout).map_err(|_| ended())
            })
        });
        Self(waiting.map(|run| run.join().unwrap_or_else(|_| Err("a thread has panicked".into()))).into())
    }

    /// Reads a file written by [`save`](Self::save).
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self(serde_json::from_slice(&fs::read(path)?)?))
    }

    /// Writes the results to a file, so that others can be added.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_vec(&self.0)?)
    }

    /// Adds the results of other groups of the drafts.
    pub fn add(&mut self, other: Self) {
        for run in other.0 {
            match run {
                Ok(summary) => match self.0.iter_mut().flatten().find(|own| own.draft == summary.draft) {
                    Some(own) => own.add(summary),
                    None => self.0.push(Ok(summary)),
                },
                error => self.0.push(error),
            }
        }
    }

    /// Whether the suite exists for at least one draft.
    #[must_use]
    pub fn has_suite(&self) -> bool {
        self.summaries().any(|summary| summary.suite.is_some())
    }

    fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.0.iter().filter_map(|run| run.as_ref().ok())
    }

    /// Passed cases, of the suite's required files and of generated schemas.
    #[must_use]
    pub fn passed(&self) -> usize {
        let first = self.summaries().flat_map(|summary| &summary.tallies);
        let others = self.summaries().flat_map(|summary| summary.placements.values().flatten());
        first.chain(others).filter(|(kind, _)| is_failure(**kind)).map(|(_, counts)| counts.agree).sum()
    }

    /// Failed cases, and programs and files that could not be run.
    #[must_use]
    pub fn failed(&self) -> usize {
        let disagreements = self.summaries().flat_map(|summary| &summary.disagreements);
        let cases: usize = disagreements.filter(|one| is_failure(one.kind)).map(|one| one.cases).sum();
        let unreadable: usize = self.summaries().map(|summary| summary.unreadable.len()).sum();
        cases + unreadable + self.0.iter().filter(|run| run.is_err()).count()
    }

    /// The number of contents that `cargo twyla validate` checked.
    #[must_use]
    pub fn validated(&self) -> usize {
        self.summaries().map(|summary| summary.validated).sum()
    }

    /// Missing and outdated entries in the list of known disagreements with optional files.
    #[must_use]
    pub fn unlisted(&self) -> Vec<String> {
        let mut unlisted = Vec::new();
        for summary in self.summaries() {
            let new = summary.disagreements.iter().filter(|one| !is_failure(one.kind) && one.known.is_none());
            unlisted.extend(new.map(|one| format!("{}: {one} (not listed)", summary.draft)));
            unlisted.extend(summary.stale().map(|entry| format!("{}: {entry}: is listed, and agrees", summary.draft)));
        }
        unlisted
    }
}

/// Whether a disagreement is a failure: optional files are informational.
fn is_failure(kind: Kind) -> bool {
    matches!(kind, Kind::Required | Kind::Generated)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in &self.0 {
            match run {
                Ok(summary) => disagreements(f, summary)?,
                Err(error) => writeln!(f, "{error}\n")?,
            }
        }
        let head = ["", "groups", "cases", "agree", "valid", "typed", "trees", "refused"];
        writeln!(f, "{}", row(&head.map(str::to_owned)))?;
        for summary in self.summaries() {
            for (kind, counts) in &summary.tallies {
                let name = match kind {
                    Kind::Required => summary.draft.clone(),
                    Kind::Optional => "  optional".into(),
                    Kind::Format => "  optional/format".into(),
                    Kind::Generated if summary.suite.is_none() => format!("{} generated", summary.draft),
                    Kind::Generated => "  generated".into(),
                };
                let Counts { groups, cases, agree, accepted, typed, trees, refused, .. } = counts;
                let counts = [groups, cases, agree, accepted, typed, trees, refused].map(usize::to_string);
                let mut cells = vec![name];
                cells.extend(counts);
                writeln!(f, "{}", row(&cells))?;
            }
        }
        writeln!(
            f,
            "\n{}",
            row(&["in other places", "groups", "cases", "agree", "valid", "typed", "trees", "refused"]
                .map(str::to_owned))
        )?;
        for placement in Placement::OTHERS {
            let tallies: Vec<&Counts> = self
                .summaries()
                .filter_map(|summary| summary.placements.get(&placement))
                .flat_map(BTreeMap::values)
                .collect();
            let sum = |count: fn(&Counts) -> usize| tallies.iter().map(|counts| count(counts)).sum::<usize>();
            let counts = [
                sum(|counts| counts.groups),
                sum(|counts| counts.cases),
                sum(|counts| counts.agree),
                sum(|counts| counts.accepted),
                sum(|counts| counts.typed),
                sum(|counts| counts.trees),
                sum(|counts| counts.refused),
            ];
            let mut cells = vec![placement.to_string()];
            cells.extend(counts.map(|count| count.to_string()));
            writeln!(f, "{}", row(&cells))?;
        }
        let mut unplaced: BTreeMap<&str, usize> = BTreeMap::new();
        for (why, count) in self.summaries().flat_map(|summary| &summary.unplaced) {
            *unplaced.entry(why).or_default() += count;
        }
        for (why, count) in unplaced {
            writeln!(f, "{count} groups have no such place: {why}")?;
        }
        match self.validated() {
            0 => writeln!(f, "`cargo twyla` ISN'T BUILT: nothing was held to `cargo twyla validate`")?,
            count => writeln!(f, "{count} contents held to `cargo twyla validate`")?,
        }
        writeln!(f, "\nWhy groups have trees of rules beside their types (keyword: groups)")?;
        for summary in self.summaries() {
            for (kind, counts) in
                summary.tallies.iter().filter(|(kind, counts)| is_failure(**kind) && !counts.reasons.is_empty())
            {
                let mut reasons: Vec<_> = counts.reasons.iter().collect();
                reasons.sort_by_key(|(_, groups)| usize::MAX - *groups);
                let mut line = String::new();
                for (keyword, groups) in reasons {
                    write!(line, "{}{keyword}: {groups}", if line.is_empty() { "" } else { ", " })?;
                }
                let which = if *kind == Kind::Generated { " generated" } else { "" };
                writeln!(f, "{}{which}: {line}", summary.draft)?;
            }
        }
        writeln!(f)?;
        if !self.has_suite() {
            writeln!(f, "THE JSON SCHEMA TEST SUITE IS NOT AT {SUITE}: none of it was run\n")?;
        }
        for summary in self.summaries().filter(|summary| summary.suite.is_none() && self.has_suite()) {
            writeln!(f, "the suite in {SUITE} hasn't {}: only generated schemas were run", summary.draft)?;
        }
        for summary in self.summaries() {
            for group in &summary.unserved {
                writeln!(f, "not run: {} {group}, which the suite's folder hasn't", summary.draft)?;
            }
        }
        let known = self.summaries().flat_map(|summary| &summary.disagreements).filter(|one| one.known.is_some());
        writeln!(f, "optional files: {} known disagreements, {} unlisted", known.count(), self.unlisted().len())?;
        let digits: usize =
            self.summaries().flat_map(|summary| summary.tallies.values()).map(|counts| counts.digits).sum();
        writeln!(f, "generated: {digits} values refused in words for digits that 64 bits don't keep")?;
        write!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}

fn row(cells: &[String]) -> String {
    let (name, counts) = cells.split_first().map_or(("", cells), |(name, counts)| (name.as_str(), counts));
    counts.iter().fold(format!("{name:<30}"), |line, count| line + &format!("{count:>8}"))
}

fn disagreements(f: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    for (file, error) in &summary.unreadable {
        writeln!(f, "{} {file}: is not a list of groups: {error}\n", summary.draft)?;
    }
    let (failures, optional): (Vec<_>, Vec<_>) = summary.disagreements.iter().partition(|one| is_failure(one.kind));
    for one in failures {
        writeln!(f, "{} {one}\n  schema: {}\n", summary.draft, short(&one.schema))?;
    }
    for one in optional {
        writeln!(f, "{} {one}\n  {}\n", summary.draft, one.known.as_deref().unwrap_or("not listed as known"))?;
    }
    Ok(())
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [file, group, case] = &self.case;
        write!(f, "{file} / {group}{}{case}: ", if case.is_empty() { "" } else { " / " })?;
        if self.placement != Placement::Shared {
            write!(f, "({}) ", self.placement)?;
        }
        write!(f, "{}{}{}", short(&self.data), if self.data.is_empty() { "" } else { " " }, short(&self.result))
    }
}

/// One line, shortened.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
