//! Checks orders against a simulation that knows only running versions and queued events, and against all possible orders.

use proptest::prelude::*;

use super::Age::{Next, Now, Past};
use super::*;

/// The running versions of each service, and the versions whose events are queued on each edge.
#[derive(Clone)]
struct World<'a> {
    task: &'a Task,
    running: Vec<BTreeSet<Age>>,
    queued: Vec<BTreeSet<Age>>,
    /// The mismatches before the first step.
    known: BTreeSet<(EdgeId, Age, Age)>,
}

impl<'a> World<'a> {
    fn new(task: &'a Task) -> Self {
        let field = |it: &Service| if it.field { BTreeSet::from([Past, Now]) } else { BTreeSet::from([Now]) };
        let running = task.services.iter().map(field).collect();
        let queued = |edge: &Edge| if edge.queued { BTreeSet::from([Past, Now]) } else { BTreeSet::new() };
        let queued = task.edges.iter().map(queued).collect();
        let mut world = Self { task, running, queued, known: BTreeSet::new() };
        world.known = world.broken();
        world
    }

    /// Returns every pair of versions that meets and doesn't fit.
    fn broken(&self) -> BTreeSet<(EdgeId, Age, Age)> {
        let mut broken = BTreeSet::new();
        for (id, edge) in self.task.edges.iter().enumerate() {
            for sent in self.running[edge.producer].union(&self.queued[id]) {
                let refused = self.running[edge.consumer].iter().filter(|by| !edge.cells.fits(*sent, **by));
                broken.extend(refused.map(|by| (id, *sent, *by)));
            }
        }
        broken
    }

    fn send(&mut self) {
        for (id, edge) in self.task.edges.iter().enumerate().filter(|(_, edge)| edge.queued) {
            self.queued[id].extend(&self.running[edge.producer]);
        }
    }

    fn is_safe(&self) -> bool {
        self.broken().is_subset(&self.known)
    }

    /// Takes a step; returns whether nothing new is refused meanwhile.
    fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Drain(edge) => {
                self.queued[edge] = self.running[self.task.edges[edge].producer].clone();
                true
            }
            Step::Deploy { service, stop } => {
                let mut safe = true;
                if stop {
                    self.running[service].clear();
                } else {
                    self.running[service].insert(Next);
                    self.send();
                    safe = self.is_safe();
                }
                if !self.task.services[service].field {
                    self.running[service].clear();
                }
                self.running[service].insert(Next);
                self.send();
                safe && self.is_safe()
            }
        }
    }
}

fn is_safe(task: &Task, steps: &[Step]) -> bool {
    let mut world = World::new(task);
    steps.iter().all(|step| world.step(*step))
}

/// Returns whether everything can be deployed in some order, with every queue drained whenever it can be.
fn can_be_done(world: &World<'_>, left: &BTreeSet<ServiceId>) -> bool {
    left.is_empty()
        || left.iter().any(|service| {
            let (mut world, mut left) = (world.clone(), left.clone());
            let drains = world.task.edges.iter().enumerate().filter(|(_, edge)| edge.queued);
            for (id, _) in drains {
                world.step(Step::Drain(id));
            }
            left.remove(service);
            let stop = !world.task.services[*service].field;
            world.step(Step::Deploy { service: *service, stop }) && can_be_done(&world, &left)
        })
}

fn cells() -> impl Strategy<Value = Cells> {
    // most pairs fit: otherwise almost no deployment would be possible
    let cell = prop::bool::weighted(0.8);
    prop::array::uniform3(prop::array::uniform3(cell)).prop_map(Cells)
}

fn tasks() -> impl Strategy<Value = Task> {
    let service = (prop::bool::weighted(0.8), prop::bool::weighted(0.15));
    let services = prop::collection::vec(service.prop_map(|(moves, field)| Service { moves, field }), 1..6);
    services.prop_flat_map(|services| {
        let count = services.len();
        let edge = (0..count, 0..count, any::<bool>(), cells());
        let edge = edge.prop_map(|(producer, consumer, queued, cells)| Edge { producer, consumer, queued, cells });
        let edges = prop::collection::vec(edge, 0..9);
        edges.prop_map(move |edges| Task { services: services.clone(), edges })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn an_order_is_safe_at_each_step_and_is_found_where_there_is_one(task in tasks()) {
        let plan = plan(&task);
        prop_assert!(is_safe(&task, &plan.steps), "{plan:?}");
        let moving: BTreeSet<ServiceId> = (0..task.services.len()).filter(|id| task.services[*id].moves).collect();
        prop_assert_eq!(plan.stuck.is_empty(), can_be_done(&World::new(&task), &moving), "{:?}", plan);
        // each service is in the order or stuck, and not in both
        let mut seen = BTreeSet::new();
        let deployed = plan.steps.iter().filter_map(|step| match step {
            Step::Deploy { service, .. } => Some(*service),
            Step::Drain(_) => None,
        });
        for service in deployed {
            prop_assert!(seen.insert(service), "{} twice in {:?}", service, plan);
        }
        for stuck in &plan.stuck {
            seen.extend(match stuck {
                Blocked::Meet { service, .. } => vec![*service],
                Blocked::Cycle(waits) => waits.iter().map(|wait| wait.service).collect(),
                Blocked::Behind(wait) => vec![wait.service],
            });
        }
        prop_assert_eq!(seen, moving);
    }

    #[test]
    fn nothing_is_waited_for_in_vain(task in tasks()) {
        let plan = plan(&task);
        for (i, step) in plan.steps.iter().enumerate() {
            let mut less = plan.steps.clone();
            match *step {
                Step::Drain(_) => {
                    less.remove(i);
                }
                Step::Deploy { service, stop: true } => less[i] = Step::Deploy { service, stop: false },
                Step::Deploy { .. } => continue,
            }
            prop_assert!(!is_safe(&task, &less), "without {step:?} of {plan:?}");
        }
    }

    #[test]
    fn a_cycle_is_one(task in tasks()) {
        for stuck in plan(&task).stuck {
            let waits = match stuck {
                Blocked::Cycle(waits) => {
                    for (wait, next) in waits.iter().zip(waits.iter().cycle().skip(1)) {
                        prop_assert_eq!(wait.waits_for, next.service);
                    }
                    waits
                }
                Blocked::Behind(wait) => vec![wait],
                Blocked::Meet { edge, producer, consumer, .. } => {
                    prop_assert!(!task.edges[edge].cells.fits(producer, consumer));
                    continue;
                }
            };
            for wait in waits {
                let edge = task.edges[wait.edge];
                prop_assert!(!edge.cells.fits(wait.producer, wait.consumer));
                prop_assert!([(edge.producer, edge.consumer), (edge.consumer, edge.producer)]
                    .contains(&(wait.service, wait.waits_for)));
            }
        }
    }

    /// A rollback is safe if and only if `rollback` returns no obstacle.
    #[test]
    fn a_rollback_is_safe(task in tasks()) {
        let plan = plan(&task);
        let mut deployed = BTreeSet::new();
        let mut world = World::new(&task);
        for step in &plan.steps {
            world.step(*step);
            if let Step::Deploy { service, .. } = *step {
                deployed.insert(service);
            }
            for service in deployed.iter().filter(|service| !task.services[**service].field) {
                let mut back = world.clone();
                back.running[*service] = BTreeSet::from([Now]);
                back.send();
                let waits = rollback(&task, *service, &deployed);
                prop_assert_eq!(back.is_safe(), waits.is_empty(), "{} of {:?}: {:?}", service, plan, waits);
            }
        }
    }
}

fn fits(but: &[(Age, Age)]) -> Cells {
    Cells::new(|producer, consumer| !but.contains(&(producer, consumer)))
}

fn moving(count: usize) -> Vec<Service> {
    vec![Service { moves: true, field: false }; count]
}

#[test]
fn the_listener_goes_first_where_the_new_event_is_wider() {
    let edge = Edge { producer: 0, consumer: 1, queued: true, cells: fits(&[(Next, Now)]) };
    let plan = plan(&Task { services: moving(2), edges: vec![edge] });
    let deploy = |service| Step::Deploy { service, stop: false };
    assert_eq!(plan, Plan { steps: vec![deploy(1), deploy(0)], stuck: vec![] });
}

#[test]
fn the_producer_goes_first_and_the_queue_is_drained_where_the_listener_is_narrower() {
    let edge = Edge { producer: 1, consumer: 0, queued: true, cells: fits(&[(Now, Next), (Past, Next)]) };
    let plan = plan(&Task { services: moving(2), edges: vec![edge] });
    let deploy = |service| Step::Deploy { service, stop: false };
    assert_eq!(plan, Plan { steps: vec![deploy(1), Step::Drain(0), deploy(0)], stuck: vec![] });
}

#[test]
fn two_that_wait_for_each_other_are_a_cycle_and_others_go_on() {
    let first = Edge { producer: 0, consumer: 1, queued: true, cells: fits(&[(Next, Now)]) };
    let back = Edge { producer: 1, consumer: 0, queued: true, cells: fits(&[(Next, Now)]) };
    let behind = Edge { producer: 3, consumer: 0, queued: true, cells: fits(&[(Next, Now)]) };
    let plan = plan(&Task { services: moving(4), edges: vec![first, back, behind] });
    assert_eq!(plan.steps, [Step::Deploy { service: 2, stop: false }]);
    let wait = |service, waits_for, edge| Wait { service, waits_for, edge, producer: Next, consumer: Now };
    assert_eq!(plan.stuck, [Blocked::Cycle(vec![wait(0, 1, 0), wait(1, 0, 1)]), Blocked::Behind(wait(3, 0, 2))]);
}
