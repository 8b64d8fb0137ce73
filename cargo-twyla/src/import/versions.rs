//! Earlier versions of events: they become versions in the field in the lock, as far as the newest fits them.

use std::collections::BTreeMap;
use std::path::Path;

use twyla_build::compare::{self, Bundle, Options, Sources, Verdict};
use twyla_build::lock::{Earlier as InField, Lock, Sides, Version};
use twyla_build::{Builder, Problems};

use super::json::Json;
use super::plan::{Earlier, Left, Plan};
use crate::output;

/// What was made of the versions.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The lock with them; none where there are none.
    pub(super) lock: Option<Lock>,
    /// Each version that is kept: what it was, its version and the contract's name.
    pub(super) kept: Vec<(String, String, String)>,
    /// Those that aren't.
    pub(super) left: Vec<Left>,
}

/// Holds every earlier version to the contract that is there now. `builder` makes one of a folder in which it may write.
pub(super) fn versions(
    plan: &Plan,
    sources: &Sources,
    folder: &Path,
    builder: &impl Fn(&Path) -> Builder,
) -> Result<Versions, output::Unwritable> {
    let mut out = Versions::default();
    let mut lock = Lock::of(sources);
    for (place, earlier) in &plan.earlier {
        let Some(now) = sources.contracts.iter().find(|it| it.bundle.root() == place) else {
            let left = |it: &Earlier| Left {
                path: it.path.clone(),
                why: format!("is an earlier version of {place}, which is no contract"),
            };
            out.left.extend(earlier.iter().map(left));
            continue;
        };
        let subject = twyla_build::lock::Subject::of(now);
        for it in earlier {
            let left = |why: String| Left {
                path: it.path.clone(),
                why: format!("isn't kept as a version of {subject}: {why}"),
            };
            let bundle = match bundle(place, &it.json, folder, builder)? {
                Ok(bundle) => bundle,
                Err(problems) => {
                    let why = problems.0.iter().find(|it| it.is_error()).map(|it| it.what.to_string());
                    out.left.push(left(why.unwrap_or_default()));
                    continue;
                }
            };
            if let Some(why) = harm(&bundle, &now.bundle) {
                out.left.push(left(why));
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
        // the text of the lock is the same whatever text a file has
        plan.files.get(place).map_or(Ok(()), |json| output::write(&folder.join(place), json.text()))?;
    }
    out.lock = Some(lock).filter(|lock| lock.contracts.values().any(|entry| !entry.earlier.is_empty()));
    Ok(out)
}

/// The contract that a version is in the folder.
fn bundle(
    place: &str,
    json: &Json,
    folder: &Path,
    builder: &impl Fn(&Path) -> Builder,
) -> Result<Result<Bundle, Problems>, output::Unwritable> {
    output::write(&folder.join(place), json.text())?;
    let sources = match builder(folder).contracts() {
        Ok(sources) => sources,
        Err(problems) => return Ok(Err(problems)),
    };
    let found = sources.contracts.into_iter().find(|it| it.bundle.root() == place);
    Ok(found.map(|it| it.bundle).ok_or_else(|| Problems(Vec::new())))
}

/// Why two versions can't be out at once.
fn harm(old: &Bundle, new: &Bundle) -> Option<String> {
    let options = Options::default();
    for (from, to, words) in
        [(old, new, "the newest refuses what it sends"), (new, old, "it refuses what the newest sends")]
    {
        match compare::compare(from, to, &options) {
            Verdict::Fits => {}
            Verdict::Breaks(witness) => return Some(format!("{words}: {}: {}", witness.event, witness.rule)),
            Verdict::Undecided(why) => return Some(format!("whether they fit can't be decided: {why}")),
        }
    }
    None
}

/// A lock's file with what is in it.
pub(super) fn file(lock: &Lock) -> BTreeMap<String, String> {
    BTreeMap::from([(twyla_build::lock::FILE_NAME.to_owned(), lock.to_string())])
}
