//! A lock held against an older one, so that nothing is hidden by what was taken out of it.

use std::collections::BTreeMap;

use twyla_contract::Place;

use super::check::{self, Given};
use super::finding::{Finding, Matter};
use super::how::How;
use super::model::{Earlier, Entry, Lock, Subject};
use crate::compare::Sources;
use crate::schema::problem::Problems;

/// Holds the contracts of a folder against everything that an older lock had accepted or in the field, and finds what
/// harms it, and what was taken out of the lock without a word.
///
/// What lets it pass, waivers, versions retired and contracts removed, is taken from the lock as it is now: there each has
/// its reason, and whoever reads the change sees it.
///
/// # Errors
/// As those of [`check`](super::check()).
pub fn against(sources: &Sources, now: &Lock, then: &Lock, how: &How) -> Result<Vec<Finding>, Problems> {
    let file = how.file();
    let lost = |subject: &Subject, digest: &str, because: Option<&str>| Finding {
        subject: subject.clone(),
        place: Place { file: file.clone(), line: 1, column: 1 },
        matter: Matter::Lost { digest: digest.to_owned(), because: because.map(str::to_owned) },
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
    let found = check::findings(Given { sources, lock: &lock, how, file: &file })?;
    // what is new or behind is told of by the lock as it is now
    findings.extend(
        found
            .into_iter()
            .filter(|finding| !matches!(finding.matter, Matter::New | Matter::Behind(_) | Matter::Idle(_))),
    );
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(findings)
}

/// Whether a lock knows what has become of a version.
fn has(entry: &Entry, digest: &str) -> bool {
    entry.versions().any(|version| version.digest == digest) || entry.retired.iter().any(|it| it.digest == digest)
}

/// What was held before, with what was said of it since.
fn merged(before: &Entry, after: &Entry) -> Entry {
    let is_retired = |digest: &str| after.retired.iter().any(|retired| retired.digest == digest);
    let accepted = if is_retired(&before.accepted.digest) { &after.accepted } else { &before.accepted };
    let known: Vec<&Earlier> = before.earlier.iter().filter(|it| !is_retired(&it.version.digest)).collect();
    let more = after.earlier.iter().filter(|one| known.iter().all(|it| it.version != one.version));
    let mut earlier: Vec<Earlier> = known.iter().copied().chain(more).cloned().collect();
    // what was accepted then and is in the field now is held once
    earlier.retain(|one| one.version != *accepted);
    Entry {
        accepted: accepted.clone(),
        removed: after.removed.clone().or_else(|| before.removed.clone()),
        earlier,
        waivers: after.waivers.clone(),
        retired: after.retired.clone(),
    }
}
