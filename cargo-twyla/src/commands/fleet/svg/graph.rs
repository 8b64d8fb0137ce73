//! The content of a fleet's picture: boxes for services, events and methods, arrows between them, and notes on mismatches.

use std::collections::BTreeMap;

use crate::commands::fleet::model::{Edge, Mismatch, PairVerdict, Part, Subject, Unmatched, refuses};
use crate::commands::fleet::plan::{Age, Blocked, EdgeId, ServiceId};
use crate::commands::fleet::report::{Outlook, Report, deployed};
use crate::support::paint::tame;

/// The style of a box or an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    Fine,
    /// The subject has only one end: nothing sends it, or nothing receives it.
    Unmatched,
    /// The arrow decides the order of a deployment.
    Ordered,
    Unsure,
    Bad,
}

/// A box.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A service, with its deployed version.
    Service {
        name: String,
        version: String,
        /// The version to deploy.
        next: Option<String>,
        field: bool,
        /// The service's position in the order of deployment, from 1.
        turn: Option<usize>,
        mood: Mood,
    },
    /// An event or a method.
    Subject { name: String, is_method: bool, mood: Mood },
}

/// An arrow between two boxes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The group, if its name isn't the service's.
    pub(super) label: Option<String>,
    pub(super) mood: Mood,
    /// The numbers of the arrow's notes, from 1.
    pub(super) notes: Vec<usize>,
}

/// The content of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
    /// The notes on mismatches, with their severity.
    pub(super) notes: Vec<(Mood, String)>,
}

/// Returns the picture of a report.
pub(super) fn graph(report: &Report) -> Graph {
    let moods: Vec<Mood> = (0..report.edges.len()).map(|id| mood(report, id)).collect();
    let mut notes = Vec::new();
    let mut numbers = BTreeMap::new();
    for (id, edge) in report.edges.iter().enumerate() {
        if moods[id] > Mood::Unmatched
            && let Some(text) = note(report, edge)
        {
            notes.push((moods[id], text));
            numbers.insert(id, notes.len());
        }
    }
    let turns: Vec<ServiceId> = report.deployment.iter().flat_map(|it| deployed(&it.plan)).collect();
    let stuck = |id: ServiceId| {
        let of = |it: &Blocked| match it {
            Blocked::Meet { service, .. } => *service == id,
            Blocked::Cycle(cycle) => cycle.iter().any(|wait| wait.service == id),
            Blocked::Behind(wait) => wait.service == id,
        };
        report.deployment.iter().any(|it| it.plan.stuck.iter().any(of))
    };
    let mut nodes: Vec<Node> = report
        .fleet
        .members
        .iter()
        .enumerate()
        .map(|(id, it)| Node::Service {
            name: tame(&it.name),
            version: it.now.as_ref().map_or_else(|| "new".to_owned(), |it| tame(&it.name)),
            next: it.next.as_ref().map(|it| tame(&it.name)),
            field: it.field,
            turn: turns.iter().position(|turn| *turn == id).map(|i| i + 1).filter(|_| turns.len() > 1),
            mood: if stuck(id) { Mood::Bad } else { Mood::Fine },
        })
        .collect();
    let mut subjects: BTreeMap<String, usize> = BTreeMap::new();
    let mut arrows: BTreeMap<(usize, usize, Option<String>), Arrow> = BTreeMap::new();
    let mut subject = |name: &str, is_method: bool, nodes: &mut Vec<Node>| {
        *subjects.entry(name.to_owned()).or_insert_with(|| {
            nodes.push(Node::Subject { name: tame(name), is_method, mood: Mood::Fine });
            nodes.len() - 1
        })
    };
    let mut arrow = |from: usize, to: usize, label: Option<String>, edges: &[EdgeId]| {
        let mood = edges.iter().map(|id| moods[*id]).max().unwrap_or(Mood::Unmatched);
        let notes = edges.iter().filter_map(|id| numbers.get(id).copied()).collect();
        arrows.insert((from, to, label.clone()), Arrow { from, to, label, mood, notes });
    };
    for (id, member) in report.fleet.members.iter().enumerate() {
        for version in member.now.iter().chain(&member.next) {
            for name in version.emits.iter().map(|it| &it.event).chain(version.calls.iter().map(|it| &it.method)) {
                let is_method = version.calls.iter().any(|it| it.method == *name);
                let of = |edge: &Edge| edge.producer == id && edge.subject.name() == name;
                let to = subject(name, is_method, &mut nodes);
                arrow(id, to, None, &edges_of(report, of));
            }
            for it in &version.listens {
                let own = Subject::Event { event: it.event.clone(), group: it.group.clone() };
                let of = |edge: &Edge| edge.consumer == id && edge.subject == own;
                let from = subject(&it.event, false, &mut nodes);
                let label = (it.group != member.name).then(|| tame(&it.group));
                arrow(from, id, label, &edges_of(report, of));
            }
            for it in &version.serves {
                let of = |edge: &Edge| edge.consumer == id && edge.subject.name() == it.method;
                let from = subject(&it.method, true, &mut nodes);
                arrow(from, id, None, &edges_of(report, of));
            }
        }
    }
    for loose in &report.loose {
        let (name, mood) = match loose {
            Unmatched::Unheard { event, .. } | Unmatched::Unsaid { event, .. } => (event, Mood::Unmatched),
            Unmatched::Uncalled { method, .. } => (method, Mood::Unmatched),
            Unmatched::Unserved { method, .. } => (method, Mood::Bad),
            Unmatched::Left { .. } => continue,
        };
        if let Some(Node::Subject { mood: it, .. }) = subjects.get(name).and_then(|id| nodes.get_mut(*id)) {
            *it = mood;
        }
    }
    Graph { nodes, arrows: arrows.into_values().collect(), notes }
}

fn edges_of(report: &Report, of: impl Fn(&Edge) -> bool) -> Vec<EdgeId> {
    report.edges.iter().enumerate().filter(|(_, edge)| of(edge)).map(|(id, _)| id).collect()
}

/// Returns the style of an edge, from its current state and the deployment.
fn mood(report: &Report, id: EdgeId) -> Mood {
    let edge = &report.edges[id];
    let standing = match report.standing(edge) {
        Outlook::Fine => Mood::Fine,
        Outlook::Undecided | Outlook::Drains => Mood::Unsure,
        Outlook::Breaks => Mood::Bad,
    };
    let Some(deployment) = &report.deployment else { return standing };
    let stuck = deployment.plan.stuck.iter().any(|it| match it {
        Blocked::Meet { edge, .. } => *edge == id,
        Blocked::Cycle(cycle) => cycle.iter().any(|wait| wait.edge == id),
        Blocked::Behind(wait) => wait.edge == id,
    });
    let pairs = [Age::Now, Age::Next].into_iter().flat_map(|age| [(Age::Next, age), (age, Age::Next)]);
    let worst = pairs.map(|(from, to)| edge.verdict(from, to)).max().unwrap_or(PairVerdict::Apart);
    let planned = match worst {
        PairVerdict::Apart | PairVerdict::Fits => Mood::Fine,
        PairVerdict::Undecided => Mood::Unsure,
        PairVerdict::Breaks => Mood::Ordered,
    };
    if stuck { Mood::Bad } else { standing.max(planned) }
}

/// Returns the mismatch of an edge, in one line; `None` if everything fits.
fn note(report: &Report, edge: &Edge) -> Option<String> {
    let name = |id: ServiceId, version: &str| format!("{} {}", tame(&report.fleet.members[id].name), tame(version));
    let pairs = [
        (Age::Now, Age::Now),
        (Age::Next, Age::Now),
        (Age::Now, Age::Next),
        (Age::Next, Age::Next),
        (Age::Past, Age::Now),
        (Age::Past, Age::Next),
        (Age::Next, Age::Past),
        (Age::Now, Age::Past),
    ];
    let (cell, wrong) = pairs.iter().find_map(|(from, to)| edge.wrong(*from, *to))?;
    let (from, to) = (name(edge.producer, &cell.producer.1), name(edge.consumer, &cell.consumer.1));
    let ends = |part: &Part| if part.goes_back() { (&to, &from) } else { (&from, &to) };
    let subject = tame(edge.subject.name());
    Some(match wrong {
        Mismatch::NotServed => format!("{subject}: {from} calls it, {to} doesn't serve it"),
        Mismatch::Breaks(part, witness) => {
            let (sender, taker) = ends(part);
            let value: String = tame(&witness.event.to_string()).chars().take(120).collect();
            let at = if witness.pointer.is_empty() { String::new() } else { format!(" at {}", tame(&witness.pointer)) };
            let part = part.word();
            let does = refuses(witness);
            format!("{subject}: {sender} may send the {part} {value}, {taker} {does}{at}: {}", tame(&witness.rule))
        }
        Mismatch::Undecided(part, why) => {
            let (sender, taker) = ends(part);
            format!(
                "{subject}: it can't be decided whether {taker} accepts all that {sender} may send: {}",
                tame(&why.to_string())
            )
        }
    })
}
