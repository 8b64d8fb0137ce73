//! Splits a cycle: one of its services is released twice, first with only the change that another waits for.
//!
//! An edge is about one contract. A cycle over several contracts can be split at a service between two of them; a cycle about one
//! contract needs a new event beside the old one. A split is planned like any deployment before it is reported.

use std::collections::BTreeSet;

use super::model::{Edge, Fleet, Judge, Member, Mismatch, Part, Subject};
use super::plan::{self, ServiceId, Step, Wait};
use crate::commands::manifest::model::{Emits, Listens, Rpc, Version};

/// A part of a service that changes by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// The context of all events of the service.
    Context,
    /// An event, or a method.
    Contract(String),
}

/// A split cycle.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Split {
    /// The service that is released twice.
    pub(crate) service: ServiceId,
    /// The changes in the first of the two releases.
    pub(crate) first: BTreeSet<Unit>,
    /// The order, with the first release.
    pub(crate) steps: Vec<SplitStep>,
}

/// A step in the order of a split cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SplitStep {
    /// Wait until the events of old versions are handled.
    Drain { subject: Subject, producer: ServiceId },
    /// Deploy the new version.
    Deploy { service: ServiceId, stop: bool },
    /// Deploy the first release of the split service.
    DeployFirst { stop: bool },
}

/// Returns the first safe split of a cycle.
pub(crate) fn split(fleet: &Fleet, edges: &[Edge], cycle: &[Wait], judge: &mut impl Judge) -> Option<Split> {
    let units = |wait: &Wait| -> BTreeSet<Unit> {
        let edge = &edges[wait.edge];
        let wrong = edge.of(wait.producer, wait.consumer).flat_map(|cell| &cell.wrong);
        wrong.map(|wrong| unit(edge, wrong)).collect()
    };
    for (waits, waited_for) in cycle.iter().map(|wait| (wait, wait.waits_for)) {
        let first = units(waits);
        let own = cycle.iter().filter(|wait| wait.service == waited_for).flat_map(units).collect::<BTreeSet<_>>();
        if !first.is_disjoint(&own) {
            continue;
        }
        if let Some(steps) = released_twice(fleet, cycle, waited_for, &first, judge) {
            return Some(Split { service: waited_for, first, steps });
        }
    }
    None
}

fn unit(edge: &Edge, wrong: &Mismatch) -> Unit {
    match wrong {
        Mismatch::Breaks(Part::Context, _) | Mismatch::Undecided(Part::Context, _) => Unit::Context,
        _ => Unit::Contract(edge.subject.name().to_owned()),
    }
}

/// Returns an order in which one service is released twice; `None` if none exists.
fn released_twice(
    fleet: &Fleet,
    cycle: &[Wait],
    twice: ServiceId,
    first: &BTreeSet<Unit>,
    judge: &mut impl Judge,
) -> Option<Vec<SplitStep>> {
    let of_cycle = |id: ServiceId| cycle.iter().any(|wait| wait.service == id);
    let whole = fleet.members.get(twice)?.next.clone()?;
    let mut fleet = fleet.clone();
    // services outside the cycle keep their deployed versions: the main plan orders them
    for (id, member) in fleet.members.iter_mut().enumerate() {
        if !of_cycle(id) {
            member.next = None;
        }
    }
    let now = fleet.members[twice].now.clone().unwrap_or_default();
    fleet.members[twice].next = Some(blend(&now, &whole, first));
    let mut steps = Vec::new();
    let deployed = go(&fleet, judge, &mut steps, |service, stop| match service == twice {
        true => SplitStep::DeployFirst { stop },
        false => SplitStep::Deploy { service, stop },
    })?;
    for id in deployed {
        moved(&mut fleet.members[id]);
    }
    fleet.members[twice].next = Some(whole);
    go(&fleet, judge, &mut steps, |service, stop| SplitStep::Deploy { service, stop })?;
    Some(steps)
}

/// Plans the deployment of all next versions, and adds its steps. Returns the deployed services; `None` if a service is
/// blocked.
fn go(
    fleet: &Fleet,
    judge: &mut impl Judge,
    steps: &mut Vec<SplitStep>,
    deploy: impl Fn(ServiceId, bool) -> SplitStep,
) -> Option<Vec<ServiceId>> {
    let edges = fleet.edges(judge);
    let plan = plan::plan(&fleet.task(&edges, false));
    if !plan.stuck.is_empty() {
        return None;
    }
    let mut deployed = Vec::new();
    for step in plan.steps {
        steps.push(match step {
            Step::Drain(edge) => {
                SplitStep::Drain { subject: edges[edge].subject.clone(), producer: edges[edge].producer }
            }
            Step::Deploy { service, stop } => {
                deployed.push(service);
                deploy(service, stop)
            }
        });
    }
    Some(deployed)
}

/// Makes the deployed version a past one, and the next version the deployed one.
fn moved(member: &mut Member) {
    if let Some(next) = member.next.take()
        && let Some(now) = member.now.replace(next)
    {
        member.past.insert(0, now);
    }
}

/// Returns a version with the contracts in `units` as in `next`, and all others as in `now`.
pub(crate) fn blend(now: &Version, next: &Version, units: &BTreeSet<Unit>) -> Version {
    let new = |name: &str| units.contains(&Unit::Contract(name.to_owned()));
    let context_of = |version: &Version| {
        let events = version.emits.iter().map(|it| &it.context).chain(version.listens.iter().map(|it| &it.context));
        events.chain(version.serves.iter().chain(&version.calls).map(|it| &it.context)).next().cloned()
    };
    let context = if units.contains(&Unit::Context) { context_of(next) } else { context_of(now) };
    let context = |own: &String| context.clone().unwrap_or_else(|| own.clone());
    let emits = now.emits.iter().filter(|it| !new(&it.event)).chain(next.emits.iter().filter(|it| new(&it.event)));
    let listens =
        now.listens.iter().filter(|it| !new(&it.event)).chain(next.listens.iter().filter(|it| new(&it.event)));
    let rpcs = |now: &[Rpc], next: &[Rpc]| -> Vec<Rpc> {
        let both = now.iter().filter(|it| !new(&it.method)).chain(next.iter().filter(|it| new(&it.method)));
        both.map(|it| Rpc { context: context(&it.context), ..it.clone() }).collect()
    };
    Version {
        name: format!("{} (first part)", next.name),
        emits: emits.map(|it| Emits { context: context(&it.context), ..it.clone() }).collect(),
        listens: listens.map(|it| Listens { context: context(&it.context), ..it.clone() }).collect(),
        serves: rpcs(&now.serves, &next.serves),
        calls: rpcs(&now.calls, &next.calls),
    }
}
