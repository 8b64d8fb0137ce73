//! Formats a report as text.

use std::fmt::Write;

use super::load::in_;
use super::model::{Cell, Edge, Mismatch, PairVerdict, Subject, Unmatched, refuses};
use super::plan::{Age, Blocked, EdgeId, ServiceId, Step, Wait};
use super::report::{Deployment, Outlook, Report, Rollback};
use super::split::{Split, SplitStep, Unit};
use crate::support::paint::{BAD, FAINT, GOOD, HEAD, NAME, UNSURE, paint, tame};
use crate::support::text::{and, witness as shown};

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

/// Returns the steps of a service that is released twice, after a line that says so.
pub(super) fn split(report: &Report, split: &Split) -> Vec<String> {
    lines(report, |out| out.split(split))
}

/// Returns a line about what has only one end.
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
        for WayBack { text, .. } in out.ways_back(deployment) {
            out.line(text);
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

/// Returns what a part of the text says: its lines, without colours and indentation.
fn lines(report: &Report, write: impl FnOnce(&mut Writer<'_>)) -> Vec<String> {
    let mut out = Writer { report, out: String::new() };
    write(&mut out);
    let text = anstream::adapter::strip_str(&out.out).to_string();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Returns the mismatch that a deployed edge's result is about.
pub(super) fn standing_wrong(edge: &Edge, outlook: Outlook) -> Option<(&Cell, &Mismatch)> {
    let ages: &[Age] = match outlook {
        Outlook::Fine => return None,
        Outlook::Waits => &[Age::Past],
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

    /// `bot 2.0.0`
    fn named(&self, id: ServiceId, version: &str) -> String {
        format!("{} {}", paint(NAME, tame(&self.report.fleet.members[id].name)), tame(version))
    }

    /// Returns a service with its version of an age, or only its name.
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
            Outlook::Fine if !verbose || edge.came(Age::Now, Age::Now) == PairVerdict::Apart => return,
            Outlook::Fine => paint(GOOD, "fits"),
            Outlook::Undecided => paint(UNSURE, "undecided"),
            Outlook::Waits => paint(UNSURE, "drain first"),
            Outlook::Breaks => paint(BAD, "breaks"),
        };
        let meeting = self.meeting(edge, outlook);
        self.line(format_args!("\n  {word}: {meeting}"));
        self.mismatch(edge, outlook);
    }

    /// `api.user_input in the group bot, api 1.0.0 → bot 2.0.0`
    fn meeting(&self, edge: &Edge, outlook: Outlook) -> String {
        let (from, to) = match standing_wrong(edge, outlook) {
            Some((cell, _)) => {
                (self.named(edge.producer, &cell.producer.1), self.named(edge.consumer, &cell.consumer.1))
            }
            None => (self.aged(edge.producer, Age::Now), self.aged(edge.consumer, Age::Now)),
        };
        format!("{}, {from} → {to}", subject(&edge.subject))
    }

    /// Writes what doesn't fit on a deployed edge.
    fn mismatch(&mut self, edge: &Edge, outlook: Outlook) {
        let wrong = standing_wrong(edge, outlook);
        if let Some((cell, wrong)) = wrong {
            self.wrong(edge, cell, wrong, "    ");
        }
        if outlook == Outlook::Waits
            && let Some(queue) = edge.subject.queue()
        {
            let old = wrong.map(|(cell, _)| self.named(edge.producer, &cell.producer.1)).unwrap_or_default();
            self.line(format_args!(
                "    What {old} has sent may still be in the queue {queue}; --drained {queue} says that it isn't."
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
                self.line(format_args!("{indent}{producer} calls it, and {consumer} doesn't serve it"));
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
                    "{indent}Whether {taker} takes each {} that {sender} may send can't be decided:",
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
        let (breaks, waits, undecided) = (of(Outlook::Breaks), of(Outlook::Waits), of(Outlook::Undecided));
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

    fn deployment(&mut self, deployment: &Deployment) {
        let fleet = &self.report.fleet;
        let moving: Vec<ServiceId> = (0..fleet.members.len()).filter(|id| fleet.members[*id].next.is_some()).collect();
        self.cells(&moving);
        self.answer(deployment);
        let more = deployment.plan.steps.len() > 1 || deployment.outlook() > Outlook::Fine;
        if more && !deployment.plan.steps.is_empty() {
            self.out.push('\n');
            for (i, step) in deployment.plan.steps.iter().enumerate() {
                let text = self.step(*step);
                self.line(format_args!("  {}. {text}", i + 1));
            }
        }
        let mut splits = deployment.splits.iter();
        for stuck in &deployment.plan.stuck {
            self.stuck(stuck, || splits.next().and_then(Option::as_ref));
        }
        self.rollbacks(deployment);
    }

    /// Writes whether the candidates can be deployed.
    fn answer(&mut self, deployment: &Deployment) {
        let fleet = &self.report.fleet;
        let moving: Vec<ServiceId> = (0..fleet.members.len()).filter(|id| fleet.members[*id].next.is_some()).collect();
        let names: Vec<String> = moving.iter().map(|id| self.aged(*id, Age::Next)).collect();
        let question = format!("Can {} be deployed{}?", and(&names), in_(fleet.environment.as_deref()));
        let answer = match (deployment.outlook(), moving.len()) {
            (Outlook::Fine, 1) => paint(GOOD, "Yes, now."),
            (Outlook::Fine, _) => paint(GOOD, "Yes, in this order:"),
            (Outlook::Undecided, _) => paint(UNSURE, "Only if what is undecided fits; then in this order:"),
            (Outlook::Waits, _) => paint(UNSURE, "Not yet; in this order:"),
            (Outlook::Breaks, 1) => paint(BAD, "No."),
            (Outlook::Breaks, _) => paint(BAD, "Not all of them."),
        };
        self.line(format_args!("\n{} {answer}", paint(HEAD, question)));
    }

    /// Writes the cells of each edge with a candidate.
    fn cells(&mut self, moving: &[ServiceId]) {
        let touched = |edge: &&Edge| moving.contains(&edge.producer) || moving.contains(&edge.consumer);
        for edge in self.report.edges.iter().filter(touched) {
            let (from, to) = (&self.report.fleet.members[edge.producer], &self.report.fleet.members[edge.consumer]);
            let name = |id: ServiceId| paint(NAME, tame(&self.report.fleet.members[id].name)).to_string();
            let head = format!("\n  {}, {} → {}", subject(&edge.subject), name(edge.producer), name(edge.consumer));
            self.line(head);
            let columns: Vec<(Age, &str)> = ages(to, edge.of(Age::Next, Age::Past).next().is_some() && to.field);
            let rows: Vec<(Age, &str)> = ages(from, edge.cells.iter().any(|it| it.producer.0 == Age::Past));
            let first = rows.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0).max(4);
            let widths: Vec<usize> = columns.iter().map(|(_, name)| name.chars().count().max(9)).collect();
            let mut line = format!("    {:first$}", "");
            for ((_, name), width) in columns.iter().zip(&widths) {
                let _ = write!(line, "  {name:width$}");
            }
            self.line(format_args!("{}", paint(FAINT, line.trim_end())));
            for (row, name) in rows {
                let mut line = format!("    {name:first$}");
                for ((column, _), width) in columns.iter().zip(&widths) {
                    let came = if row == Age::Past && edge.is_drained() {
                        PairVerdict::Apart
                    } else {
                        edge.came(row, *column)
                    };
                    let (style, word) = match came {
                        PairVerdict::Apart => (FAINT, "-"),
                        PairVerdict::Fits => (GOOD, "fits"),
                        PairVerdict::Undecided => (UNSURE, "undecided"),
                        PairVerdict::Breaks => (BAD, "breaks"),
                    };
                    let _ = write!(line, "  {}{:2$}", paint(style, word), "", width - word.len());
                }
                self.line(line.trim_end());
            }
        }
    }

    fn step(&self, step: Step) -> String {
        match step {
            Step::Drain(edge) => {
                let edge = &self.report.edges[edge];
                self.drain(&edge.subject, edge.producer)
            }
            Step::Deploy { service, stop } => self.deploy(&self.aged(service, Age::Next), stop),
        }
    }

    fn drain(&self, subject: &Subject, producer: ServiceId) -> String {
        let queue = subject.queue().unwrap_or_default();
        let name = paint(NAME, tame(&self.report.fleet.members[producer].name));
        format!("wait until what older versions of {name} have sent is out of the queue {queue}")
    }

    fn deploy(&self, what: &str, stop: bool) -> String {
        let stop = if stop { ", having stopped the old one: the two can't run side by side" } else { "" };
        format!("deploy {what}{stop}")
    }

    /// Writes why one service waits for another, with the witness.
    fn because(&mut self, edge: usize, producer: Age, consumer: Age, indent: &str) {
        let edge = &self.report.edges[edge];
        if let Some((cell, wrong)) = edge.wrong(producer, consumer) {
            self.line(format_args!("{indent}{}", subject(&edge.subject)));
            self.wrong(edge, cell, wrong, indent);
        }
    }

    fn stuck<'s>(&mut self, stuck: &Blocked, split: impl FnOnce() -> Option<&'s Split>) {
        match stuck {
            Blocked::Meet { service, edge, producer, consumer } => {
                let it = &self.report.edges[*edge];
                let other = if it.producer == *service { it.consumer } else { it.producer };
                let other_age = if it.producer == *service { *consumer } else { *producer };
                let (what, other) = (self.aged(*service, Age::Next), self.aged(other, other_age));
                let why = if it.producer == it.consumer {
                    format!("{what} and the version before it can't share a queue: make a new event for the new form")
                } else {
                    // whether the producer sends and the consumer refuses; otherwise the witness below says who does
                    let straight = match it.wrong(*producer, *consumer) {
                        Some((_, Mismatch::Breaks(part, witness))) => !part.goes_back() && !witness.is_repeated(),
                        _ => true,
                    };
                    match other_age {
                        Age::Next => format!("{what} and {other} don't fit: only one of the two can be deployed"),
                        Age::Now if !straight => {
                            format!("{what} has to wait: {other} doesn't fit it, so a version that does goes first")
                        }
                        Age::Now if it.producer == *service => {
                            format!(
                                "{what} has to wait: {other} would refuse what it sends, so a version that takes it goes first"
                            )
                        }
                        Age::Now => {
                            format!(
                                "{what} has to wait: it would refuse what {other} sends, so a version that sends something else goes first"
                            )
                        }
                        Age::Past => format!("{what} can't be deployed as long as {other} is in the field"),
                    }
                };
                self.line(format_args!("\n  {why}"));
                self.because(*edge, *producer, *consumer, "    ");
            }
            Blocked::Cycle(cycle) => {
                self.line(format_args!(
                    "\n  {}",
                    paint(BAD, "These wait for each other, so none of them can go first:")
                ));
                for Wait { service, waits_for, edge, producer, consumer } in cycle {
                    let (service, other) = (self.aged(*service, Age::Next), self.aged(*waits_for, Age::Next));
                    self.line(format_args!("\n    {service} waits for {other}:"));
                    self.because(*edge, *producer, *consumer, "      ");
                }
                match split() {
                    Some(split) => self.split(split),
                    None => self.line(
                        "\n    No release of a part of it helps, as it is about one contract: make a new event beside the old \
                         one, listen to both, then emit the new one, then drop the old.",
                    ),
                }
            }
            Blocked::Behind(Wait { service, waits_for, edge, producer, consumer }) => {
                let (service, other) = (self.aged(*service, Age::Next), self.aged(*waits_for, Age::Next));
                self.line(format_args!("\n  {service} waits for {other}:"));
                self.because(*edge, *producer, *consumer, "    ");
            }
        }
    }

    fn split(&mut self, split: &Split) {
        let units: Vec<String> = split.first.iter().map(unit).collect();
        let name = paint(NAME, tame(&self.report.fleet.members[split.service].name)).to_string();
        let first = and(&units);
        self.line(format_args!("\n    Release {name} twice, first with no other change than that of {first}:"));
        for (i, step) in split.steps.iter().enumerate() {
            let text = match step {
                SplitStep::Drain { subject, producer } => self.drain(subject, *producer),
                SplitStep::Deploy { service, stop } => self.deploy(&self.aged(*service, Age::Next), *stop),
                SplitStep::DeployFirst { stop } => self.deploy(&format!("{name} with the new {first} only"), *stop),
            };
            self.line(format_args!("      {}. {text}", i + 1));
        }
    }

    fn rollbacks(&mut self, deployment: &Deployment) {
        for WayBack { text, obstacle } in self.ways_back(deployment) {
            self.line(format_args!("\n{text}"));
            if let Some((edge, producer, consumer)) = obstacle {
                self.because(edge, producer, consumer, "    ");
            }
        }
    }

    /// Returns whether each service can be rolled back.
    fn ways_back(&self, deployment: &Deployment) -> Vec<WayBack> {
        let mut ways = Vec::new();
        for Rollback { service, at_once, later } in &deployment.rollbacks {
            let member = &self.report.fleet.members[*service];
            let Some(now) = &member.now else { continue };
            let (new, old) = (self.aged(*service, Age::Next), self.aged(*service, Age::Now));
            let question = paint(HEAD, format!("Can {new} be rolled back to {}?", tame(&now.name)));
            let (wait, answer) = match (at_once.first(), later.first()) {
                _ if member.field => (None, paint(BAD, "No: it is in the field.".to_owned())),
                (None, None) => (None, paint(GOOD, "Yes, at any time.".to_owned())),
                (None, Some(wait)) => {
                    let others: Vec<String> = later.iter().map(|it| self.aged(it.waits_for, Age::Next)).collect();
                    let others = and(&once(others));
                    let until = format!("Until {others} is deployed; from then on that has to be rolled back first.");
                    (Some(wait), paint(UNSURE, until))
                }
                (Some(wait), _) => (Some(wait), paint(BAD, format!("No: {old} would receive what {new} has sent."))),
            };
            let obstacle = wait.map(|wait| (wait.edge, wait.producer, wait.consumer));
            ways.push(WayBack { text: format!("{question} {answer}"), obstacle });
        }
        for taken in &deployment.takes_away {
            let (service, new) = (self.named(taken.service, &taken.version), self.aged(taken.because_of, Age::Next));
            let edge = &self.report.edges[taken.edge];
            let ages = if edge.producer == taken.service { (Age::Past, Age::Next) } else { (Age::Next, Age::Past) };
            let text = paint(UNSURE, format!("Once {new} is deployed, there is no way back to {service}:")).to_string();
            ways.push(WayBack { text, obstacle: Some((taken.edge, ages.0, ages.1)) });
        }
        ways
    }
}

/// Whether a service can be rolled back, in one line, and the edge that prevents it.
struct WayBack {
    text: String,
    obstacle: Option<(EdgeId, Age, Age)>,
}

/// The rows or columns of a table of cells.
fn ages(member: &super::model::Member, with_past: bool) -> Vec<(Age, &str)> {
    let past = member.past.first().filter(|_| with_past).map(|it| (Age::Past, &*it.name));
    let now = member.now.as_ref().map(|it| (Age::Now, &*it.name));
    let next = member.next.as_ref().map(|it| (Age::Next, &*it.name));
    past.into_iter().chain(now).chain(next).collect()
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Event { event, group } => format!("{} in the group {group}", paint(HEAD, event)),
        Subject::Method(method) => format!("the method {}", paint(HEAD, tame(method))),
    }
}

fn unit(unit: &Unit) -> String {
    match unit {
        Unit::Context => "context".to_owned(),
        Unit::Contract(name) => tame(name),
    }
}

fn once(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// `1 service`, `2 services`
pub(crate) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
