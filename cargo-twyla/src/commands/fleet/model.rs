//! The services of one environment with their versions, and the edges between them: which versions may meet, and whether
//! they fit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use twyla_build::compare::{Verdict, Why, Witness};

use super::plan::{self, AGES, Age, Cells, ServiceId, Task};
use crate::commands::manifest::model::Version;

/// A service with its versions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// The manifest of the service's newest version.
    pub(crate) path: PathBuf,
    /// Whether old versions keep running.
    pub(crate) field: bool,
    /// The versions before the deployed one, newest first.
    pub(crate) past: Vec<Version>,
    /// The deployed version; `None` for a new service.
    pub(crate) now: Option<Version>,
    /// The version to deploy.
    pub(crate) next: Option<Version>,
}

impl Member {
    /// Returns the versions of an age.
    pub(crate) fn of(&self, age: Age) -> &[Version] {
        match age {
            Age::Past => &self.past,
            Age::Now => self.now.as_slice(),
            Age::Next => self.next.as_slice(),
        }
    }

    fn versions(&self) -> impl Iterator<Item = (Age, &Version)> {
        AGES.into_iter().flat_map(|age| self.of(age).iter().map(move |version| (age, version)))
    }
}

/// The services of an environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) environment: Option<String>,
    pub(crate) members: Vec<Member>,
    /// The queues that the user declares drained (`--drained`).
    pub(crate) drained: Drained,
}

/// The drained queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drained {
    pub(crate) all: bool,
    /// `api.user_input.bot`
    pub(crate) queues: BTreeSet<String>,
}

/// The subject of an edge: the event or the method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    Event { event: String, group: String },
    Method(String),
}

impl Subject {
    /// Returns the name of the event or the method.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Event { event, .. } => event,
            Self::Method(name) => name,
        }
    }

    /// Returns the queue of an event.
    pub(crate) fn queue(&self) -> Option<String> {
        match self {
            Self::Event { event, group } => Some(format!("{event}.{group}")),
            Self::Method(_) => None,
        }
    }
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Content,
    Context,
    Request,
    Response,
    Error,
}

impl Part {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Context => "context",
            Self::Request => "request",
            Self::Response => "response",
            Self::Error => "error",
        }
    }

    /// Returns whether the part goes from the consumer to the producer: the response or the error of a server.
    pub(crate) fn goes_back(self) -> bool {
        matches!(self, Self::Response | Self::Error)
    }
}

/// The events or calls from one service to another: events through a group's queue, or calls to a method.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) producer: ServiceId,
    pub(crate) consumer: ServiceId,
    pub(crate) subject: Subject,
    /// The pairs of versions in which both sides use the subject.
    pub(crate) cells: Vec<Cell>,
    /// Whether the user declares that the edge's queue has no events of old versions.
    drained: bool,
}

/// A pair of versions: one of the producer, and one of the consumer.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) producer: (Age, String),
    pub(crate) consumer: (Age, String),
    /// The mismatches; empty if the pair fits.
    pub(crate) wrong: Vec<Mismatch>,
}

/// Returns what the receiver of a witness does with it, as the verb of a message.
pub(super) fn refuses(witness: &Witness) -> &'static str {
    if witness.is_repeated() { "doesn't allow it to be sent again" } else { "refuses it" }
}

/// A mismatch of a pair.
#[derive(Clone, Debug)]
pub(crate) enum Mismatch {
    Breaks(Part, Rc<Witness>),
    Undecided(Part, Rc<Why>),
    /// The method is called, but not served.
    NotServed,
}

impl Mismatch {
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided(..))
    }
}

/// The verdict on one pair or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PairVerdict {
    /// One of the two versions doesn't use the subject.
    Apart,
    Fits,
    Undecided,
    Breaks,
}

impl Cell {
    pub(crate) fn verdict(&self) -> PairVerdict {
        if self.wrong.is_empty() {
            PairVerdict::Fits
        } else if self.wrong.iter().all(Mismatch::is_undecided) {
            PairVerdict::Undecided
        } else {
            PairVerdict::Breaks
        }
    }
}

impl Edge {
    /// Returns the pairs of versions with these ages.
    pub(crate) fn of(&self, producer: Age, consumer: Age) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| cell.producer.0 == producer && cell.consumer.0 == consumer)
    }

    /// Returns the worst verdict on the pairs of versions with these ages.
    pub(crate) fn verdict(&self, producer: Age, consumer: Age) -> PairVerdict {
        self.of(producer, consumer).map(Cell::verdict).max().unwrap_or(PairVerdict::Apart)
    }

    /// Returns the first mismatch of versions with these ages; an undecided one only if none is certain.
    pub(crate) fn wrong(&self, producer: Age, consumer: Age) -> Option<(&Cell, &Mismatch)> {
        let wrong = || self.of(producer, consumer).flat_map(|cell| cell.wrong.iter().map(move |wrong| (cell, wrong)));
        wrong().find(|(_, wrong)| !wrong.is_undecided()).or_else(|| wrong().next())
    }

    /// Returns the verdicts for the planner; `undecided_fits`: whether undecided pairs count as fitting.
    fn cells(&self, undecided_fits: bool) -> Cells {
        let most = if undecided_fits { PairVerdict::Undecided } else { PairVerdict::Fits };
        Cells::new(|producer, consumer| {
            let gone = producer == Age::Past && self.drained;
            gone || self.verdict(producer, consumer) <= most
        })
    }

    /// Returns whether the user declares that the edge's queue has no events of old versions.
    pub(crate) fn is_drained(&self) -> bool {
        self.drained
    }
}

/// Decides whether a consumer's schema accepts everything that a producer's schema allows. The schemas are named by their
/// digests.
pub(crate) trait Judge {
    fn judge(&mut self, producer: &str, consumer: &str) -> Rc<Verdict>;
}

impl Fleet {
    /// Returns every edge, with a verdict on each pair of versions.
    pub(crate) fn edges(&self, judge: &mut impl Judge) -> Vec<Edge> {
        let mut edges = Vec::new();
        for ((producer, consumer), subjects) in self.meetings() {
            for subject in subjects {
                let (from, to) = (&self.members[producer], &self.members[consumer]);
                let cells = match &subject {
                    Subject::Event { event, group } => event_cells(from, to, event, group, judge),
                    Subject::Method(method) => method_cells(from, to, method, judge),
                };
                // old versions in the field keep sending, so their queues are never drained
                let queue = subject.queue().filter(|_| !from.field);
                let drained = queue.is_some_and(|queue| self.drained.all || self.drained.queues.contains(&queue));
                edges.push(Edge { producer, consumer, subject, cells, drained });
            }
        }
        edges.sort_by(|a, b| (&a.subject, a.producer, a.consumer).cmp(&(&b.subject, b.producer, b.consumer)));
        edges
    }

    /// Returns the pairs of services that exchange events or calls, with their subjects.
    fn meetings(&self) -> BTreeMap<(ServiceId, ServiceId), BTreeSet<Subject>> {
        let mut emitters: BTreeMap<&str, BTreeSet<ServiceId>> = BTreeMap::new();
        let mut callers: BTreeMap<&str, BTreeSet<ServiceId>> = BTreeMap::new();
        for (id, member) in self.members.iter().enumerate() {
            for (_, version) in member.versions() {
                for it in &version.emits {
                    emitters.entry(&it.event).or_default().insert(id);
                }
                for it in &version.calls {
                    callers.entry(&it.method).or_default().insert(id);
                }
            }
        }
        let mut meetings: BTreeMap<_, BTreeSet<Subject>> = BTreeMap::new();
        for (id, member) in self.members.iter().enumerate() {
            for (_, version) in member.versions() {
                for it in &version.listens {
                    for emitter in emitters.get(&*it.event).into_iter().flatten() {
                        let subject = Subject::Event { event: it.event.clone(), group: it.group.clone() };
                        meetings.entry((*emitter, id)).or_default().insert(subject);
                    }
                }
                for it in &version.serves {
                    for caller in callers.get(&*it.method).into_iter().flatten() {
                        meetings.entry((*caller, id)).or_default().insert(Subject::Method(it.method.clone()));
                    }
                }
            }
        }
        meetings
    }

    /// Returns the input of the planner.
    pub(crate) fn task(&self, edges: &[Edge], undecided_fits: bool) -> Task {
        let service = |member: &Member| plan::Service { moves: member.next.is_some(), field: member.field };
        let edge = |edge: &Edge| plan::Edge {
            producer: edge.producer,
            consumer: edge.consumer,
            queued: matches!(edge.subject, Subject::Event { .. }),
            cells: edge.cells(undecided_fits),
        };
        Task { services: self.members.iter().map(service).collect(), edges: edges.iter().map(edge).collect() }
    }

    /// Returns the events, methods and queues of current and new versions that have only one end.
    pub(crate) fn loose(&self) -> Vec<Unmatched> {
        let all = || {
            self.members.iter().enumerate().filter_map(|(id, it)| it.next.as_ref().or(it.now.as_ref()).map(|v| (id, v)))
        };
        let heard: BTreeSet<&str> = all().flat_map(|(_, it)| &it.listens).map(|it| &*it.event).collect();
        let said: BTreeSet<&str> = all().flat_map(|(_, it)| &it.emits).map(|it| &*it.event).collect();
        let served: BTreeSet<&str> = all().flat_map(|(_, it)| &it.serves).map(|it| &*it.method).collect();
        let called: BTreeSet<&str> = all().flat_map(|(_, it)| &it.calls).map(|it| &*it.method).collect();
        let mut loose = BTreeSet::new();
        for (service, version) in all() {
            let unheard = version.emits.iter().filter(|it| !heard.contains(&*it.event));
            loose.extend(unheard.map(|it| Unmatched::Unheard { event: it.event.clone(), service }));
            let unsaid = version.listens.iter().filter(|it| !said.contains(&*it.event));
            loose.extend(unsaid.map(|it| Unmatched::Unsaid {
                event: it.event.clone(),
                group: it.group.clone(),
                service,
            }));
            let unserved = version.calls.iter().filter(|it| !served.contains(&*it.method));
            loose.extend(unserved.map(|it| Unmatched::Unserved { method: it.method.clone(), service }));
            let uncalled = version.serves.iter().filter(|it| !called.contains(&*it.method));
            loose.extend(uncalled.map(|it| Unmatched::Uncalled { method: it.method.clone(), service }));
            // a group that the next version drops leaves its queue behind
            let old = self.members[service].now.iter().filter(|_| self.members[service].next.is_some());
            for it in old.flat_map(|old| &old.listens) {
                if !version.listens.iter().any(|other| (&other.event, &other.group) == (&it.event, &it.group)) {
                    loose.insert(Unmatched::Left { event: it.event.clone(), group: it.group.clone(), service });
                }
            }
        }
        loose.into_iter().collect()
    }
}

/// An event, method or queue with only one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unmatched {
    /// The event is emitted, but no service listens to it.
    Unheard { event: String, service: ServiceId },
    /// The event is listened to, but no service emits it.
    Unsaid { event: String, group: String, service: ServiceId },
    /// The method is called, but no service serves it: each call fails.
    Unserved { method: String, service: ServiceId },
    /// The method is served, but no service calls it.
    Uncalled { method: String, service: ServiceId },
    /// The next version no longer listens, and the queue stays.
    Left { event: String, group: String, service: ServiceId },
}

/// Compares the sender's schema with the receiver's schema; returns `None` if they fit.
fn mismatch(part: Part, producer: &str, consumer: &str, judge: &mut impl Judge) -> Option<Mismatch> {
    match &*judge.judge(producer, consumer) {
        Verdict::Fits => None,
        Verdict::Breaks(witness) => Some(Mismatch::Breaks(part, Rc::new((**witness).clone()))),
        Verdict::Undecided(why) => Some(Mismatch::Undecided(part, Rc::new(why.clone()))),
    }
}

fn event_cells(from: &Member, to: &Member, event: &str, group: &str, judge: &mut impl Judge) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (sent, producer) in from.versions() {
        let emits: Vec<_> = producer.emits.iter().filter(|it| it.event == event).collect();
        for (taken, consumer) in to.versions() {
            let listens: Vec<_> = consumer.listens.iter().filter(|it| it.event == event && it.group == group).collect();
            if emits.is_empty() || listens.is_empty() {
                continue;
            }
            let mut wrong = Vec::new();
            for (emits, listens) in emits.iter().flat_map(|emits| listens.iter().map(move |it| (emits, it))) {
                wrong.extend(mismatch(Part::Content, &emits.content, &listens.content, judge));
                wrong.extend(mismatch(Part::Context, &emits.context, &listens.context, judge));
            }
            cells.push(Cell {
                producer: (sent, producer.name.clone()),
                consumer: (taken, consumer.name.clone()),
                wrong,
            });
        }
    }
    cells
}

fn method_cells(from: &Member, to: &Member, method: &str, judge: &mut impl Judge) -> Vec<Cell> {
    let mut cells = Vec::new();
    // a service that isn't deployed yet serves nothing
    let absent = Version { name: "not deployed".to_owned(), ..Version::default() };
    let servers = || to.versions().chain(to.now.is_none().then_some((Age::Now, &absent)));
    for (asked, caller) in from.versions() {
        let calls: Vec<_> = caller.calls.iter().filter(|it| it.method == method).collect();
        for (answered, server) in servers() {
            if calls.is_empty() {
                continue;
            }
            let serves: Vec<_> = server.serves.iter().filter(|it| it.method == method).collect();
            let mut wrong = Vec::new();
            if serves.is_empty() {
                wrong.push(Mismatch::NotServed);
            }
            for (call, serve) in calls.iter().flat_map(|call| serves.iter().map(move |it| (call, it))) {
                wrong.extend(mismatch(Part::Request, &call.request, &serve.request, judge));
                wrong.extend(mismatch(Part::Context, &call.context, &serve.context, judge));
                wrong.extend(mismatch(Part::Response, &serve.response, &call.response, judge));
                // if only the server declares an error, the caller handles it like a fault of the server, which it must
                // expect anyway
                if let (Some(sent), Some(taken)) = (&serve.error, &call.error) {
                    wrong.extend(mismatch(Part::Error, sent, taken, judge));
                }
            }
            cells.push(Cell {
                producer: (asked, caller.name.clone()),
                consumer: (answered, server.name.clone()),
                wrong,
            });
        }
    }
    cells
}
