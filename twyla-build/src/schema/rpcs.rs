//! Checks the folders of RPCs: whether each has its contracts, their keyword `idempotent`, and clashes of names in
//! Rust.

use std::collections::{BTreeMap, HashMap, HashSet};

use twyla_contract::{RpcName, similar};

use crate::schema::load::{self, File, FileRole, Json, Node, RpcMessage};
use crate::schema::names;
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::schemas::Schemas;

/// The keyword in the schema of a request that marks its RPC as idempotent.
pub(crate) const IDEMPOTENT: &str = "idempotent";

/// Returns the RPCs by name, with their files.
pub(crate) fn all(schemas: &Schemas) -> BTreeMap<&RpcName, BTreeMap<RpcMessage, usize>> {
    let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (index, file) in schemas.files.iter().enumerate() {
        if let FileRole::Rpc(name, way) = &file.role {
            all.entry(name).or_default().insert(*way, index);
        }
    }
    all
}

/// Returns whether the file of a request marks its RPC as idempotent.
pub(crate) fn idempotent(request: &File) -> bool {
    is_idempotent(&request.root)
}

/// Returns whether the schema of a request marks its RPC as idempotent.
pub(crate) fn is_idempotent(request: &Node) -> bool {
    request.get(IDEMPOTENT).is_some_and(|node| matches!(node.json, Json::Bool(true)))
}

/// Returns whether a path is that of a request.
pub(crate) fn is_request(path: &str) -> bool {
    matches!(load::role(path), Ok(Some(FileRole::Rpc(_, RpcMessage::Request))))
}

/// Checks every RPC and adds all problems.
pub(crate) fn check(schemas: &Schemas, problems: &mut Vec<Problem>) {
    let all = all(schemas);
    let mut reported = HashSet::new();
    for files in all.values() {
        let Some(folder) = files.values().next().and_then(|file| folder(&schemas.files[*file])) else { continue };
        let others =
            schemas.files.iter().filter(|file| file.role == FileRole::BesideRpc && self::folder(file) == Some(folder));
        let others: Vec<&File> = others.collect();
        let mut meant = Vec::new();
        for way in RpcMessage::ALL.into_iter().filter(|way| !files.contains_key(way)) {
            let near = similar::nearest(way.name(), others.iter().map(|file| stem(file)));
            let near = near.and_then(|near| others.iter().find(|file| stem(file) == near && !meant.contains(&near)));
            meant.extend(near.map(|file| stem(file)));
            reported.extend(near.map(|file| file.shown.as_str()));
            match near {
                // `error.json` is optional
                Some(file) if way == RpcMessage::Error => {
                    problems.push(Problem {
                        file: file.shown.clone(),
                        at: None,
                        kind: ProblemKind::NearlyRpc { near: way.name() },
                    });
                }
                None if way == RpcMessage::Error => {}
                near => {
                    let near = near.map(|file| format!("{}.json", stem(file)));
                    let kind = ProblemKind::NoRpcBody { way: way.name(), near };
                    problems.push(Problem { file: folder.to_owned(), at: None, kind });
                }
            }
        }
        for (way, file) in files {
            check_idempotent(schemas, *way, &schemas.files[*file], problems);
        }
    }
    unused(schemas, &reported, problems);
    clashes(&all, schemas, problems);
}

/// Reports files beside RPC contracts that no schema refers to, unless they are reported already.
fn unused(schemas: &Schemas, reported: &HashSet<&str>, problems: &mut Vec<Problem>) {
    // after an error, an unresolved reference may mean any of these files, and a schema that is left out may refer to
    // them
    let mut left_out = schemas.of_role(|role| matches!(role, FileRole::LeftOut(_)));
    if problems.iter().any(Problem::is_error) || left_out.next().is_some() {
        return;
    }
    let references = schemas.refs.iter().chain(&schemas.dynamic).filter(|(from, to)| from.file != to.file);
    let used: HashSet<usize> = references.map(|(_, to)| to.file).collect();
    for (index, file) in schemas.of_role(|role| *role == FileRole::BesideRpc) {
        if !used.contains(&index) && !reported.contains(&*file.shown) {
            problems.push(Problem { file: file.shown.clone(), at: None, kind: ProblemKind::NothingBelongsHere });
        }
    }
}

/// Reports services that would share a module in Rust, and methods that would share a type.
fn clashes(all: &BTreeMap<&RpcName, BTreeMap<RpcMessage, usize>>, schemas: &Schemas, problems: &mut Vec<Problem>) {
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
                let kind = ProblemKind::ServiceClash { name: service.to_owned(), other: other.to_owned(), module };
                problems.push(Problem { file, at: None, kind });
            }
            continue;
        }
        let type_ = names::type_(method);
        let other = *methods.entry((service, type_.clone())).or_insert(method);
        if other != method {
            let kind = ProblemKind::MethodClash { name: method.to_owned(), other: other.to_owned(), type_ };
            problems.push(Problem { file: at.to_owned(), at: None, kind });
        }
    }
}

/// Checks `idempotent`, which only the schema of a request may have.
fn check_idempotent(schemas: &Schemas, way: RpcMessage, file: &File, problems: &mut Vec<Problem>) {
    let is_said = file.root.get(IDEMPOTENT).is_some();
    for member in file.root.members() {
        let name = || member.key.clone();
        let is_near = || {
            !is_said
                && !member.key.starts_with("x-")
                && schemas.nearest(&member.key, std::iter::once(IDEMPOTENT)).is_some()
        };
        let (at, kind) = match (way, &member.value.json) {
            (RpcMessage::Request, Json::Bool(_)) if member.key == IDEMPOTENT => continue,
            (RpcMessage::Request, _) if member.key == IDEMPOTENT => {
                let (wanted, found) = ("a boolean".to_owned(), member.value.described());
                (member.value.at, ProblemKind::WrongKeyword { keyword: name(), wanted, found })
            }
            (RpcMessage::Request, _) if is_near() => {
                (member.key_at, ProblemKind::UnknownKeyword { name: name(), near: IDEMPOTENT.to_owned() })
            }
            (RpcMessage::Response | RpcMessage::Error, _) if member.key == IDEMPOTENT => {
                (member.key_at, ProblemKind::OfRequest { name: name() })
            }
            _ => continue,
        };
        problems.push(file.problem(at, kind));
    }
}

/// Returns the folder of a file, as messages show it.
fn folder(file: &File) -> Option<&str> {
    file.shown.rsplit_once('/').map(|(folder, _)| folder)
}

/// Returns the name of a file without its folder and without `.json`.
fn stem(file: &File) -> &str {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    name.strip_suffix(".json").unwrap_or(name)
}
