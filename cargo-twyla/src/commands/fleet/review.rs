//! Reports of fleets as notes for reviewers.

use std::fmt;

use twyla_build::compare::SchemaPath;
use twyla_contract::Location;

use super::load::in_;
use super::model::{Cell, Edge, Mismatch, Subject, Unmatched};
use super::plan::{Age, Blocked, ServiceId, Step, Wait};
use super::report::{Deployment, Outlook, Report};
use super::split::Split;
use super::text;
use crate::support::report::{Level, Note, Report as Review, Rule, Way, Witnessed};
use crate::support::text::witness as shown;

/// Returns the fleets of all environments as a report for reviewers. `place` returns the location of a rule in the schemas
/// folder.
pub(super) fn review(reports: &[Report], place: &dyn Fn(&SchemaPath) -> Option<Location>) -> Review {
    let mut review = Review {
        title: "Fleet",
        summary: reports.iter().map(text::summary).collect::<Vec<_>>().join("; "),
        complete: true,
        notes: Vec::new(),
        remarks: Vec::new(),
    };
    for report in reports {
        let reviewer = Reviewer { report, place };
        review.notes.extend(reviewer.notes());
        if let Some(deployment) = &report.deployment {
            review.remarks.extend(reviewer.remarks(deployment));
        }
    }
    review
}

/// A service at one end of an edge, in one version.
struct End<'a> {
    id: ServiceId,
    name: &'a str,
    version: &'a str,
}

impl fmt::Display for End<'_> {
    /// Writes the service with its version: `bot 2.0.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

struct Reviewer<'a> {
    report: &'a Report,
    place: &'a dyn Fn(&SchemaPath) -> Option<Location>,
}

impl<'a> Reviewer<'a> {
    fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if let Some(deployment) = &self.report.deployment {
            let mut splits = deployment.splits.iter();
            for stuck in &deployment.plan.stuck {
                let split = match stuck {
                    Blocked::Cycle(_) => splits.next().and_then(Option::as_ref),
                    _ => None,
                };
                notes.push(self.blocked(stuck, split));
            }
        }
        notes.extend(self.report.edges.iter().filter_map(|edge| self.standing(edge)));
        notes.extend(self.report.loose.iter().filter_map(|loose| self.unserved(loose)));
        notes
    }

    /// Returns the note on a deployed edge; `None` if everything on it fits.
    fn standing(&self, edge: &Edge) -> Option<Note> {
        let outlook = self.report.standing(edge);
        let (rule, verdict) = match outlook {
            Outlook::Fine => return None,
            Outlook::Undecided => (Rule::ServicesUndecided, "undecided"),
            Outlook::Drains => (Rule::QueueNotDrained, "drain first"),
            Outlook::Breaks => (Rule::ServicesBreak, "breaks"),
        };
        let (cell, wrong) = text::standing_wrong(edge, outlook)?;
        // a mismatch of deployed versions isn't a reason to reject a candidate
        let level = if self.report.deployment.is_some() { Level::Warning } else { Level::Error };
        let lines = text::edge(self.report, edge);
        let mut note = self.note(rule, level, verdict, lines, (edge, cell, wrong));
        note.ways = match (&outlook, edge.subject.queue()) {
            (Outlook::Drains, Some(queue)) => vec![Way {
                text: format!("wait until the queue `{queue}` is empty, and then:"),
                command: Some(format!("cargo twyla fleet … --drained {queue}")),
            }],
            _ => self.ways(edge, cell, wrong),
        };
        Some(note)
    }

    /// Returns the note on a version that can't be deployed.
    fn blocked(&self, stuck: &Blocked, split: Option<&Split>) -> Note {
        let (edge, producer, consumer, verdict) = match stuck {
            Blocked::Meet { edge, producer, consumer, .. } => (*edge, *producer, *consumer, "breaks"),
            Blocked::Cycle(waits) => match waits.first() {
                Some(Wait { edge, producer, consumer, .. }) => (*edge, *producer, *consumer, "cycle"),
                None => (0, Age::Now, Age::Now, "cycle"),
            },
            Blocked::Behind(Wait { edge, producer, consumer, .. }) => (*edge, *producer, *consumer, "waits"),
        };
        let edge = &self.report.edges[edge];
        let lines = text::stuck(self.report, stuck, split);
        let Some((cell, wrong)) = edge.wrong(producer, consumer) else {
            return self.bare(Rule::DeploymentBlocked, Level::Error, verdict, lines, edge.subject.name());
        };
        let mut note = self.note(Rule::DeploymentBlocked, Level::Error, verdict, lines, (edge, cell, wrong));
        note.ways = match (stuck, split) {
            (_, Some(split)) => {
                let steps = text::split(self.report, split);
                steps.into_iter().map(|text| Way { text, command: None }).collect()
            }
            (Blocked::Cycle(_), None) => vec![Way {
                text:
                    "add a new event beside the old one, listen to both, then emit the new one, then remove the old one"
                        .to_owned(),
                command: None,
            }],
            _ => self.ways(edge, cell, wrong),
        };
        note
    }

    /// Returns the note on a method that is called, but that no service serves. A call between two services is an edge, and
    /// has its own note.
    fn unserved(&self, loose: &Unmatched) -> Option<Note> {
        let Unmatched::Unserved { method, service } = loose else { return None };
        let is_candidate = self.report.fleet.members[*service].next.is_some();
        let level = if self.report.deployment.is_none() || is_candidate { Level::Error } else { Level::Warning };
        let mut note = self.bare(Rule::CallNotServed, level, "not served", text::unmatched(self.report, loose), method);
        note.place = Some(self.manifest(*service));
        note.services = vec![text::newest(self.report, *service)];
        note.ways = vec![Way { text: format!("deploy a service that serves `{method}` first"), command: None }];
        Some(note)
    }

    fn note(
        &self,
        rule: Rule,
        level: Level,
        verdict: &str,
        lines: Vec<String>,
        (edge, cell, wrong): (&Edge, &Cell, &Mismatch),
    ) -> Note {
        let (sender, receiver) = self.ends(edge, cell, wrong);
        let path = match wrong {
            Mismatch::Breaks(_, witness) => Some(&witness.path),
            Mismatch::Undecided(_, why) => Some(&why.path),
            Mismatch::NotServed => None,
        };
        let placed = path.and_then(self.place);
        let mut note = self.bare(rule, level, verdict, lines, edge.subject.name());
        note.place = Some(placed.clone().unwrap_or_else(|| self.manifest(receiver.id)));
        note.witnesses = match wrong {
            Mismatch::Breaks(_, witness) => vec![Witnessed {
                value: shown(&witness.event),
                sender: sender.to_string(),
                receiver: receiver.to_string(),
                pointer: witness.pointer.clone(),
                rule: witness.rule.clone(),
                place: placed,
            }],
            _ => Vec::new(),
        };
        note.services = vec![receiver.to_string()];
        let Cell { producer, consumer, .. } = cell;
        let group = if let Subject::Event { group, .. } = &edge.subject { group } else { "" };
        let names = [&self.report.fleet.members[edge.producer].name, &self.report.fleet.members[edge.consumer].name];
        note.identity = [names[0], &producer.1, names[1], &consumer.1, group].join("\n") + &note.identity;
        note
    }

    fn bare(&self, rule: Rule, level: Level, verdict: &str, lines: Vec<String>, subject: &str) -> Note {
        let mut lines = lines.into_iter();
        let environment = self.report.fleet.environment.as_deref();
        Note {
            rule,
            level,
            place: None,
            subjects: vec![subject.to_owned()],
            headline: lines.next().unwrap_or_default() + &in_(environment),
            details: lines.collect(),
            verdict: verdict.to_owned(),
            witnesses: Vec::new(),
            affected: Vec::new(),
            services: Vec::new(),
            ways: Vec::new(),
            waived: None,
            identity: environment.unwrap_or_default().to_owned(),
        }
    }

    /// Returns the sender and the receiver of a mismatch.
    fn ends<'c>(&self, edge: &Edge, cell: &'c Cell, wrong: &Mismatch) -> (End<'c>, End<'c>)
    where
        'a: 'c,
    {
        let end = |id: ServiceId, version| End { id, name: &self.report.fleet.members[id].name, version };
        let producer = end(edge.producer, &cell.producer.1);
        let consumer = end(edge.consumer, &cell.consumer.1);
        match wrong {
            Mismatch::Breaks(part, _) | Mismatch::Undecided(part, _) if part.goes_back() => (consumer, producer),
            // the caller is the side that suffers from an unserved call
            Mismatch::NotServed => (consumer, producer),
            _ => (producer, consumer),
        }
    }

    fn ways(&self, edge: &Edge, cell: &Cell, wrong: &Mismatch) -> Vec<Way> {
        let (sender, receiver) = self.ends(edge, cell, wrong);
        let text = match wrong {
            Mismatch::Breaks(..) => format!(
                "first deploy a version of {} that accepts it, or a version of {} that doesn't send it",
                receiver.name, sender.name
            ),
            Mismatch::Undecided(_, why) => {
                format!("simplify the rule `{}` in `{}`, so that it can be decided", why.keyword, why.path)
            }
            Mismatch::NotServed => format!("deploy a service that serves `{}` first", edge.subject.name()),
        };
        vec![Way { text, command: None }]
    }

    /// Returns the location of a service's manifest, for a note whose rule isn't in the schemas folder.
    fn manifest(&self, id: ServiceId) -> Location {
        let file = self.report.fleet.members[id].path.to_string_lossy().replace('\\', "/");
        Location { file, line: 1, column: 1 }
    }

    /// Returns the steps of a deployment, and what can be rolled back.
    fn remarks(&self, deployment: &Deployment) -> Vec<String> {
        let steps = deployment.plan.steps.iter().enumerate();
        let steps = steps.map(|(i, step): (usize, &Step)| format!("{}. {}", i + 1, text::step(self.report, *step)));
        steps.chain(text::rollbacks(self.report, deployment)).collect()
    }
}
