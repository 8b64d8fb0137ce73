//! Finds the edits that break a contract, and proposes alternatives. Each proposed alternative was compared and is additive.

use std::borrow::Cow;

use serde_json::Value;

use super::add_property;
use super::change::Change;
use super::edit::{Edit, short};
use super::finding::Misfit;
use super::form::Form;
use super::model::{Direction, Subject};
use super::options::CheckOptions;
use super::undo;
use super::wording::sides;
use crate::compare::{self, Bundle, ContractKind, Resolved, Sources};
use crate::schema::load::steps;
use crate::schema::rpcs::IDEMPOTENT;

/// The advice for a breaking change.
#[derive(Debug, Default)]
pub(super) struct Advice {
    /// The breaking edits, by index.
    pub(super) culprits: Vec<usize>,
    /// Additive alternatives to the change, in words.
    pub(super) ways: Vec<String>,
}

/// Limits of the edits examined one by one, and of the ways shown.
const MOST_EDITS: usize = 24;
const MOST_WAYS: usize = 3;

/// The maximum number of steps for comparing one alternative form with the old one.
const BUDGET: u64 = 100_000;

/// Finds the breaking edits of a contract, and an alternative for each.
///
/// `before` is the old form, `after` that of the `new` contract.
pub(super) fn of(
    subject: &Subject,
    old: &Resolved,
    new: &Bundle,
    [before, after]: &[Form; 2],
    edits: &[Edit],
    harmed: &[Direction],
) -> Advice {
    if edits.len() > MOST_EDITS {
        return Advice::default();
    }
    let old = OldContract { schema: old, form: before, new };
    let mut advice = Advice::default();
    for (index, edit) in edits.iter().enumerate() {
        // if there is only one edit, it is the breaking one and needs no further comparison
        let (alone, harms) = if edits.len() == 1 {
            (Cow::Borrowed(after), harmed.to_vec())
        } else {
            let Some(alone) = alone(before, after, edits, index) else { continue };
            let Some(resolved) = old.resolved(&alone) else { continue };
            (Cow::Owned(alone), old.harms(&resolved, harmed))
        };
        if harms.is_empty() {
            continue;
        }
        advice.culprits.push(index);
        if advice.ways.len() < MOST_WAYS {
            advice.ways.extend(instead(subject, &old, &alone, edit, &harms).filter(|way| !advice.ways.contains(way)));
        }
    }
    advice
}

/// Returns the old form with only the edit at `index`; `None` if another edit can't be undone.
fn alone(old: &Form, new: &Form, edits: &[Edit], index: usize) -> Option<Form> {
    let others = edits.iter().enumerate().rev().filter(|(other, _)| *other != index);
    others.into_iter().try_fold(new.clone(), |form, (_, edit)| undo::undone(&form, old, edit))
}

struct OldContract<'a> {
    schema: &'a Resolved,
    form: &'a Form,
    new: &'a Bundle,
}

impl OldContract<'_> {
    /// Resolves a form between the old contract and the new one; `None` if it isn't valid.
    fn resolved(&self, form: &Form) -> Option<Resolved> {
        form.resolved([self.schema.bundle(), self.new])
    }

    /// Returns whether a new version fits the old contract in a direction.
    fn fits(&self, new: &Resolved, direction: Direction) -> bool {
        match direction {
            Direction::OldToNew => compare::fits(self.schema, new, BUDGET),
            Direction::NewToOld => compare::fits(new, self.schema, BUDGET),
        }
    }

    /// Returns the directions among `harmed` in which a new version doesn't fit the old contract.
    fn harms(&self, new: &Resolved, harmed: &[Direction]) -> Vec<Direction> {
        harmed.iter().copied().filter(|direction| !self.fits(new, *direction)).collect()
    }

    /// Returns whether a form is an additive change of the old contract.
    fn is_added_to(&self, form: &Form) -> bool {
        self.resolved(form).is_some_and(|new| {
            // try the old listeners first: they refuse most often
            [Direction::NewToOld, Direction::OldToNew].into_iter().all(|direction| self.fits(&new, direction))
        })
    }
}

/// Returns an additive alternative to an edit, in words.
fn instead(subject: &Subject, old: &OldContract<'_>, alone: &Form, edit: &Edit, harms: &[Direction]) -> Option<String> {
    let (producers, listeners) = sides(subject);
    let mut path = steps(&edit.path.pointer).map(Cow::into_owned).collect::<Vec<_>>();
    let keyword = keyword(&path)?;
    if subject.kind == ContractKind::Request && path.len() == 1 && keyword == IDEMPOTENT {
        return Some(match harms {
            [Direction::NewToOld] => format!(
                "leave `{IDEMPOTENT}` as it was, and declare the handler idempotent with `#[rpc(.., idempotent)]`: \
                 callers learn that from its first response"
            ),
            _ => format!("keep `{IDEMPOTENT}` until no old callers are left"),
        });
    }
    if let (Change::Listed(name), "required") = (&edit.change, &*keyword) {
        let mut form = alone.clone();
        undo::unlist(form.document_mut(&edit.path.document)?, &path, name)?;
        return old.is_added_to(&form).then(|| {
            format!(
                "leave {} out of `required`: {listeners} accept content without it, and new {producers} can always \
                 send it (if it is absent, a `default` gives the value)",
                named(name)
            )
        });
    }
    if let (Change::Unlisted(name), "required") = (&edit.change, &*keyword) {
        return Some(format!("keep {} in `required` until no old {listeners} are left", named(name)));
    }
    if let Change::Renamed { from, .. } = &edit.change {
        let to = path.pop()?;
        if add_property::is_closed(old.form.documents.get(&edit.path.document)?, &path) {
            return None;
        }
        let mut form = old.form.clone();
        let properties = undo::walk(form.document_mut(&edit.path.document)?, &path, true)?.as_object_mut()?;
        let value = properties.get(from)?.clone();
        properties.insert(to.clone(), value);
        return old.is_added_to(&form).then(|| {
            format!("keep `{from}` and add an optional `{to}`: send both until no {listeners} read `{from}`")
        });
    }
    if harms == [Direction::OldToNew] {
        // the advice below keeps the old form, so it needs no comparison
        return Some(match &edit.change {
            Change::Added(_) if is_property(&path) => format!("don't declare `{keyword}`"),
            Change::Added(_) => format!("leave `{keyword}` out; new {producers} can follow this rule without it"),
            Change::Changed { old, new } => {
                format!("keep `{keyword}` at {}; new {producers} can limit themselves to {}", short(old), short(new))
            }
            Change::Removed(_) if !is_item(&path) => format!("keep `{keyword}`; new {producers} needn't use it"),
            Change::Unlisted(value) | Change::Removed(value) => {
                format!("keep {} in `{keyword}`; new {producers} needn't send it", short(value))
            }
            _ => return None,
        });
    }
    let add_property = add_property::property(old.form, alone, &edit.path)?;
    old.is_added_to(&add_property.form).then(|| {
        format!(
            "keep `{name}` as it was and add an optional `{other}` with the new schema: send both until no {listeners} \
             read `{name}`",
            name = add_property.name,
            other = add_property.other
        )
    })
}

/// Returns the keyword or the name of the property that an edit changes.
fn keyword(path: &[String]) -> Option<String> {
    let mut names = path.iter().rev().filter(|name| name.parse::<usize>().is_err());
    names.next().cloned()
}

fn is_property(path: &[String]) -> bool {
    path.len() >= 2 && path.get(path.len() - 2).is_some_and(|name| name == "properties")
}

fn is_item(path: &[String]) -> bool {
    path.last().is_some_and(|name| name.parse::<usize>().is_ok())
}

fn named(name: &Value) -> String {
    name.as_str().map_or_else(|| short(name), |name| format!("`{name}`"))
}

/// Returns the alternative that always exists: a new contract beside the old one.
pub(super) fn new_event(subject: &Subject, file: &str, sources: &Sources) -> Option<String> {
    match subject.kind {
        ContractKind::Context => {
            Some("leave the context as it was, and make the change in the events that need it".to_owned())
        }
        ContractKind::Request | ContractKind::Response | ContractKind::Error => {
            let name = free(subject, sources);
            let folder =
                file.rsplit_once('/').and_then(|(folder, _)| folder.rsplit_once('/')).map(|(folder, _)| folder)?;
            let method = |name: &str| name.split_once('.').map_or(name, |(_, method)| method).to_owned();
            Some(format!(
                "add a new RPC beside the old one, {folder}/{}, and serve both until nothing calls `{}`",
                method(&name),
                subject.name
            ))
        }
        ContractKind::Event => {
            let name = free(subject, sources);
            let last = |name: &str| name.split_once('.').map_or(name, |(_, last)| last).to_owned();
            let folder = file.strip_suffix(&format!("{}.json", last(&subject.name)))?;
            Some(format!(
                "add a new event beside the old one, {folder}{}.json, and send both until nothing listens to \
                 `{subject}`",
                last(&name)
            ))
        }
    }
}

/// Returns an unused name that is similar to a contract's name.
fn free(subject: &Subject, sources: &Sources) -> String {
    let mut name = add_property::next(&subject.name);
    while sources.contract(subject.kind, &name).is_some() {
        name = add_property::next(&name);
    }
    name
}

/// The duration of a suggested waiver, in days.
const DAYS: u32 = 30;

/// Returns the command that waives these misfits.
pub(super) fn command(subject: &Subject, misfits: &[Misfit], how: &CheckOptions) -> String {
    let has = |direction| misfits.iter().any(|misfit| misfit.direction == direction);
    let direction = match (has(Direction::OldToNew), has(Direction::NewToOld)) {
        (true, true) => "both".to_owned(),
        (true, false) => Direction::OldToNew.to_string(),
        _ => Direction::NewToOld.to_string(),
    };
    let folder = match &*how.folder {
        "schemas" => String::new(),
        folder => format!(" --schemas {folder}"),
    };
    let until = how.today.plus_days(DAYS);
    format!("cargo twyla accept {subject} --direction {direction} --until {until} --reason \"…\"{folder}")
}
