//! Formats whether candidates can be deployed: the table of each edge, the steps, what blocks them, and rollbacks.

use std::fmt::Write;

use super::super::load::in_;
use super::super::model::{Edge, Member, Mismatch, PairVerdict, Subject};
use super::super::plan::{Age, Blocked, EdgeId, ServiceId, Step, Wait};
use super::super::report::{Deployment, Outlook, Rollback};
use super::super::split::{Split, SplitStep, Unit};
use super::{Writer, subject};
use crate::support::paint::{BAD, FAINT, GOOD, HEAD, NAME, UNSURE, paint, tame};
use crate::support::text::and;

/// Returns whether deploying takes more than starting one new version: several steps, or an old version that is stopped first.
fn needs_steps(deployment: &Deployment) -> bool {
    let steps = &deployment.plan.steps;
    steps.len() > 1 || steps.iter().any(|step| matches!(step, Step::Deploy { stop: true, .. }))
}

impl Writer<'_> {
    pub(super) fn deployment(&mut self, deployment: &Deployment) {
        let fleet = &self.report.fleet;
        let moving: Vec<ServiceId> = (0..fleet.members.len()).filter(|id| fleet.members[*id].next.is_some()).collect();
        self.cells(&moving);
        self.answer(deployment);
        let more = needs_steps(deployment) || deployment.outlook() > Outlook::Fine;
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
    pub(super) fn answer(&mut self, deployment: &Deployment) {
        let fleet = &self.report.fleet;
        let moving: Vec<ServiceId> = (0..fleet.members.len()).filter(|id| fleet.members[*id].next.is_some()).collect();
        let names: Vec<String> = moving.iter().map(|id| self.aged(*id, Age::Next)).collect();
        let question = format!("Can {} be deployed{}?", and(&names), in_(fleet.environment.as_deref()));
        let answer = match (deployment.outlook(), moving.len()) {
            (Outlook::Fine, _) if !needs_steps(deployment) => paint(GOOD, "Yes, now."),
            (Outlook::Fine, _) => paint(GOOD, "Yes, in this order:"),
            (Outlook::Undecided, _) => paint(UNSURE, "Only if the undecided pairs fit; then in this order:"),
            (Outlook::Drains, _) => paint(UNSURE, "Not yet; in this order:"),
            (Outlook::Breaks, 1) => paint(BAD, "No."),
            (Outlook::Breaks, _) => paint(BAD, "Not all of them."),
        };
        self.line(format_args!("\n{} {answer}", paint(HEAD, question)));
    }

    /// Writes, for each edge that a candidate is part of, a table of verdicts: producer versions by consumer versions.
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
                    let verdict = if row == Age::Past && edge.is_drained() {
                        PairVerdict::Apart
                    } else {
                        edge.verdict(row, *column)
                    };
                    let (style, word) = match verdict {
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

    pub(super) fn step(&self, step: Step) -> String {
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
        format!("wait until the queue {queue} has no more events from older versions of {name}")
    }

    fn deploy(&self, what: &str, stop: bool) -> String {
        let stop =
            if stop { " after stopping its old version: the two versions can't run at the same time" } else { "" };
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

    pub(super) fn stuck<'s>(&mut self, stuck: &Blocked, split: impl FnOnce() -> Option<&'s Split>) {
        match stuck {
            Blocked::Meet { service, edge, producer, consumer } => {
                let it = &self.report.edges[*edge];
                let other = if it.producer == *service { it.consumer } else { it.producer };
                let other_age = if it.producer == *service { *consumer } else { *producer };
                let (what, other) = (self.aged(*service, Age::Next), self.aged(other, other_age));
                let why = if it.producer == it.consumer {
                    format!("{what} and the version before it can't share a queue: add a new event for the new version")
                } else {
                    // whether the producer sends and the consumer refuses; if not, the witness below shows which side refuses
                    let straight = match it.wrong(*producer, *consumer) {
                        Some((_, Mismatch::Breaks(part, witness))) => !part.goes_back() && !witness.is_repeated(),
                        _ => true,
                    };
                    match other_age {
                        Age::Next => format!("{what} and {other} don't fit: only one of the two can be deployed"),
                        Age::Now if !straight => {
                            format!(
                                "{what} has to wait: {other} doesn't fit it; deploy a version of it that fits first"
                            )
                        }
                        Age::Now if it.producer == *service => {
                            format!(
                                "{what} has to wait: {other} would refuse its messages; deploy a version that accepts \
                                 them first"
                            )
                        }
                        Age::Now => {
                            format!(
                                "{what} has to wait: it would refuse messages of {other}; deploy a version that \
                                 doesn't send them first"
                            )
                        }
                        Age::Past => format!("{what} can't be deployed while {other} is in the field"),
                    }
                };
                self.line(format_args!("\n  {why}"));
                self.because(*edge, *producer, *consumer, "    ");
            }
            Blocked::Cycle(cycle) => {
                self.line(format_args!(
                    "\n  {}",
                    paint(BAD, "These services wait for each other, so none of them can be deployed first:")
                ));
                for Wait { service, waits_for, edge, producer, consumer } in cycle {
                    let (service, other) = (self.aged(*service, Age::Next), self.aged(*waits_for, Age::Next));
                    self.line(format_args!("\n    {service} waits for {other}:"));
                    self.because(*edge, *producer, *consumer, "      ");
                }
                match split() {
                    Some(split) => self.split(split),
                    None => self.line(
                        "\n    Releasing a service in two steps doesn't help, since a single contract is the cause: \
                         add a new event beside the old one, listen to both, then emit the new one, then remove the \
                         old one.",
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

    pub(super) fn split(&mut self, split: &Split) {
        let units: Vec<String> = split.first.iter().map(unit).collect();
        let name = paint(NAME, tame(&self.report.fleet.members[split.service].name)).to_string();
        let first = and(&units);
        self.line(format_args!("\n    Release {name} twice, the first time with only the change of {first}:"));
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

    /// Returns whether each service can be rolled back, and which services lose that possibility.
    pub(super) fn ways_back(&self, deployment: &Deployment) -> Vec<WayBack> {
        let mut ways = Vec::new();
        for Rollback { service, at_once, later } in &deployment.rollbacks {
            let member = &self.report.fleet.members[*service];
            let Some(now) = &member.now else { continue };
            let (new, old) = (self.aged(*service, Age::Next), self.aged(*service, Age::Now));
            let question = paint(HEAD, format!("Can {new} be rolled back to {}?", tame(&now.name)));
            let (wait, answer) = match (at_once.first(), later.first()) {
                _ if member.field => (None, paint(BAD, "No: its old versions stay in use.".to_owned())),
                (None, None) => (None, paint(GOOD, "Yes, at any time.".to_owned())),
                (None, Some(wait)) => {
                    let others: Vec<String> = later.iter().map(|it| self.aged(it.waits_for, Age::Next)).collect();
                    let others = and(&once(others));
                    let until =
                        format!("Yes, until {others} is deployed; after that, {others} has to be rolled back first.");
                    (Some(wait), paint(UNSURE, until))
                }
                (Some(wait), _) => {
                    (Some(wait), paint(BAD, format!("No: {old} may receive messages of {new} that it refuses.")))
                }
            };
            let obstacle = wait.map(|wait| (wait.edge, wait.producer, wait.consumer));
            ways.push(WayBack { text: format!("{question} {answer}"), obstacle });
        }
        for taken in &deployment.takes_away {
            let (service, new) = (self.named(taken.service, &taken.version), self.aged(taken.because_of, Age::Next));
            let edge = &self.report.edges[taken.edge];
            let ages = if edge.producer == taken.service { (Age::Past, Age::Next) } else { (Age::Next, Age::Past) };
            let text = paint(UNSURE, format!("Once {new} is deployed, {service} can't be deployed again:")).to_string();
            ways.push(WayBack { text, obstacle: Some((taken.edge, ages.0, ages.1)) });
        }
        ways
    }
}

/// Whether a service can be rolled back, in one line, and the edge that prevents it.
pub(super) struct WayBack {
    pub(super) text: String,
    obstacle: Option<(EdgeId, Age, Age)>,
}

/// Returns the versions of a service for the rows or columns of a table, oldest first.
fn ages(member: &Member, with_past: bool) -> Vec<(Age, &str)> {
    let past = member.past.first().filter(|_| with_past).map(|it| (Age::Past, &*it.name));
    let now = member.now.as_ref().map(|it| (Age::Now, &*it.name));
    let next = member.next.as_ref().map(|it| (Age::Next, &*it.name));
    past.into_iter().chain(now).chain(next).collect()
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
