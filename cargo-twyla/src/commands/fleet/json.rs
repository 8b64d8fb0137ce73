//! Formats a report as JSON.

use serde_json::{Value, json};

use super::model::{Cell, Edge, Mismatch, PairVerdict, Subject, Unmatched};
use super::plan::{Age, Blocked, ServiceId, Step, Wait};
use super::report::{Deployment, Outlook, Report};
use super::split::{SplitStep, Unit};

/// Returns a report as JSON.
pub(crate) fn json(report: &Report) -> Value {
    let fleet = &report.fleet;
    let name = |id: ServiceId| &*fleet.members[id].name;
    let services = fleet.members.iter().map(|it| {
        let previous: Vec<&str> = it.past.iter().map(|it| &*it.name).collect();
        json!({
            "service": it.name,
            "deployed": it.now.as_ref().map(|it| &it.name),
            "candidate": it.next.as_ref().map(|it| &it.name),
            "previous": previous,
            "in_the_field": it.field,
        })
    });
    let edges = report.edges.iter().map(|edge| {
        json!({
            "subject": subject(&edge.subject),
            "producer": name(edge.producer),
            "consumer": name(edge.consumer),
            "deployed": outlook(report.standing(edge)),
            "drained": edge.is_drained(),
            "cells": edge.cells.iter().map(cell).collect::<Vec<_>>(),
        })
    });
    let loose = report.loose.iter().map(|it| match it {
        Unmatched::Unheard { event, service } => {
            json!({ "what": "unheard", "event": event, "service": name(*service) })
        }
        Unmatched::Unsaid { event, group, service } => {
            json!({ "what": "unsaid", "event": event, "group": group, "service": name(*service) })
        }
        Unmatched::Unserved { method, service } => {
            json!({ "what": "unserved", "method": method, "service": name(*service) })
        }
        Unmatched::Uncalled { method, service } => {
            json!({ "what": "uncalled", "method": method, "service": name(*service) })
        }
        Unmatched::Left { event, group, service } => {
            json!({ "what": "left", "event": event, "group": group, "service": name(*service) })
        }
    });
    json!({
        "environment": fleet.environment,
        "outlook": outlook(report.outlook()),
        "services": services.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "loose": loose.collect::<Vec<_>>(),
        "deployment": report.deployment.as_ref().map(|it| deployment(report, it)),
    })
}

fn outlook(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::Fine => "fine",
        Outlook::Undecided => "undecided",
        Outlook::Drains => "waits",
        Outlook::Breaks => "breaks",
    }
}

fn age(age: Age) -> &'static str {
    match age {
        Age::Past => "previous",
        Age::Now => "deployed",
        Age::Next => "candidate",
    }
}

fn subject(subject: &Subject) -> Value {
    match subject {
        Subject::Event { event, group } => json!({ "event": event, "group": group }),
        Subject::Method(method) => json!({ "method": method }),
    }
}

fn cell(cell: &Cell) -> Value {
    let version = |(when, version): &(Age, String)| json!({ "version": version, "is": age(*when) });
    let verdict = match cell.verdict() {
        PairVerdict::Apart | PairVerdict::Fits => "fits",
        PairVerdict::Undecided => "undecided",
        PairVerdict::Breaks => "breaks",
    };
    let wrong = cell.wrong.iter().map(|wrong| match wrong {
        Mismatch::NotServed => json!({ "what": "not served" }),
        Mismatch::Breaks(part, witness) => json!({
            "what": "breaks",
            "part": part.word(),
            "value": witness.event,
            "pointer": witness.pointer,
            "keyword": witness.keyword,
            "schema": witness.path.to_string(),
            "rule": witness.rule,
        }),
        Mismatch::Undecided(part, why) => json!({
            "what": "undecided",
            "part": part.word(),
            "keyword": why.keyword,
            "schema": why.path.to_string(),
            "reason": why.reason,
        }),
    });
    json!({
        "producer": version(&cell.producer),
        "consumer": version(&cell.consumer),
        "came": verdict,
        "wrong": wrong.collect::<Vec<_>>(),
    })
}

fn deployment(report: &Report, deployment: &Deployment) -> Value {
    let name = |id: ServiceId| &*report.fleet.members[id].name;
    let edge = |edge: &Edge| json!({ "subject": subject(&edge.subject), "producer": name(edge.producer), "consumer": name(edge.consumer) });
    let wait = |it: &Wait| {
        json!({
            "service": name(it.service),
            "waits_for": name(it.waits_for),
            "edge": edge(&report.edges[it.edge]),
            "producer": age(it.producer),
            "consumer": age(it.consumer),
        })
    };
    let steps = deployment.plan.steps.iter().map(|step| match step {
        Step::Drain(id) => {
            json!({ "drain": report.edges[*id].subject.queue(), "of": name(report.edges[*id].producer) })
        }
        Step::Deploy { service, stop } => json!({ "deploy": name(*service), "stop_first": stop }),
    });
    let mut splits = deployment.splits.iter();
    let stuck = deployment.plan.stuck.iter().map(|it| match it {
        Blocked::Meet { service, edge: id, producer, consumer } => json!({
            "what": "meets",
            "service": name(*service),
            "edge": edge(&report.edges[*id]),
            "producer": age(*producer),
            "consumer": age(*consumer),
        }),
        Blocked::Cycle(cycle) => {
            let split = splits.next().and_then(Option::as_ref).map(|split| {
                let units = split.first.iter().map(|unit| match unit {
                    Unit::Context => "context",
                    Unit::Contract(name) => name,
                });
                let steps = split.steps.iter().map(|step| match step {
                    SplitStep::Drain { subject, producer } => {
                        json!({ "drain": subject.queue(), "of": name(*producer) })
                    }
                    SplitStep::Deploy { service, stop } => json!({ "deploy": name(*service), "stop_first": stop }),
                    SplitStep::DeployFirst { stop } => {
                        json!({ "deploy_first_part": name(split.service), "stop_first": stop })
                    }
                });
                json!({
                    "service": name(split.service),
                    "first": units.collect::<Vec<_>>(),
                    "steps": steps.collect::<Vec<_>>(),
                })
            });
            json!({ "what": "cycle", "waits": cycle.iter().map(wait).collect::<Vec<_>>(), "split": split })
        }
        Blocked::Behind(it) => json!({ "what": "behind", "wait": wait(it) }),
    });
    let stuck: Vec<Value> = stuck.collect();
    let rollbacks = deployment.rollbacks.iter().map(|it| {
        json!({
            "service": name(it.service),
            "at_once": it.at_once.iter().map(wait).collect::<Vec<_>>(),
            "later": it.later.iter().map(wait).collect::<Vec<_>>(),
        })
    });
    let takes_away = deployment.takes_away.iter().map(|it| {
        json!({
            "service": name(it.service),
            "version": it.version,
            "because_of": name(it.because_of),
            "edge": edge(&report.edges[it.edge]),
        })
    });
    json!({
        "outlook": outlook(deployment.outlook()),
        "steps": steps.collect::<Vec<_>>(),
        "trusts_what_is_undecided": deployment.trusts,
        "stuck": stuck,
        "rollbacks": rollbacks.collect::<Vec<_>>(),
        "takes_away": takes_away.collect::<Vec<_>>(),
    })
}
