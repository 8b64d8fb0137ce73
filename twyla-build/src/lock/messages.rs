//! Groups findings into messages: an edit that does the same to many contracts is reported once.

use twyla_contract::text::Visible;

use super::finding::{Finding, FindingKind, Misfit, Severity, WayOn};
use super::model::Subject;
use super::wording;

/// A message about one contract or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The severity of the finding.
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

/// Findings about contracts that the same edit affects in the same way; at least one.
#[derive(Clone, Debug)]
pub struct FindingGroup<'a> {
    /// The first finding, which represents the group.
    pub first: &'a Finding,
    /// The other findings.
    pub also: Vec<&'a Finding>,
}

/// Groups findings, in the order of the first finding of each group.
#[must_use]
pub fn groups(findings: &[Finding]) -> Vec<FindingGroup<'_>> {
    let mut groups: Vec<FindingGroup<'_>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| same(group.first, finding)) {
            Some(group) => group.also.push(finding),
            None => groups.push(FindingGroup { first: finding, also: Vec::new() }),
        }
    }
    groups
}

/// Returns the messages of findings. Contracts that the same edit affects in the same way share a message.
#[must_use]
pub fn messages(findings: &[Finding]) -> Vec<Message> {
    groups(findings).iter().map(|group| group.message(&[])).collect()
}

impl<'a> FindingGroup<'a> {
    /// Returns all findings of the group.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> + '_ {
        std::iter::once(self.first).chain(self.also.iter().copied())
    }

    /// Returns the message of the group. `named` are sentences that name the affected services.
    #[must_use]
    pub fn message(&self, named: &[String]) -> Message {
        let lines = tame(wording::lines(self.first, &self.also, named));
        Message { severity: self.first.severity(), lines }
    }

    /// Returns the first line of the group's message, without the place.
    #[must_use]
    pub fn headline(&self) -> String {
        tamed(&wording::headline(self.first, &self.also))
    }

    /// Returns what the change means for the order of upgrades, such as `breaking: there is no order …`.
    #[must_use]
    pub fn verdict(&self) -> Option<String> {
        wording::verdict(self.first)
    }

    /// Returns which services the change affects, a sentence for each side.
    #[must_use]
    pub fn affected(&self) -> Vec<String> {
        wording::affected(self.first)
    }

    /// Returns the ways to resolve the findings; the command that accepts the change is the last.
    #[must_use]
    pub fn ways(&self) -> Vec<WayOn> {
        let tamed_way = |way: WayOn| WayOn { text: tamed(&way.text), command: way.command.as_deref().map(tamed) };
        wording::ways(self.first, &self.also).into_iter().map(tamed_way).collect()
    }
}

impl Misfit {
    /// Returns the sender and the receiver of the misfit, such as `old producers` and `new listeners`.
    #[must_use]
    pub fn ends(&self, subject: &Subject) -> (String, String) {
        let (sender, receiver) = wording::ends(subject, self);
        (tamed(&sender), tamed(&receiver))
    }
}

impl Finding {
    /// Returns the lines of a message about this finding alone, as [`Message`] has them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        tame(wording::lines(self, &[], &[]))
    }

    /// Returns all edits and misfits as lines, as [`Message`] has them; empty if nothing was changed.
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
    lines.into_iter().map(|line| tamed(&line)).collect()
}

fn tamed(text: &str) -> String {
    Visible(text).to_string()
}

/// Returns whether two findings share a message.
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
