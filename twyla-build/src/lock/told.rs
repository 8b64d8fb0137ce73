//! What is found, put together and in lines: what one edit does to many contracts is said once.

use twyla_contract::text::Visible;

use super::finding::{Finding, Matter, Severity};
use super::model::Subject;
use super::words;

/// One thing that is said, of one contract or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How serious it is.
    pub severity: Severity,
    /// The lines, the first of which begins with the place. None of them has an invisible character in it: what a schema names
    /// must not begin a line that cargo would obey, nor move a terminal's cursor.
    pub lines: Vec<String>,
}

impl Told {
    /// The lines as a build script prints them for cargo; a lock that is behind is an error where it is strict.
    pub(crate) fn directives(&self, strict: bool) -> impl Iterator<Item = String> {
        let error = self.severity >= Severity::least(strict);
        let word = if error { "error" } else { "warning" };
        self.lines.iter().map(move |line| format!("cargo::{word}={line}"))
    }
}

impl Severity {
    /// From where on the build fails.
    #[must_use]
    pub fn least(strict: bool) -> Self {
        if strict { Self::Behind } else { Self::Error }
    }
}

/// Says what was found: of several contracts at once where the same edit has done the same to them.
#[must_use]
pub fn told(findings: &[Finding]) -> Vec<Told> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, finding))) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let told = groups.iter().filter_map(|group| {
        let (first, also) = group.split_first()?;
        Some(Told { severity: first.severity(), lines: tame(words::said(first, also)) })
    });
    told.collect()
}

impl Finding {
    /// What it says, in lines as those of [`Told`].
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        tame(words::said(self, &[]))
    }

    /// Everything that was changed, and what of it doesn't fit, in lines as those of [`Told`]; none where nothing was.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        tame(match &self.matter {
            Matter::Behind(edited) => words::changes(&self.subject, edited, &[]),
            Matter::Broken(broken) => words::changes(&self.subject, &broken.edited, &broken.misfits),
            _ => Vec::new(),
        })
    }
}

fn tame(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| Visible(&line).to_string()).collect()
}

/// Whether one thing is to be said of both.
fn same(one: &Finding, other: &Finding) -> bool {
    match (&one.matter, &other.matter) {
        (Matter::New, Matter::New) => {
            one.subject.kind == other.subject.kind || one.subject.is_of_rpc() && other.subject.is_of_rpc()
        }
        // an RPC that is gone is gone with all that it has
        (Matter::Removed, Matter::Removed) => of_one_rpc(&one.subject, &other.subject),
        (Matter::Renamed { to: a }, Matter::Renamed { to: b }) => {
            of_one_rpc(&one.subject, &other.subject) && of_one_rpc(a, b)
        }
        (Matter::Behind(a), Matter::Behind(b)) => {
            one.place == other.place && a.verdict == b.verdict && a.edits == b.edits
        }
        (Matter::Broken(a), Matter::Broken(b)) => {
            let directions = |broken: &super::Broken| {
                broken.misfits.iter().map(|it| (it.direction, it.ended.is_some())).collect::<Vec<_>>()
            };
            let edit = |broken: &super::Broken| broken.culprits.first().map(|it| broken.edited.edits[*it].clone());
            one.place == other.place
                && a.edited.verdict == b.edited.verdict
                && edit(a).is_some_and(|edit| !edit.own)
                && edit(a) == edit(b)
                && directions(a) == directions(b)
        }
        _ => false,
    }
}

fn of_one_rpc(one: &Subject, other: &Subject) -> bool {
    one.is_of_rpc() && other.is_of_rpc() && one.name == other.name
}
