//! Finds an order of deployment in which no service ever sends what another refuses. This is the pure core: services and edges are
//! numbers.
//!
//! A service is deployed gradually, so its old and its new version run side by side for a while. What a producer has sent
//! stays in queues, so its old version's events count as sent until the queue is drained. A service in the
//! field (an app on phones) never stops running its old versions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A service by its number.
pub(crate) type ServiceId = usize;
/// An edge by its number.
pub(crate) type EdgeId = usize;

/// The versions to deploy, and the edges between the services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) services: Vec<Service>,
    pub(crate) edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Whether the service has a new version to be deployed.
    pub(crate) moves: bool,
    /// Whether old versions keep running after a deployment.
    pub(crate) field: bool,
}

/// An edge of the plan: what one service sends another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) producer: ServiceId,
    pub(crate) consumer: ServiceId,
    /// Whether messages on the edge wait in a queue: events do, calls don't.
    pub(crate) queued: bool,
    pub(crate) cells: Cells,
}

/// The age of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Age {
    /// The version before the deployed one.
    Past,
    /// The deployed version.
    Now,
    /// The version to deploy.
    Next,
}

pub(crate) const AGES: [Age; 3] = [Age::Past, Age::Now, Age::Next];

/// Whether each version of a consumer accepts what each version of its producer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cells([[bool; 3]; 3]);

impl Cells {
    pub(crate) fn new(fits: impl Fn(Age, Age) -> bool) -> Self {
        Self(AGES.map(|producer| AGES.map(|consumer| fits(producer, consumer))))
    }

    pub(crate) fn fits(self, producer: Age, consumer: Age) -> bool {
        self.0[producer as usize][consumer as usize]
    }
}

/// An order of deployment, and the services without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) stuck: Vec<Blocked>,
}

/// One step of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Wait until the events of old versions on this edge are handled.
    Drain(EdgeId),
    /// Deploy the new version.
    Deploy {
        service: ServiceId,
        /// Whether the old version has to be stopped first, because the two can't run side by side.
        stop: bool,
    },
}

/// Why a service can't be deployed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocked {
    /// In any order of deployment, these versions meet on this edge, and one refuses what the other sends.
    Meet { service: ServiceId, edge: EdgeId, producer: Age, consumer: Age },
    /// Each of these services waits for the next, and the last for the first.
    Cycle(Vec<Wait>),
    /// The service waits for a blocked service.
    Behind(Wait),
}

/// A service that has to wait for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait {
    pub(crate) service: ServiceId,
    pub(crate) waits_for: ServiceId,
    /// The edge on which the two would otherwise meet.
    pub(crate) edge: EdgeId,
    pub(crate) producer: Age,
    pub(crate) consumer: Age,
}

/// The constraints that edges put on the order of deployment.
#[derive(Debug, Default)]
struct Demands {
    waits: BTreeSet<Wait>,
    /// The edges to drain before a service is deployed.
    drains: BTreeMap<ServiceId, BTreeSet<EdgeId>>,
    stops: BTreeSet<ServiceId>,
    meets: BTreeSet<Blocked>,
}

impl Demands {
    fn of(task: &Task) -> Self {
        let mut demands = Self::default();
        for (id, edge) in task.edges.iter().enumerate() {
            demands.edge(task, id, *edge);
        }
        demands
    }

    fn edge(&mut self, task: &Task, id: EdgeId, edge: Edge) {
        use Age::{Next, Now, Past};
        let Edge { producer: p, consumer: c, queued, cells } = edge;
        let (producer, consumer) = (task.services[p], task.services[c]);
        let meet = |service, producer, consumer| Blocked::Meet { service, edge: id, producer, consumer };
        let breaks = |producer, consumer| !cells.fits(producer, consumer);
        let wait = |service, waits_for, producer, consumer| Wait { service, waits_for, edge: id, producer, consumer };
        if p == c {
            if !producer.moves {
                return;
            }
            if breaks(Next, Next) {
                self.meets.insert(meet(p, Next, Next));
            }
            if breaks(Next, Now) {
                if producer.field {
                    self.meets.insert(meet(p, Next, Now))
                } else {
                    self.stops.insert(p)
                };
            }
            if breaks(Now, Next) {
                // events of the service's old version are still queued when the new one starts; its calls ended with the old
                // version
                if queued || producer.field {
                    self.meets.insert(meet(p, Now, Next))
                } else {
                    self.stops.insert(p)
                };
            }
            if producer.field {
                for (old, new) in [(Next, Past), (Past, Next)] {
                    if breaks(old, new) {
                        self.meets.insert(meet(p, old, new));
                    }
                }
            } else if queued && breaks(Past, Next) {
                self.drains.entry(p).or_default().insert(id);
            }
            return;
        }
        if producer.moves {
            if breaks(Next, Now) {
                if consumer.moves && !consumer.field {
                    self.waits.insert(wait(p, c, Next, Now));
                } else {
                    self.meets.insert(meet(p, Next, Now));
                }
            }
            if consumer.field && breaks(Next, Past) {
                self.meets.insert(meet(p, Next, Past));
            }
        }
        if consumer.moves {
            if breaks(Now, Next) {
                if producer.moves && !producer.field {
                    self.waits.insert(wait(c, p, Now, Next));
                    if queued {
                        self.drains.entry(c).or_default().insert(id);
                    }
                } else {
                    self.meets.insert(meet(c, Now, Next));
                }
            }
            if breaks(Past, Next) {
                if producer.field {
                    self.meets.insert(meet(c, Past, Next));
                } else if queued {
                    self.drains.entry(c).or_default().insert(id);
                }
            }
        }
        if producer.moves && consumer.moves && breaks(Next, Next) {
            self.meets.insert(meet(p, Next, Next));
            self.meets.insert(meet(c, Next, Next));
        }
    }
}

/// Finds an order of all services that aren't blocked.
pub(crate) fn plan(task: &Task) -> Plan {
    let demands = Demands::of(task);
    let mut stuck: Vec<Blocked> = demands.meets.iter().cloned().collect();
    let met = |service: &ServiceId| {
        demands.meets.iter().any(|meet| matches!(meet, Blocked::Meet { service: it, .. } if it == service))
    };
    let moving: BTreeSet<ServiceId> = (0..task.services.len()).filter(|id| task.services[*id].moves).collect();
    let mut left: BTreeSet<ServiceId> = moving.into_iter().filter(|id| !met(id)).collect();
    let waits_of = |id: ServiceId| demands.waits.iter().filter(move |wait| wait.service == id);

    let mut steps = Vec::new();
    let mut done = BTreeSet::new();
    let ready = |left: &BTreeSet<ServiceId>, done: &BTreeSet<ServiceId>| {
        left.iter().copied().find(|id| waits_of(*id).all(|wait| done.contains(&wait.waits_for)))
    };
    while let Some(id) = ready(&left, &done) {
        steps.extend(demands.drains.get(&id).into_iter().flatten().map(|edge| Step::Drain(*edge)));
        steps.push(Step::Deploy { service: id, stop: demands.stops.contains(&id) });
        left.remove(&id);
        done.insert(id);
    }
    // look for cycles first: a service that waits for a cycle is reported as waiting, and not as part of a longer cycle
    while let Some(cycle) = shortest_cycle(&left, &demands.waits) {
        for wait in &cycle {
            left.remove(&wait.service);
        }
        stuck.push(Blocked::Cycle(cycle));
    }
    for id in left {
        stuck.extend(waits_of(id).find(|wait| !done.contains(&wait.waits_for)).map(|wait| Blocked::Behind(*wait)));
    }
    Plan { steps, stuck }
}

/// Returns the shortest cycle among these services; `None` if they have none.
fn shortest_cycle(left: &BTreeSet<ServiceId>, waits: &BTreeSet<Wait>) -> Option<Vec<Wait>> {
    let within = |wait: &&Wait| left.contains(&wait.waits_for);
    let cycle_of = |start: ServiceId| {
        let mut reached: BTreeMap<ServiceId, Wait> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(id) = open.pop_front() {
            for wait in waits.iter().filter(|wait| wait.service == id).filter(within) {
                if reached.contains_key(&wait.waits_for) {
                    continue;
                }
                reached.insert(wait.waits_for, *wait);
                if wait.waits_for == start {
                    let mut cycle = vec![*wait];
                    while let Some(first) = cycle.last().filter(|first| first.service != start) {
                        let before = *reached.get(&first.service)?;
                        cycle.push(before);
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                open.push_back(wait.waits_for);
            }
        }
        None
    };
    left.iter().filter_map(|start| cycle_of(*start)).min_by_key(Vec::len)
}

/// Returns the services of `deployed` that must be rolled back before `service` can go back to [`Age::Now`], each with the
/// edge that demands it.
pub(crate) fn rollback(task: &Task, service: ServiceId, deployed: &BTreeSet<ServiceId>) -> Vec<Wait> {
    use Age::{Next, Now};
    let mut waits = Vec::new();
    for (id, edge) in task.edges.iter().enumerate() {
        let Edge { producer: p, consumer: c, queued, cells } = *edge;
        // events of the new version are still queued after the rollback to the old one
        if c == service && deployed.contains(&p) && (queued || p != c) && !cells.fits(Next, Now) {
            waits.push(Wait { service, waits_for: p, edge: id, producer: Next, consumer: Now });
        } else if p == service && c != service && deployed.contains(&c) && !cells.fits(Now, Next) {
            waits.push(Wait { service, waits_for: c, edge: id, producer: Now, consumer: Next });
        }
    }
    waits
}

#[cfg(test)]
mod tests;
