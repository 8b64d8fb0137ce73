//! Formats a report as text.

mod deployment;

use std::fmt::Write;

use super::model::{Cell, Edge, Mismatch, PairVerdict, Subject, Unmatched, refuses};
use super::plan::{Age, Blocked, ServiceId, Step};
use super::report::{Deployment, Outlook, Report};
use super::split::Split;
use crate::support::paint::{BAD, FAINT, GOOD, HEAD, NAME, UNSURE, paint, tame};
use crate::support::text::witness as shown;

/// Returns a report as text.
pub(crate) fn text(report: &Report, verbose: bool) -> String {
    let mut out = Writer { report, out: String::new() };
    out.title();
    out.standing(verbose);
    out.loose();
    if let Some(deployment) = &report.deployment {
        out.deployment(deployment);
    } else {
        out.sum();
    }
    out.out
}

/// Returns the result in one line.
pub(super) fn summary(report: &Report) -> String {
    let name = report.fleet.environment.as_deref().map(|name| format!("{}: ", tame(name))).unwrap_or_default();
    let result = lines(report, |out| match &report.deployment {
        Some(deployment) => out.answer(deployment),
        None => out.sum(),
    });
    name + &result.join(" ")
}

/// Returns the lines about a deployed edge, without its verdict.
pub(super) fn edge(report: &Report, edge: &Edge) -> Vec<String> {
    lines(report, |out| {
        let outlook = report.standing(edge);
        let meeting = out.meeting(edge, outlook);
        out.line(meeting);
        out.mismatch(edge, outlook);
    })
}

/// Returns the lines about a service that can't be deployed.
pub(super) fn stuck(report: &Report, stuck: &Blocked, split: Option<&Split>) -> Vec<String> {
    lines(report, |out| out.stuck(stuck, || split))
}

/// Returns the steps of a split cycle, after a line with the service that is released twice.
pub(super) fn split(report: &Report, split: &Split) -> Vec<String> {
    lines(report, |out| out.split(split))
}

/// Returns the lines about an event, method or queue with only one end.
pub(super) fn unmatched(report: &Report, loose: &Unmatched) -> Vec<String> {
    lines(report, |out| out.unmatched(loose))
}

/// Returns a step of a deployment.
pub(super) fn step(report: &Report, step: Step) -> String {
    lines(report, |out| {
        let step = out.step(step);
        out.line(step);
    })
    .concat()
}

/// Returns whether the services can be rolled back, a line for each.
pub(super) fn rollbacks(report: &Report, deployment: &Deployment) -> Vec<String> {
    lines(report, |out| {
        for way in out.ways_back(deployment) {
            out.line(way.text);
        }
    })
}

/// Returns a service with its newest version.
pub(super) fn newest(report: &Report, id: ServiceId) -> String {
    let age = if report.fleet.members[id].next.is_some() { Age::Next } else { Age::Now };
    lines(report, |out| {
        let named = out.aged(id, age);
        out.line(named);
    })
    .concat()
}

/// Returns the lines that `write` writes, without colours and indentation.
fn lines(report: &Report, write: impl FnOnce(&mut Writer<'_>)) -> Vec<String> {
    let mut out = Writer { report, out: String::new() };
    write(&mut out);
    let text = anstream::adapter::strip_str(&out.out).to_string();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Returns the mismatch that decides the result of a deployed edge; `None` if everything fits.
pub(super) fn standing_wrong(edge: &Edge, outlook: Outlook) -> Option<(&Cell, &Mismatch)> {
    let ages: &[Age] = match outlook {
        Outlook::Fine => return None,
        Outlook::Drains => &[Age::Past],
        Outlook::Undecided | Outlook::Breaks => &[Age::Now, Age::Past],
    };
    let wrong = ages.iter().find_map(|age| edge.wrong(*age, Age::Now));
    wrong.or_else(|| edge.wrong(Age::Now, Age::Past))
}

struct Writer<'a> {
    report: &'a Report,
    out: String,
}

impl Writer<'_> {
    fn line(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Returns a service with a version: `bot 2.0.0`.
    fn named(&self, id: ServiceId, version: &str) -> String {
        format!("{} {}", paint(NAME, tame(&self.report.fleet.members[id].name)), tame(version))
    }

    /// Returns a service with its newest version of an age; only its name if it has none.
    fn aged(&self, id: ServiceId, age: Age) -> String {
        let member = &self.report.fleet.members[id];
        match member.of(age).first() {
            Some(version) => self.named(id, &version.name),
            None => paint(NAME, tame(&member.name)).to_string(),
        }
    }

    fn title(&mut self) {
        let fleet = &self.report.fleet;
        let name = fleet.environment.as_deref().unwrap_or("fleet");
        let mut subjects: Vec<&str> = self.report.edges.iter().map(|edge| edge.subject.name()).collect();
        subjects.dedup();
        let services = counted(fleet.members.len(), "service");
        let title = format!(
            "{}: {services}, {} between them",
            paint(HEAD, tame(name)),
            counted(self.report.edges.len(), "edge")
        );
        self.line(title);
    }

    /// Writes the deployed edges with a mismatch; all edges if `verbose`.
    fn standing(&mut self, verbose: bool) {
        for edge in &self.report.edges {
            self.edge(edge, verbose);
        }
    }

    fn edge(&mut self, edge: &Edge, verbose: bool) {
        let outlook = self.report.standing(edge);
        let word = match outlook {
            Outlook::Fine if !verbose || edge.verdict(Age::Now, Age::Now) == PairVerdict::Apart => return,
            Outlook::Fine => paint(GOOD, "fits"),
            Outlook::Undecided => paint(UNSURE, "undecided"),
            Outlook::Drains => paint(UNSURE, "drain first"),
            Outlook::Breaks => paint(BAD, "breaks"),
        };
        let meeting = self.meeting(edge, outlook);
        self.line(format_args!("\n  {word}: {meeting}"));
        self.mismatch(edge, outlook);
    }

    /// Returns an edge with the versions at its ends: `api.user_input in the group bot, api 1.0.0 → bot 2.0.0`.
    fn meeting(&self, edge: &Edge, outlook: Outlook) -> String {
        let (from, to) = match standing_wrong(edge, outlook) {
            Some((cell, _)) => {
                (self.named(edge.producer, &cell.producer.1), self.named(edge.consumer, &cell.consumer.1))
            }
            None => (self.aged(edge.producer, Age::Now), self.aged(edge.consumer, Age::Now)),
        };
        format!("{}, {from} → {to}", subject(&edge.subject))
    }

    /// Writes the mismatch of a deployed edge and, if a queue has to be drained first, a line about the queue.
    fn mismatch(&mut self, edge: &Edge, outlook: Outlook) {
        let wrong = standing_wrong(edge, outlook);
        if let Some((cell, wrong)) = wrong {
            self.wrong(edge, cell, wrong, "    ");
        }
        if outlook == Outlook::Drains
            && let Some(queue) = edge.subject.queue()
        {
            let old = wrong.map(|(cell, _)| self.named(edge.producer, &cell.producer.1)).unwrap_or_default();
            self.line(format_args!(
                "    Events of {old} may still be in the queue {queue}; if none are left, pass --drained {queue}."
            ));
        }
    }

    /// Writes what one service may send, and how the other refuses it.
    fn wrong(&mut self, edge: &Edge, cell: &Cell, wrong: &Mismatch, indent: &str) {
        let producer = self.named(edge.producer, &cell.producer.1);
        let consumer = self.named(edge.consumer, &cell.consumer.1);
        let ends = |back: bool| if back { (&consumer, &producer) } else { (&producer, &consumer) };
        match wrong {
            Mismatch::NotServed => {
                self.line(format_args!("{indent}{producer} calls it, but {consumer} doesn't serve it"));
            }
            Mismatch::Breaks(part, witness) => {
                let (sender, taker) = ends(part.goes_back());
                let value = shown(&witness.event);
                let at =
                    if witness.pointer.is_empty() { String::new() } else { format!(" at {}", tame(&witness.pointer)) };
                self.line(format_args!("{indent}{sender} may send the {} {value}", part.word()));
                let does = refuses(witness);
                self.line(format_args!("{indent}{taker} {does}{at}: {}", tame(&witness.rule)));
                let rule = format!("{} in {}", witness.keyword, witness.path);
                self.line(format_args!("{indent}{}", paint(FAINT, tame(&rule))));
            }
            Mismatch::Undecided(part, why) => {
                let (sender, taker) = ends(part.goes_back());
                self.line(format_args!(
                    "{indent}It can't be decided whether {taker} accepts each {} that {sender} may send:",
                    part.word()
                ));
                self.line(format_args!("{indent}{}", tame(&why.to_string())));
            }
        }
    }

    fn loose(&mut self) {
        if !self.report.loose.is_empty() {
            self.out.push('\n');
        }
        for loose in &self.report.loose {
            self.unmatched(loose);
        }
    }

    fn unmatched(&mut self, loose: &Unmatched) {
        let age = |id: ServiceId| if self.report.fleet.members[id].next.is_some() { Age::Next } else { Age::Now };
        let text = match loose {
            Unmatched::Unheard { event, service } => {
                format!("no service listens to {event}, which {} emits", self.aged(*service, age(*service)))
            }
            Unmatched::Unsaid { event, group, service } => {
                let service = self.aged(*service, age(*service));
                format!("no service emits {event}, which {service} listens to in the group {group}")
            }
            Unmatched::Unserved { method, service } => {
                let service = self.aged(*service, age(*service));
                format!("{} serves {}, which {service} calls", paint(BAD, "no service"), tame(method))
            }
            Unmatched::Uncalled { method, service } => {
                format!("no service calls {}, which {} serves", tame(method), self.aged(*service, age(*service)))
            }
            Unmatched::Left { event, group, service } => {
                let service = self.aged(*service, Age::Next);
                format!(
                    "{service} doesn't listen to {event} any more: its queue {event}.{group} stays, and fills until it is deleted"
                )
            }
        };
        self.line(format_args!("  {text}"));
    }

    fn sum(&mut self) {
        let of = |outlook| self.report.edges.iter().filter(|edge| self.report.standing(edge) == outlook).count();
        let unserved = self.report.loose.iter().filter(|it| matches!(it, Unmatched::Unserved { .. })).count();
        let (breaks, waits, undecided) = (of(Outlook::Breaks), of(Outlook::Drains), of(Outlook::Undecided));
        let all = self.report.edges.len();
        let one = |count: usize, one: &'static str, many: &'static str| if count == 1 { one } else { many };
        let mut pairs = Vec::new();
        if breaks > 0 {
            pairs.push(paint(BAD, format!("{breaks} {}", one(breaks, "breaks", "break"))).to_string());
        }
        if waits > 0 {
            let wait = one(waits, "waits for a queue to drain", "wait for queues to drain");
            pairs.push(paint(UNSURE, format!("{waits} {wait}")).to_string());
        }
        if undecided > 0 {
            let are = one(undecided, "is", "are");
            pairs.push(paint(UNSURE, format!("{undecided} {are} undecided")).to_string());
        }
        let mut parts = Vec::new();
        if !pairs.is_empty() {
            parts.push(format!("of {all} pairs of sender and receiver, {}", pairs.join(", ")));
        }
        if unserved > 0 {
            let calls = one(unserved, "call is", "calls are");
            parts.push(paint(BAD, format!("{unserved} {calls} not served")).to_string());
        }
        let sum = if parts.is_empty() { paint(GOOD, "everything fits").to_string() } else { parts.join("; ") };
        self.line(format_args!("\n{sum}"));
    }
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Event { event, group } => format!("{} in the group {group}", paint(HEAD, event)),
        Subject::Method(method) => format!("the method {}", paint(HEAD, tame(method))),
    }
}

/// Returns a number with its noun: `1 service`, `2 services`.
pub(crate) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
