//! The folders of RPCs: whether each has its contracts, what they say of it beyond their schemas, and names that would be
//! one in Rust.

use std::collections::{BTreeMap, HashMap, HashSet};

use twyla_contract::{RpcName, similar};

use crate::schema::load::{self, File, Json, Node, Role, Way};
use crate::schema::names;
use crate::schema::problem::{Problem, What};
use crate::schema::schemas::Schemas;

/// The keyword in a request's schema that says that its RPC may be done again with nothing changed by it.
pub(crate) const IDEMPOTENT: &str = "idempotent";

/// The RPCs by name, each with the files that it has.
pub(crate) fn all(schemas: &Schemas) -> BTreeMap<&RpcName, BTreeMap<Way, usize>> {
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (index, file) in schemas.files.iter().enumerate() {
        if let Role::Rpc(name, way) = &file.role {
            all.entry(name).or_default().insert(*way, index);
        }
    }
    all
}

/// Whether the request's schema says that the RPC may be done again with nothing changed by it.
pub(crate) fn idempotent(request: &File) -> bool {
    says_idempotent(&request.root)
}

/// The same of the schema itself.
pub(crate) fn says_idempotent(request: &Node) -> bool {
    request.get(IDEMPOTENT).is_some_and(|node| matches!(node.json, Json::Bool(true)))
}

/// Whether the file of that path is an RPC's request.
pub(crate) fn is_request(path: &str) -> bool {
    matches!(load::role(path), Ok(Some(Role::Rpc(_, Way::Request))))
}

/// Checks every RPC and notes all problems.
pub(crate) fn check(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let all = all(schemas);
    let mut told = HashSet::new();
    for files in all.values() {
        let Some(folder) = files.values().next().and_then(|file| folder(&schemas.files[*file])) else { continue };
        let others =
            schemas.files.iter().filter(|file| file.role == Role::BesideRpc && self::folder(file) == Some(folder));
        let others: Vec<&File> = others.collect();
        let mut meant = Vec::new();
        for way in Way::ALL.into_iter().filter(|way| !files.contains_key(way)) {
            let near = similar::nearest(way.name(), others.iter().map(|file| stem(file)));
            let near = near.and_then(|near| others.iter().find(|file| stem(file) == near && !meant.contains(&near)));
            meant.extend(near.map(|file| stem(file)));
            told.extend(near.map(|file| file.shown.as_str()));
            match near {
                // an RPC need not have one
                Some(file) if way == Way::Error => {
                    problems.push(Problem {
                        file: file.shown.clone(),
                        at: None,
                        what: What::NearlyRpc { near: way.name() },
                    });
                }
                None if way == Way::Error => {}
                near => {
                    let near = near.map(|file| format!("{}.json", stem(file)));
                    let what = What::NoRpcBody { way: way.name(), near };
                    problems.push(Problem { file: folder.to_owned(), at: None, what });
                }
            }
        }
        for (way, file) in files {
            says(schemas, *way, &schemas.files[*file], problems);
        }
    }
    unused(schemas, &told, problems);
    clashes(&all, schemas, problems);
}

/// Files beside those of RPCs that are no contracts, that no schema refers to, and that weren't told of.
fn unused(schemas: &Schemas, told: &HashSet<&str>, problems: &mut Vec<Problem>) {
    // a reference that leads nowhere, or that can't be read, may have meant any of them
    if problems.iter().any(Problem::is_error) {
        return;
    }
    let references = schemas.refs.iter().chain(&schemas.dynamic).filter(|(from, to)| from.file != to.file);
    let used: HashSet<usize> = references.map(|(_, to)| to.file).collect();
    for (index, file) in schemas.of_role(|role| *role == Role::BesideRpc) {
        if !used.contains(&index) && !told.contains(&*file.shown) {
            problems.push(Problem { file: file.shown.clone(), at: None, what: What::NothingBelongsHere });
        }
    }
}

/// Services that would be one module in Rust, and methods that would be one type.
fn clashes(all: &BTreeMap<&RpcName, BTreeMap<Way, usize>>, schemas: &Schemas, problems: &mut Vec<Problem>) {
    let mut services: HashMap<String, &str> = HashMap::new();
    let mut methods: HashMap<(&str, String), &str> = HashMap::new();
    let mut said = HashSet::new();
    for (name, files) in all {
        let (service, method) = (name.service(), name.method());
        let at = files.values().next().and_then(|file| folder(&schemas.files[*file])).unwrap_or_default();
        let module = names::field(service);
        let other = *services.entry(module.clone()).or_insert(service);
        if other != service {
            if said.insert(service) {
                let file = at.rsplit_once('/').map_or(at, |(folder, _)| folder).to_owned();
                let what = What::ServiceClash { name: service.to_owned(), other: other.to_owned(), module };
                problems.push(Problem { file, at: None, what });
            }
            continue;
        }
        let type_ = names::type_(method);
        let other = *methods.entry((service, type_.clone())).or_insert(method);
        if other != method {
            let what = What::MethodClash { name: method.to_owned(), other: other.to_owned(), type_ };
            problems.push(Problem { file: at.to_owned(), at: None, what });
        }
    }
}

/// What a schema says of its RPC: only the request's says something, and that in one word.
fn says(schemas: &Schemas, way: Way, file: &File, problems: &mut Vec<Problem>) {
    let is_said = file.root.get(IDEMPOTENT).is_some();
    for member in file.root.members() {
        let name = || member.key.clone();
        let is_near = || {
            !is_said
                && !member.key.starts_with("x-")
                && schemas.nearest(&member.key, std::iter::once(IDEMPOTENT)).is_some()
        };
        let (at, what) = match (way, &member.value.json) {
            (Way::Request, Json::Bool(_)) if member.key == IDEMPOTENT => continue,
            (Way::Request, _) if member.key == IDEMPOTENT => {
                let (wanted, found) = ("true or false".to_owned(), member.value.described());
                (member.value.at, What::WrongKeyword { keyword: name(), wanted, found })
            }
            (Way::Request, _) if is_near() => {
                (member.key_at, What::UnknownKeyword { name: name(), near: IDEMPOTENT.to_owned() })
            }
            (Way::Response | Way::Error, _) if member.key == IDEMPOTENT => {
                (member.key_at, What::OfRequest { name: name() })
            }
            _ => continue,
        };
        problems.push(file.problem(at, what));
    }
}

/// The folder of a file, as messages show it.
fn folder(file: &File) -> Option<&str> {
    file.shown.rsplit_once('/').map(|(folder, _)| folder)
}

/// The name of a file without its folder and without `.json`.
fn stem(file: &File) -> &str {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    name.strip_suffix(".json").unwrap_or(name)
}
