//! What becomes of loose schema files: which is which contract, and where each reference leads then. Pure: files in, files out.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::EventName;
use twyla_contract::rust::field_name;

use super::json::Json;
use crate::schemas::beside;

/// A loose file: its path below the folder, with `/`.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    pub(super) path: String,
    pub(super) json: Json,
}

/// What was made of them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// By the path below the schemas folder.
    pub(super) files: BTreeMap<String, Json>,
    /// What each was, by where it is now.
    pub(super) moved: BTreeMap<String, String>,
    /// What somebody should know.
    pub(super) notes: Vec<String>,
}

/// What can't be made a schemas folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "{path}: has no name that an event could have: {why}; move it to <domain>/<event_type>.json, or say --domain"
    )]
    NoName { path: String, why: String },
    #[error("{first} and {second} would both be {place}: rename one of them")]
    Twice { first: String, second: String, place: String },
    #[error("{path}: {reference} leads to none of the files{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Dangling { path: String, reference: String, near: Option<String> },
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The domain of files that name none.
    pub(super) domain: Option<String>,
    /// The path of the file that is the context.
    pub(super) context: Option<String>,
    /// URIs that build.rs has documents for.
    pub(super) known: Vec<String>,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    Context,
    Event(EventName),
    Rpc(String),
    Shared(String),
}

impl Role {
    fn path(&self) -> String {
        match self {
            Self::Context => "context.json".to_owned(),
            Self::Event(name) => format!("events/{}/{}.json", name.domain(), name.event_type()),
            Self::Rpc(path) => path.clone(),
            Self::Shared(name) => format!("shared/{name}.json"),
        }
    }
}

/// Finds what each file is, and rewrites what refers to it.
pub(super) fn plan(files: &[Loose], asked: &Asked) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    let targets = targets(files);
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        match role(file, targets.contains(&file.path), asked) {
            Ok(role) => {
                let place = role.path();
                if let Some(first) = taken.insert(place.clone(), file.path.clone()) {
                    problems.push(Problem::Twice { first, second: file.path.clone(), place: place.clone() });
                }
                places.insert(file.path.clone(), place);
            }
            Err(why) => problems.push(Problem::NoName { path: file.path.clone(), why }),
        }
    }
    let mut plan = Plan::default();
    for file in files {
        let Some(place) = places.get(&file.path) else { continue };
        let mut json = file.json.clone();
        let refers = Refers { files, places: &places, asked, from: file, place };
        rewrite(&mut json, &refers, &mut problems, &mut plan.notes);
        plan.moved.insert(place.clone(), file.path.clone());
        plan.files.insert(place.clone(), json);
    }
    if !plan.files.contains_key("context.json") {
        plan.notes.push("no file is the context, which every event carries: an empty one was made".to_owned());
        let empty = r#"{ "description": "What every event carries.", "type": "object" }"#;
        plan.files.insert("context.json".to_owned(), Json::parse(empty).unwrap_or(Json::Bool(true)));
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

/// The files that another one refers to.
fn targets(files: &[Loose]) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for file in files {
        for reference in references(&file.json) {
            targets.extend(target(files, file, &reference).filter(|it| *it != file.path).map(str::to_owned));
        }
    }
    targets
}

fn references(json: &Json) -> Vec<String> {
    let mut found = Vec::new();
    json.clone().each_schema(&mut |members| {
        let named = members.iter().filter(|(name, _)| name == "$ref");
        found.extend(named.filter_map(|(_, value)| value.str()).map(str::to_owned));
    });
    found
}

/// The file that a reference leads to: by its path, or by its `$id`.
fn target<'a>(files: &'a [Loose], from: &Loose, reference: &str) -> Option<&'a str> {
    let (document, _) = reference.split_once('#').unwrap_or((reference, ""));
    if document.is_empty() {
        return files.iter().find(|it| it.path == from.path).map(|it| &*it.path);
    }
    let of_id = |uri: &str| files.iter().find(|it| id(&it.json) == Some(uri.trim_end_matches('#'))).map(|it| &*it.path);
    let by_path = |path: &str| files.iter().find(|it| it.path == path).map(|it| &*it.path);
    if let Some(found) = of_id(document) {
        return Some(found);
    }
    // relative to the file's own URI, where it has one; and else, or as many have it all the same, to its path
    let by_id = id(&from.json).and_then(|base| resolved(base, document)).and_then(|uri| of_id(&uri));
    by_id.or_else(|| beside(&from.path, document).and_then(|path| by_path(&path)))
}

fn id(json: &Json) -> Option<&str> {
    let id = json.get("$id").or_else(|| json.get("id"))?.str()?;
    Some(id.trim_end_matches('#')).filter(|id| !id.is_empty())
}

/// A reference against an absolute URI; no more of RFC 3986 than files have.
fn resolved(base: &str, reference: &str) -> Option<String> {
    if reference.contains("://") {
        return Some(reference.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match reference.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => beside(path, reference)?,
    };
    Some(format!("{scheme}://{authority}/{path}"))
}

/// The way from one file to another.
pub(crate) fn way(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count().min(from.len() - 1).min(to.len() - 1);
    format!("{}{}", "../".repeat(from.len() - 1 - common), to[common..].join("/"))
}

/// What a file is: as its path says, as it is asked for, and else an event by its `$id`, its `title` or its name.
fn role(file: &Loose, referred: bool, asked: &Asked) -> Result<Role, String> {
    let path = file.path.as_str();
    if asked.context.as_deref() == Some(path) || asked.context.is_none() && path == "context.json" {
        return Ok(Role::Context);
    }
    let stem = path.strip_suffix(".json").unwrap_or(path);
    // `a.schema.json`
    let stem = stem.strip_suffix(".schema").unwrap_or(stem);
    let steps: Vec<&str> = stem.split('/').collect();
    match steps.as_slice() {
        ["rpc", service, method, body @ ("request" | "response" | "error")] => {
            return Ok(Role::Rpc(format!("rpc/{service}/{method}/{body}.json")));
        }
        ["shared" | "common" | "definitions" | "types", .., name] => return Ok(Role::Shared(field_name(name))),
        ["events", domain, event_type] => return event(&format!("{domain}.{event_type}")),
        _ => {}
    }
    // what others refer to is a part of them, unless its place says that it is an event
    if referred {
        return Ok(Role::Shared(steps.last().map(|name| field_name(name)).unwrap_or_default()));
    }
    let name = steps.last().copied().unwrap_or_default();
    if name.contains('.') {
        return event(name);
    }
    let title = file.json.get("title").and_then(Json::str);
    match (steps.as_slice(), &asked.domain) {
        ([.., domain, _], None) => event(&format!("{}.{}", field_name(domain), field_name(name))),
        (_, Some(domain)) => event(&format!("{domain}.{}", field_name(name))),
        (_, None) => {
            let of_id = id(&file.json).and_then(|id| id.split_once("://")).map(|(_, rest)| rest);
            let of_id = of_id.map(|rest| rest.trim_end_matches(".json").split('/').skip(1).collect::<Vec<_>>());
            match (of_id.as_deref(), title) {
                (Some([.., domain, event_type]), _) => {
                    event(&format!("{}.{}", field_name(domain), field_name(event_type)))
                }
                (_, Some(title)) if title.contains('.') => event(title),
                _ => Err("its path, its `$id` and its title name no domain".to_owned()),
            }
        }
    }
}

fn event(name: &str) -> Result<Role, String> {
    EventName::parse(name).map(Role::Event).map_err(|error| error.to_string())
}

/// What a reference is rewritten with.
struct Refers<'a> {
    files: &'a [Loose],
    places: &'a BTreeMap<String, String>,
    asked: &'a Asked,
    from: &'a Loose,
    place: &'a str,
}

fn rewrite(json: &mut Json, refers: &Refers<'_>, problems: &mut Vec<Problem>, notes: &mut Vec<String>) {
    if id(json).is_some()
        && let Json::Object(members) = json
    {
        // a contract's name is its path, and a name of its own would move what is relative in it
        members.retain(|(name, value)| !(name == "$id" || name == "id" && value.str().is_some()));
    }
    let mut outside = BTreeSet::new();
    json.each_schema(&mut |members| {
        let Some((_, Json::String(reference))) = members.iter_mut().find(|(name, _)| name == "$ref") else { return };
        let (document, fragment) = match reference.split_once('#') {
            Some((document, fragment)) => (document.to_owned(), format!("#{fragment}")),
            None => (reference.clone(), String::new()),
        };
        match target(refers.files, refers.from, reference) {
            Some(path) if path == refers.from.path => {
                *reference = if fragment.is_empty() { "#".to_owned() } else { fragment };
            }
            Some(path) => {
                let Some(place) = refers.places.get(path) else { return };
                *reference = way(refers.place, place) + &fragment;
            }
            None if document.contains("://") && refers.asked.known.contains(&document) => {}
            None if document.contains("://json-schema.org/") => {}
            None if document.contains("://") => drop(outside.insert(document)),
            None => {
                let paths = refers.files.iter().map(|it| &*it.path);
                let sought = beside(&refers.from.path, &document).unwrap_or_else(|| document.clone());
                let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
                let same = paths.clone().find(|path| name(path) == name(&document));
                let near = same.or_else(|| twyla_contract::similar::nearest(&sought, paths)).map(str::to_owned);
                let (path, reference) = (refers.from.path.clone(), reference.clone());
                problems.push(Problem::Dangling { path, reference, near });
            }
        }
    });
    for uri in outside {
        notes.push(format!(
            "{} refers to {uri}, which is none of the files: nothing is ever fetched, so build.rs has to give it with \
             `.document(\"{uri}\", file)`",
            refers.from.path
        ));
    }
}
