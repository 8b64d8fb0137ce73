//! Reads manifests from folders and files, and makes a fleet for each environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use twyla_build::compare::Bundle;

use super::model::{Drained, Fleet, Member};
use crate::commands::manifest::model::{Manifest, Version};
use crate::commands::manifest::read::{self, Checked};
use crate::support::text::did_you_mean;

/// The suffix of the manifests that are read from a folder.
const SUFFIX: &str = ".contracts.json";

/// Why manifests can't be read as fleets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} has no manifests: no file in it ends with {SUFFIX}")]
    Empty { path: PathBuf },
    #[error(transparent)]
    Manifest(#[from] read::Error),
    #[error("{path} is in the folder {folder}, but names the environment {says}")]
    OtherFolder { path: PathBuf, folder: String, says: String },
    #[error("{first} and {second} are both manifests of {service}{}: a service has one deployed version", in_(environment.as_deref()))]
    Twice { service: String, environment: Option<String>, first: PathBuf, second: PathBuf },
    #[error("there is no environment {name}: expected {}", known.join(", "))]
    NoEnvironment { name: String, known: Vec<String> },
    #[error("no service listens to the queue {queue}{}: expected <event>.<group>", did_you_mean(near.as_deref()))]
    NoQueue { queue: String, near: Option<String> },
}

/// Returns ` in production` for the environment `production`; an empty text without a name.
pub(crate) fn in_(environment: Option<&str>) -> String {
    environment.map(|name| format!(" in {name}")).unwrap_or_default()
}

/// A manifest, and its file.
struct LoadedManifest {
    path: PathBuf,
    environment: Option<String>,
    checked: Checked,
}

/// The options of the command.
#[derive(Debug, Default)]
pub(crate) struct Inputs<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) candidates: &'a [PathBuf],
    pub(crate) environment: Option<&'a str>,
    pub(crate) drained: Drained,
}

/// The fleets by environment, and all their schemas.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) fleets: Vec<Fleet>,
    pub(crate) schemas: BTreeMap<String, Bundle>,
}

/// Reads the manifests.
pub(crate) fn load(asked: &Inputs<'_>) -> Result<Loaded, Error> {
    let mut schemas = BTreeMap::new();
    let mut fleets: BTreeMap<Option<String>, BTreeMap<String, (Member, PathBuf)>> = BTreeMap::new();
    for found in asked.paths.iter().map(|path| manifests(path)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        let LoadedManifest { path, environment, checked: Checked { manifest, schemas: own } } = found;
        schemas.extend(own);
        let service = manifest.service.clone();
        let members = fleets.entry(environment.clone()).or_default();
        if let Some((_, first)) = members.get(&service) {
            let first = first.clone();
            return Err(Error::Twice { service, environment, first, second: path });
        }
        members.insert(service, (member(manifest, &path), path));
    }
    if let Some(name) = asked.environment {
        let known = fleets.keys().flatten().cloned().collect();
        fleets.retain(|environment, _| environment.as_deref() == Some(name));
        if fleets.is_empty() {
            return Err(Error::NoEnvironment { name: name.to_owned(), known });
        }
    }
    let mut given: Vec<(String, Option<String>, PathBuf)> = Vec::new();
    for path in asked.candidates {
        let Checked { manifest, schemas: own } = read::read(path)?;
        schemas.extend(own);
        let (service, environment) = (manifest.service.clone(), manifest.environment.clone());
        let same = |(other, elsewhere, _): &&(String, Option<String>, PathBuf)| {
            *other == service && (environment.is_none() || elsewhere.is_none() || *elsewhere == environment)
        };
        if let Some((_, _, first)) = given.iter().find(same) {
            return Err(Error::Twice { service, environment, first: first.clone(), second: path.clone() });
        }
        given.push((service.clone(), environment.clone(), path.clone()));
        if let Some(name) = environment.as_ref().filter(|name| !fleets.contains_key(&Some((*name).clone()))) {
            let known = fleets.keys().flatten().cloned().collect();
            return Err(Error::NoEnvironment { name: name.clone(), known });
        }
        let meant = fleets.iter_mut().filter(|(name, _)| environment.is_none() || **name == environment);
        // a candidate is deployed in the environments that have its service; a new service is deployed in all
        let (there, anywhere): (Vec<_>, Vec<_>) =
            meant.map(|(_, members)| members).partition(|it| it.contains_key(&service));
        for members in if there.is_empty() { anywhere } else { there } {
            let (member, _) = members.entry(service.clone()).or_insert_with(|| (Member::default(), path.clone()));
            candidate(member, manifest.clone(), path);
        }
    }
    let drained = asked.drained.clone();
    let fleet = |(environment, members): (Option<String>, BTreeMap<String, (Member, PathBuf)>)| Fleet {
        environment,
        members: members.into_values().map(|(member, _)| member).collect(),
        drained: drained.clone(),
    };
    let fleets: Vec<Fleet> = fleets.into_iter().map(fleet).collect();
    queues(&fleets, &asked.drained)?;
    Ok(Loaded { fleets, schemas })
}

/// Returns an error for a drained queue that no service has: its name is mistyped.
fn queues(fleets: &[Fleet], drained: &Drained) -> Result<(), Error> {
    let members = fleets.iter().flat_map(|fleet| &fleet.members);
    let versions = members.flat_map(|it| it.past.iter().chain(&it.now).chain(&it.next));
    let known: BTreeSet<String> =
        versions.flat_map(|it| &it.listens).map(|it| format!("{}.{}", it.event, it.group)).collect();
    match drained.queues.iter().find(|queue| !known.contains(*queue)) {
        None => Ok(()),
        Some(queue) => {
            let near = twyla_contract::similar::nearest(queue, known.iter().map(String::as_str)).map(str::to_owned);
            Err(Error::NoQueue { queue: queue.clone(), near })
        }
    }
}

fn split(manifest: Manifest) -> (String, bool, Version, Vec<Version>) {
    let Manifest { service, version: name, in_the_field, emits, listens, serves, calls, previous, .. } = manifest;
    let now = Version { name, emits, listens, serves, calls };
    (service, in_the_field, now, previous)
}

fn member(manifest: Manifest, path: &Path) -> Member {
    let (name, field, now, past) = split(manifest);
    Member { name, path: path.to_owned(), field, past, now: Some(now), next: None }
}

/// Sets a service's next version. If the candidate is in the field, adds the earlier versions in its manifest, except those
/// that the fleet already has.
fn candidate(member: &mut Member, manifest: Manifest, path: &Path) {
    let (name, field, next, past) = split(manifest);
    member.name = name;
    member.path = path.to_owned();
    member.field |= field;
    let known = |it: &Version, member: &Member| {
        member.now.iter().chain(&member.past).any(|known| known.name == it.name) || it.name == next.name
    };
    for it in past {
        if field && !known(&it, member) {
            member.past.push(it);
        }
    }
    // a version that is already deployed changes nothing
    if member.now.as_ref() != Some(&next) {
        member.next = Some(next);
    }
}

/// Returns the manifests of a file, or of a folder and its subfolders; each subfolder is an environment.
fn manifests(path: &Path) -> Result<Vec<LoadedManifest>, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::Unreadable { path, error }
    };
    if !fs::metadata(path).map_err(unreadable(path))?.is_dir() {
        let checked = read::read(path)?;
        return Ok(vec![LoadedManifest {
            path: path.to_owned(),
            environment: checked.manifest.environment.clone(),
            checked,
        }]);
    }
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let entry = entry.map_err(unreadable(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(unreadable(&entry.path()))?;
            if kind.is_dir() && !name.starts_with('.') {
                open.push(entry.path());
            } else if !kind.is_dir() && name.ends_with(SUFFIX) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::Empty { path: path.to_owned() });
    }
    files.into_iter().map(|file| placed(path, file)).collect()
}

/// Reads a manifest. Its environment is the one that it names, or else the name of its folder.
fn placed(root: &Path, path: PathBuf) -> Result<LoadedManifest, Error> {
    let checked = read::read(&path)?;
    let folder = path.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let folder = folder.map(|folder| folder.to_string_lossy().replace('\\', "/")).filter(|folder| !folder.is_empty());
    let environment = match (folder, checked.manifest.environment.clone()) {
        (Some(folder), Some(says)) if folder != says => return Err(Error::OtherFolder { path, folder, says }),
        (folder, says) => says.or(folder),
    };
    Ok(LoadedManifest { path, environment, checked })
}
