//! Earlier versions of events: a version that fits the newest one becomes a version in the field, in the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::path::Path;

use twyla_build::Builder;
use twyla_build::compare::{self, Bundle, Options, Sources, Verdict};
use twyla_build::lock::{Earlier as InField, Lock, Sides, Subject, Version};

use super::lines::Text;
use super::loose::{Loose, SkippedFile};
use super::plan::{Earlier, Plan};
use crate::support::json::Json;
use crate::support::output;

/// The result of importing earlier versions.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The lock with the kept versions; `None` if there are none.
    pub(super) lock: Option<Lock>,
    /// Each kept version: its original path, its version and the contract's name.
    pub(super) kept: Vec<(String, String, String)>,
    /// The versions that are left out.
    pub(super) left: Vec<SkippedFile>,
}

/// Compares every earlier version with the current contract. `builder` returns a builder for a folder in which the function
/// may write. Versions in a group are compiled with the files of the group only; versions outside of all `groups` are
/// compiled with all files.
pub(super) fn versions(
    files: &[Loose],
    plan: &Plan,
    groups: &[BTreeSet<String>],
    sources: &Sources,
    builder: &impl Fn(&Path) -> Builder,
) -> Result<Versions, Box<dyn StdError + Send + Sync>> {
    let mut out = Versions::default();
    let mut lock = Lock::of(sources);
    let mut open: BTreeSet<&String> = plan.earlier.keys().collect();
    let mut bundles: BTreeMap<(usize, &str), Result<Bundle, Uncompiled>> = BTreeMap::new();
    let all: BTreeSet<String> = plan.files.keys().chain(plan.earlier.keys()).cloned().collect();
    for group in groups.iter().chain([&all]) {
        let of: Vec<&String> = open.intersection(&group.iter().collect()).copied().collect();
        let most = of.iter().filter_map(|place| plan.earlier.get(*place)).map(Vec::len).max().unwrap_or(0);
        if most == 0 {
            continue;
        }
        let folder = tempfile::tempdir()?;
        for (place, json) in plan.files.iter().filter(|(place, _)| group.contains(*place)) {
            output::write(&folder.path().join(place), json.text())?;
        }
        for index in 0..most {
            // compile one version of each contract at a time, together with one version of each other contract
            let these: BTreeMap<&str, &Earlier> =
                of.iter().filter_map(|place| Some((place.as_str(), plan.earlier.get(*place)?.get(index)?))).collect();
            let compiled = compiled(plan, &these, folder.path(), builder)?;
            let known = compiled.into_iter().filter_map(|(place, it)| Some((*these.get_key_value(&*place)?.0, it)));
            bundles.extend(known.map(|(place, it)| ((index, place), it)));
        }
        open.retain(|place| !group.contains(*place));
    }
    let most = plan.earlier.values().map(Vec::len).max().unwrap_or(0);
    for index in 0..most {
        let these = plan.earlier.iter().filter_map(|(place, all)| Some((place.as_str(), all.get(index)?)));
        for (place, it) in these {
            let Some(now) = sources.contracts.iter().find(|it| it.bundle.root() == place) else {
                let why = format!(
                    "is an earlier version of {place}, but {place} is not a contract, so the lock can't keep it"
                );
                out.left.push(SkippedFile::whole(&it.path, why));
                continue;
            };
            let subject = Subject::of(now);
            let mut left = |pointer: Option<&str>, why: &str| {
                let file = files.iter().find(|file| file.path == it.path);
                let at = file.zip(pointer).and_then(|(file, pointer)| file.at(pointer));
                let why = format!("isn't kept as a version of {subject}: {why}");
                out.left.push(SkippedFile { path: it.path.clone(), at, why });
            };
            let bundle = match bundles.remove(&(index, place)) {
                Some(Ok(bundle)) => bundle,
                Some(Err(Uncompiled { pointer, why })) => {
                    left(pointer.as_deref(), &why);
                    continue;
                }
                None => continue,
            };
            if let Some(why) = harm(&bundle, &now.bundle) {
                left(None, &why);
                continue;
            }
            out.kept.push((it.path.clone(), it.version.clone(), subject.to_string()));
            let version = Version::of(&bundle);
            if let Some(entry) = lock.contracts.get_mut(&subject)
                && entry.versions().all(|known| known.digest != version.digest)
            {
                let because = format!("version {}", it.version);
                entry.earlier.push(InField { version, sides: Sides::Both, because });
            }
        }
    }
    out.lock = Some(lock).filter(|lock| lock.contracts.values().any(|entry| !entry.earlier.is_empty()));
    Ok(out)
}

/// Why a version can't be compiled, and the place of the error in it.
struct Uncompiled {
    pointer: Option<String>,
    why: String,
}

/// Returns the contract of each version, or why it can't be compiled. The `folder` has the other files.
fn compiled(
    plan: &Plan,
    versions: &BTreeMap<&str, &Earlier>,
    folder: &Path,
    builder: &impl Fn(&Path) -> Builder,
) -> Result<BTreeMap<String, Result<Bundle, Uncompiled>>, output::Unwritable> {
    let mut found: BTreeMap<String, Result<Bundle, Uncompiled>> = BTreeMap::new();
    let now = |place: &str| plan.files.get(place).map(Json::text).unwrap_or_default();
    for (place, it) in versions {
        output::write(&folder.join(place), it.json.text())?;
    }
    loop {
        match builder(folder).contracts() {
            Ok(sources) => {
                let of = sources.contracts.into_iter().filter(|it| versions.contains_key(it.bundle.root()));
                for contract in of {
                    found.entry(contract.bundle.root().to_owned()).or_insert(Ok(contract.bundle));
                }
                break;
            }
            Err(problems) => {
                let before = found.len();
                for problem in problems.0.iter().filter(|it| it.is_error()) {
                    let place = versions.keys().find(|place| problem.file.ends_with(&format!("/{place}")));
                    if let Some(place) = place {
                        let text = versions.get(place).map(|it| Text::json(it.json.text()));
                        let pointer = text.zip(problem.at).and_then(|(text, at)| text.pointer(at));
                        let why = problem.kind.to_string();
                        found.entry((*place).to_owned()).or_insert(Err(Uncompiled { pointer, why }));
                    }
                }
                if found.len() == before {
                    let first = problems.0.iter().find(|it| it.is_error());
                    let why = first.map(ToString::to_string).unwrap_or_default();
                    for place in versions.keys() {
                        let why = why.clone();
                        found.entry((*place).to_owned()).or_insert(Err(Uncompiled { pointer: None, why }));
                    }
                    break;
                }
                // compile the others without the failed version
                for place in found.keys() {
                    output::write(&folder.join(place), now(place))?;
                }
            }
        }
    }
    for place in versions.keys() {
        output::write(&folder.join(place), now(place))?;
    }
    Ok(found)
}

/// Returns why two versions can't be in the field at once; `None` if they fit.
fn harm(old: &Bundle, new: &Bundle) -> Option<String> {
    let options = Options::default();
    for (from, to, words) in [
        (old, new, "the newest version refuses values of this version"),
        (new, old, "this version refuses values of the newest version"),
    ] {
        match compare::compare(from, to, &options) {
            Verdict::Fits => {}
            Verdict::Breaks(witness) => return Some(format!("{words}: {}: {}", witness.event, witness.rule)),
            Verdict::Undecided(why) => return Some(format!("it can't be decided whether the two versions fit: {why}")),
        }
    }
    None
}

/// Returns a lock's file with its content.
pub(super) fn file(lock: &Lock) -> BTreeMap<String, String> {
    BTreeMap::from([(twyla_build::lock::FILE_NAME.to_owned(), lock.to_string())])
}
