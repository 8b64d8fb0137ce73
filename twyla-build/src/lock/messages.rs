//! Groups findings into messages: an edit that does the same to many contracts is reported once.

use twyla_contract::text::Visible;

use super::finding::{Finding, FindingKind, Severity};
use super::model::Subject;
use super::wording;

/// A message about one contract or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its severity.
    pub severity: Severity,
    /// The lines; the first begins with the place. They contain no invisible characters: text of a schema must not form a
    /// directive of cargo, nor move a terminal's cursor.
    pub lines: Vec<String>,
}

impl Message {
    /// Returns the lines as directives of cargo. If `strict`, a lock that is behind is an error.
    pub(crate) fn directives(&self, strict: bool) -> impl Iterator<Item = String> {
        let error = self.severity >= Severity::least(strict);
        let word = if error { "error" } else { "warning" };
        self.lines.iter().map(move |line| format!("cargo::{word}={line}"))
    }
}

impl Severity {
    /// Returns the least severity that fails a build.
    #[must_use]
    pub fn least(strict: bool) -> Self {
        if strict { Self::Behind } else { Self::Error }
    }
}

/// Returns the messages of findings. Contracts that the same edit affects in the same way share a message.
#[must_use]
pub fn messages(findings: &[Finding]) -> Vec<Message> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, finding))) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    let messages = groups.iter().filter_map(|group| {
        let (first, also) = group.split_first()?;
        Some(Message { severity: first.severity(), lines: tame(wording::said(first, also)) })
    });
    messages.collect()
}

impl Finding {
    /// Returns its lines, as those of [`Message`].
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        tame(wording::said(self, &[]))
    }

    /// Returns all edits and misfits in lines as those of [`Message`]; empty if nothing was changed.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        tame(match &self.kind {
            FindingKind::Behind(edited) => wording::changes(&self.subject, edited, &[]),
            FindingKind::Broken(broken) => wording::changes(&self.subject, &broken.edited, &broken.misfits),
            _ => Vec::new(),
        })
    }
}

fn tame(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| Visible(&line).to_string()).collect()
}

/// Whether two findings share a message.
fn same(one: &Finding, other: &Finding) -> bool {
    match (&one.kind, &other.kind) {
        (FindingKind::New, FindingKind::New) => {
            one.subject.kind == other.subject.kind || one.subject.is_of_rpc() && other.subject.is_of_rpc()
        }
        // a removed RPC is removed with all its contracts
        (FindingKind::Removed, FindingKind::Removed) => of_one_rpc(&one.subject, &other.subject),
        (FindingKind::Renamed { to: a }, FindingKind::Renamed { to: b }) => {
            of_one_rpc(&one.subject, &other.subject) && of_one_rpc(a, b)
        }
        (FindingKind::Behind(a), FindingKind::Behind(b)) => {
            one.place == other.place && a.verdict == b.verdict && a.edits == b.edits
        }
        (FindingKind::Broken(a), FindingKind::Broken(b)) => {
            let directions = |broken: &super::BreakingChange| {
                broken.misfits.iter().map(|it| (it.direction, it.ended.is_some())).collect::<Vec<_>>()
            };
            let edit =
                |broken: &super::BreakingChange| broken.culprits.first().map(|it| broken.edited.edits[*it].clone());
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
