//! Compares a lock with an older one, so that nothing removed from it goes unnoticed.

use std::collections::BTreeMap;

use twyla_contract::Location;

use super::check::{self, CheckInput};
use super::finding::{Finding, FindingKind};
use super::model::{Earlier, Entry, Lock, Subject};
use super::options::CheckOptions;
use crate::compare::Sources;
use crate::schema::problem::Problems;

/// Compares the contracts of a folder with all versions of an older lock. Finds breaking changes, and versions that were
/// removed from the lock without a reason.
///
/// Waivers, retired versions and removed contracts come from the current lock: each has its reason there, where a reviewer sees
/// it.
///
/// # Errors
/// Those of [`check`](super::check()).
pub fn against(sources: &Sources, now: &Lock, then: &Lock, how: &CheckOptions) -> Result<Vec<Finding>, Problems> {
    let file = how.file();
    let lost = |subject: &Subject, digest: &str, because: Option<&str>| Finding {
        subject: subject.clone(),
        place: Location { file: file.clone(), line: 1, column: 1 },
        kind: FindingKind::Lost { digest: digest.to_owned(), because: because.map(str::to_owned) },
    };
    let mut findings = Vec::new();
    let mut held = BTreeMap::new();
    for (subject, before) in &then.contracts {
        let entry = match now.contracts.get(subject) {
            Some(after) => {
                let gone = before.earlier.iter().filter(|earlier| !has(after, &earlier.version.digest));
                let gone = gone.map(|earlier| lost(subject, &earlier.version.digest, Some(&earlier.because)));
                findings.extend(gone);
                merged(before, after)
            }
            None => {
                if sources.contract(subject.kind, &subject.name).is_some() {
                    findings.push(lost(subject, &before.accepted.digest, None));
                }
                before.clone()
            }
        };
        held.insert(subject.clone(), entry);
    }
    let lock = Lock { contracts: held };
    let found = check::findings(CheckInput { sources, lock: &lock, how, file: &file })?;
    // the check against the current lock reports what is new or behind
    findings.extend(
        found.into_iter().filter(|finding| {
            !matches!(finding.kind, FindingKind::New | FindingKind::Behind(_) | FindingKind::Idle(_))
        }),
    );
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(findings)
}

/// Returns whether an entry has a version or its retirement.
fn has(entry: &Entry, digest: &str) -> bool {
    entry.versions().any(|version| version.digest == digest) || entry.retired.iter().any(|it| it.digest == digest)
}

/// Returns the entry of an older lock, with the waivers and retirements of the current one.
fn merged(before: &Entry, after: &Entry) -> Entry {
    let is_retired = |digest: &str| after.retired.iter().any(|retired| retired.digest == digest);
    let accepted = if is_retired(&before.accepted.digest) { &after.accepted } else { &before.accepted };
    let known: Vec<&Earlier> = before.earlier.iter().filter(|it| !is_retired(&it.version.digest)).collect();
    let more = after.earlier.iter().filter(|one| known.iter().all(|it| it.version != one.version));
    let mut earlier: Vec<Earlier> = known.iter().copied().chain(more).cloned().collect();
    // a version that was accepted then and is in the field now is compared once
    earlier.retain(|one| one.version != *accepted);
    Entry {
        accepted: accepted.clone(),
        removed: after.removed.clone().or_else(|| before.removed.clone()),
        earlier,
        waivers: after.waivers.clone(),
        retired: after.retired.clone(),
    }
}
