//! The report of a fleet, before it is formatted.

use std::collections::BTreeSet;

use super::model::{Edge, Fleet, Judge, PairVerdict, Unmatched};
use super::plan::{self, Age, Blocked, EdgeId, Plan, ServiceId, Step, Wait};
use super::split::{self, Split};

/// The report of a fleet.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) fleet: Fleet,
    pub(crate) edges: Vec<Edge>,
    pub(crate) loose: Vec<Unmatched>,
    /// The deployment, if there are candidates.
    pub(crate) deployment: Option<Deployment>,
}

/// The result for a fleet or a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outlook {
    /// Everything fits.
    Fine,
    /// Everything fits if the undecided pairs do.
    Undecided,
    /// A queue has to be drained first.
    Drains,
    /// Something breaks.
    Breaks,
}

/// The report of a deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) plan: Plan,
    /// Whether the plan counts undecided pairs as fitting.
    pub(crate) trusts: bool,
    /// The split of each of the plan's cycles, in the plan's order; `None` if a cycle can't be split.
    pub(crate) splits: Vec<Option<Split>>,
    pub(crate) rollbacks: Vec<Rollback>,
    /// The services that can't be rolled back because of this deployment.
    pub(crate) takes_away: Vec<TakesAway>,
}

/// Whether a service can be rolled back.
#[derive(Debug, PartialEq)]
pub(crate) struct Rollback {
    pub(crate) service: ServiceId,
    /// The obstacles to a rollback right after the service's own deployment.
    pub(crate) at_once: Vec<Wait>,
    /// The obstacles to a rollback once everything is deployed.
    pub(crate) later: Vec<Wait>,
}

/// A service that can't be rolled back because of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TakesAway {
    pub(crate) service: ServiceId,
    pub(crate) version: String,
    pub(crate) because_of: ServiceId,
    pub(crate) edge: EdgeId,
}

impl Report {
    pub(crate) fn new(fleet: Fleet, judge: &mut impl Judge) -> Self {
        let edges = fleet.edges(judge);
        let loose = fleet.loose();
        let moves = fleet.members.iter().any(|it| it.next.is_some());
        let deployment = moves.then(|| Deployment::new(&fleet, &edges, judge));
        Self { fleet, edges, loose, deployment }
    }

    /// Returns the result for the deployed versions on an edge: the running versions, and the events in its queue.
    pub(crate) fn standing(&self, edge: &Edge) -> Outlook {
        let queued = if edge.is_drained() { PairVerdict::Apart } else { edge.verdict(Age::Past, Age::Now) };
        let field = |id: ServiceId| self.fleet.members[id].field;
        let old = if field(edge.consumer) { edge.verdict(Age::Now, Age::Past) } else { PairVerdict::Apart };
        let running = edge.verdict(Age::Now, Age::Now).max(old);
        let running = if field(edge.producer) { running.max(edge.verdict(Age::Past, Age::Now)) } else { running };
        match (running, queued) {
            (PairVerdict::Breaks, _) => Outlook::Breaks,
            (_, PairVerdict::Breaks) => Outlook::Drains,
            (PairVerdict::Undecided, _) | (_, PairVerdict::Undecided) => Outlook::Undecided,
            _ => Outlook::Fine,
        }
    }

    /// Returns whether a service calls a method that no service serves.
    fn unserved(&self) -> bool {
        self.loose.iter().any(|it| matches!(it, Unmatched::Unserved { .. }))
    }

    /// Returns the overall result: of the deployment if there is one, else of the deployed versions.
    pub(crate) fn outlook(&self) -> Outlook {
        match &self.deployment {
            Some(deployment) => {
                let unserved = self.loose.iter().any(|it| match it {
                    Unmatched::Unserved { service, .. } => self.fleet.members[*service].next.is_some(),
                    _ => false,
                });
                if unserved { Outlook::Breaks } else { deployment.outlook() }
            }
            None if self.unserved() => Outlook::Breaks,
            None => self.edges.iter().map(|edge| self.standing(edge)).max().unwrap_or(Outlook::Fine),
        }
    }
}

impl Deployment {
    fn new(fleet: &Fleet, edges: &[Edge], judge: &mut impl Judge) -> Self {
        let strict = plan::plan(&fleet.task(edges, false));
        let trusting = plan::plan(&fleet.task(edges, true));
        // show an order that relies on undecided pairs only if no other exists
        let trusts = !strict.stuck.is_empty() && trusting.stuck.is_empty();
        let plan = if trusts { trusting } else { strict };
        let task = fleet.task(edges, trusts);
        let cycles = plan.stuck.iter().filter_map(|it| if let Blocked::Cycle(cycle) = it { Some(cycle) } else { None });
        let splits = cycles.map(|cycle| split::split(fleet, edges, cycle, judge)).collect();
        let order: Vec<ServiceId> = deployed(&plan).collect();
        let all: BTreeSet<ServiceId> = order.iter().copied().collect();
        let rollback = |(i, service): (usize, &ServiceId)| Rollback {
            service: *service,
            at_once: plan::rollback(&task, *service, &order[..=i].iter().copied().collect()),
            later: plan::rollback(&task, *service, &all),
        };
        let rollbacks = order.iter().enumerate().map(rollback).collect();
        Self { plan, trusts, splits, rollbacks, takes_away: takes_away(fleet, edges, &all) }
    }

    pub(crate) fn outlook(&self) -> Outlook {
        if !self.plan.stuck.is_empty() {
            Outlook::Breaks
        } else if matches!(self.plan.steps.first(), Some(Step::Drain(_))) {
            Outlook::Drains
        } else if self.trusts {
            Outlook::Undecided
        } else {
            Outlook::Fine
        }
    }
}

/// Returns the services that a plan deploys, in its order.
pub(crate) fn deployed(plan: &Plan) -> impl Iterator<Item = ServiceId> {
    plan.steps.iter().filter_map(|step| match step {
        Step::Deploy { service, .. } => Some(*service),
        Step::Drain(_) => None,
    })
}

fn takes_away(fleet: &Fleet, edges: &[Edge], deployed: &BTreeSet<ServiceId>) -> Vec<TakesAway> {
    let mut found = BTreeSet::new();
    let stays = |id: ServiceId| fleet.members[id].next.is_none() && !fleet.members[id].field;
    for (id, edge) in edges.iter().enumerate() {
        let (p, c) = (edge.producer, edge.consumer);
        for (new, old) in [(p, c), (c, p)] {
            let Some(past) = fleet.members[old].past.first().filter(|_| deployed.contains(&new) && stays(old)) else {
                continue;
            };
            let breaks = |age| {
                let mut cells = edge.cells.iter().filter(|cell| {
                    let (moved, kept) =
                        if old == c { (&cell.producer, &cell.consumer) } else { (&cell.consumer, &cell.producer) };
                    moved.0 == age && *kept == (Age::Past, past.name.clone())
                });
                cells.any(|cell| cell.verdict() == PairVerdict::Breaks)
            };
            if breaks(Age::Next) && !breaks(Age::Now) {
                found.insert(TakesAway { service: old, version: past.name.clone(), because_of: new, edge: id });
            }
        }
    }
    found.into_iter().collect()
}
