//! In which order new versions can be deployed, so that at no moment one service sends what another refuses: the pure core,
//! which knows services and edges only by their numbers.
//!
//! A service is deployed a piece at a time, so for a while its old and its new version both run. What a producer has sent
//! stays in queues, so its old version's events count as sent until somebody has seen the queue drained. A service in the
//! field (an app on phones) never stops running its old versions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A service by its number.
pub(crate) type ServiceId = usize;
/// An edge by its number.
pub(crate) type EdgeId = usize;

/// What is to be deployed, and what holds between the services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) services: Vec<Service>,
    pub(crate) edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Whether there is a new version to be deployed.
    pub(crate) moves: bool,
    /// Whether old versions go on running whatever is deployed.
    pub(crate) field: bool,
}

/// What one service sends another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) producer: ServiceId,
    pub(crate) consumer: ServiceId,
    /// Whether it waits in a queue in between: an event does, a call doesn't.
    pub(crate) queued: bool,
    pub(crate) cells: Cells,
}

/// A version of a service, in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Age {
    /// Those before the one that is deployed.
    Past,
    /// The one that is deployed.
    Now,
    /// The one to be deployed.
    Next,
}

pub(crate) const AGES: [Age; 3] = [Age::Past, Age::Now, Age::Next];

/// Whether each version of a consumer takes what each version of its producer sends.
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

/// An order, and what has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) stuck: Vec<Stuck>,
}

/// One step of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Wait until what old versions have sent on this edge is handled.
    Drain(EdgeId),
    /// Deploy the new version.
    Deploy {
        service: ServiceId,
        /// Whether the old one has to be stopped first, as the two can't run side by side.
        stop: bool,
    },
}

/// Why something can't be deployed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stuck {
    /// On this edge something is sent and refused whatever is done: these versions would meet.
    Meet { service: ServiceId, edge: EdgeId, producer: Age, consumer: Age },
    /// Each of these waits for the next, the last for the first.
    Cycle(Vec<Wait>),
    /// It waits for something that is stuck.
    Behind(Wait),
}

/// A service that has to wait for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait {
    pub(crate) service: ServiceId,
    pub(crate) waits_for: ServiceId,
    /// On this edge these would meet otherwise.
    pub(crate) edge: EdgeId,
    pub(crate) producer: Age,
    pub(crate) consumer: Age,
}

/// What the edges demand.
#[derive(Debug, Default)]
struct Demands {
    waits: BTreeSet<Wait>,
    /// To be drained before a service is deployed.
    drains: BTreeMap<ServiceId, BTreeSet<EdgeId>>,
    stops: BTreeSet<ServiceId>,
    meets: BTreeSet<Stuck>,
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
        let meet = |service, producer, consumer| Stuck::Meet { service, edge: id, producer, consumer };
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
                // what it has sent itself is there when it starts; a call is gone when it has stopped
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

/// Finds an order. What isn't stuck is in it, whatever becomes of the rest.
pub(crate) fn plan(task: &Task) -> Plan {
    let demands = Demands::of(task);
    let mut stuck: Vec<Stuck> = demands.meets.iter().cloned().collect();
    let met = |service: &ServiceId| {
        demands.meets.iter().any(|meet| matches!(meet, Stuck::Meet { service: it, .. } if it == service))
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
    // cycles first: who is behind one is told so, and not of a longer way around
    while let Some(cycle) = shortest_cycle(&left, &demands.waits) {
        for wait in &cycle {
            left.remove(&wait.service);
        }
        stuck.push(Stuck::Cycle(cycle));
    }
    for id in left {
        stuck.extend(waits_of(id).find(|wait| !done.contains(&wait.waits_for)).map(|wait| Stuck::Behind(*wait)));
    }
    Plan { steps, stuck }
}

/// The shortest cycle among these services.
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

/// What has to be rolled back before a service can be, once everything in `deployed` has been: with the edges that say so.
/// [`Age::Now`] is what it goes back to.
pub(crate) fn rollback(task: &Task, service: ServiceId, deployed: &BTreeSet<ServiceId>) -> Vec<Wait> {
    use Age::{Next, Now};
    let mut waits = Vec::new();
    for (id, edge) in task.edges.iter().enumerate() {
        let Edge { producer: p, consumer: c, queued, cells } = *edge;
        // what the new version has sent is there when the old one is back
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
