//! What there is to say of a fleet, before it is written in any form.

use std::collections::BTreeSet;

use super::model::{Edge, Fleet, Judge, PairVerdict, Unmatched};
use super::plan::{self, Age, Blocked, EdgeId, Plan, ServiceId, Step, Wait};
use super::split::{self, Split};

/// What there is to say.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) fleet: Fleet,
    pub(crate) edges: Vec<Edge>,
    pub(crate) loose: Vec<Unmatched>,
    /// Of what is to be deployed, where something is.
    pub(crate) deployment: Option<Deployment>,
}

/// How a fleet, or a deployment, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outlook {
    /// Everything fits.
    Fine,
    /// It fits if what is undecided does.
    Undecided,
    /// A queue has to be drained first.
    Waits,
    /// Something breaks.
    Breaks,
}

/// What there is to say of candidates.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) plan: Plan,
    /// Whether the plan takes what is undecided for fitting.
    pub(crate) trusts: bool,
    /// How each of the plan's cycles can be split, in their order.
    pub(crate) splits: Vec<Option<Split>>,
    pub(crate) rollbacks: Vec<Rollback>,
    /// Where this takes away another service's way back.
    pub(crate) takes_away: Vec<TakesAway>,
}

/// Whether a service can be rolled back.
#[derive(Debug, PartialEq)]
pub(crate) struct Rollback {
    pub(crate) service: ServiceId,
    /// What is in the way right after it is deployed.
    pub(crate) at_once: Vec<Wait>,
    /// What is in the way when everything is.
    pub(crate) later: Vec<Wait>,
}

/// A service that can't go back to its version before, because of a candidate.
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

    /// How what is deployed now came out on an edge: what runs, and what is in its queue.
    pub(crate) fn standing(&self, edge: &Edge) -> Outlook {
        let queued = if edge.is_drained() { PairVerdict::Apart } else { edge.came(Age::Past, Age::Now) };
        let field = |id: ServiceId| self.fleet.members[id].field;
        let old = if field(edge.consumer) { edge.came(Age::Now, Age::Past) } else { PairVerdict::Apart };
        let running = edge.came(Age::Now, Age::Now).max(old);
        let running = if field(edge.producer) { running.max(edge.came(Age::Past, Age::Now)) } else { running };
        match (running, queued) {
            (PairVerdict::Breaks, _) => Outlook::Breaks,
            (_, PairVerdict::Breaks) => Outlook::Waits,
            (PairVerdict::Undecided, _) | (_, PairVerdict::Undecided) => Outlook::Undecided,
            _ => Outlook::Fine,
        }
    }

    /// The methods that are called and not there; of these, only those that are so already where nothing is to be deployed.
    fn unserved(&self) -> bool {
        self.loose.iter().any(|it| matches!(it, Unmatched::Unserved { .. }))
    }

    /// How it came out in all: the deployment where there is one, else what is deployed.
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
        // an order that only holds if what is undecided fits is shown where there is no other
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
            Outlook::Waits
        } else if self.trusts {
            Outlook::Undecided
        } else {
            Outlook::Fine
        }
    }
}

/// The services that a plan deploys, in its order.
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
        if deployed.contains(&p) && stays(c) {
            let past = fleet.members[c].past.first();
            let breaks = |age| {
                let mut cells =
                    edge.of(age, Age::Past).filter(|cell| Some(&cell.consumer.1) == past.map(|it| &it.name));
                cells.any(|cell| cell.came() == PairVerdict::Breaks)
            };
            if let Some(past) = past.filter(|_| breaks(Age::Next) && !breaks(Age::Now)) {
                found.insert(TakesAway { service: c, version: past.name.clone(), because_of: p, edge: id });
            }
        }
        if deployed.contains(&c) && stays(p) {
            let past = fleet.members[p].past.first();
            let breaks = |age| {
                let mut cells =
                    edge.of(Age::Past, age).filter(|cell| Some(&cell.producer.1) == past.map(|it| &it.name));
                cells.any(|cell| cell.came() == PairVerdict::Breaks)
            };
            if let Some(past) = past.filter(|_| breaks(Age::Next) && !breaks(Age::Now)) {
                found.insert(TakesAway { service: p, version: past.name.clone(), because_of: c, edge: id });
            }
        }
    }
    found.into_iter().collect()
}
