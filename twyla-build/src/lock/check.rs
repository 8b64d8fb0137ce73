//! Compares contracts with their lock. Pure: returns findings.

use std::rc::Rc;

use twyla_contract::Location;

use super::advice;
use super::edit;
use super::finding::{
    BreakingChange, ComparedVersion, EditVerdict, EditedContract, Finding, FindingKind, Misfit, WaivedMisfit,
};
use super::form::Form;
use super::model::{Direction, Entry, Lock, Sides, Subject, Waiver};
use super::options::{CheckOptions, CheckProgress};
use super::similarity;
use crate::compare::{self, ContractSchema, Options, Resolved, SchemaPath, Sources, Verdict};
use crate::schema::load::At;
use crate::schema::problem::{Problem, ProblemKind, Problems};
use crate::stack;

/// Compares the contracts of a folder with their lock. The findings are in the order of the contracts.
///
/// Nothing is found of a contract that is what was accepted, unless a version of it in the field doesn't fit it. The same
/// contracts and the same lock have the same findings on the same day.
///
/// # Errors
/// [`Problems`] with each form of the lock that had to be looked at and isn't the one of its digest, and each name in
/// `how.roles` that no event has.
pub fn check(sources: &Sources, lock: &Lock, how: &CheckOptions) -> Result<Vec<Finding>, Problems> {
    let mut problems = Vec::new();
    how.roles.unknown(&how.folder, |kind, name| how.compiles(kind, name), sources, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    findings(CheckInput { sources, lock, how, file: &how.file() })
}

/// The input of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckInput<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) lock: &'a Lock,
    pub(crate) how: &'a CheckOptions,
    /// The lock file as messages show it.
    pub(crate) file: &'a str,
}

/// Returns all findings, in the order of the contracts.
///
/// An unchanged contract is compared only with its versions in the field. Contracts are compared on all cores.
pub(super) fn findings(given: CheckInput<'_>) -> Result<Vec<Finding>, Problems> {
    let mut checks = Vec::new();
    let mut fresh = Vec::new();
    for contract in &given.sources.contracts {
        let subject = Subject::of(contract);
        match given.lock.contracts.get(&subject) {
            Some(entry) => checks.push(ContractCheck { given, contract, entry, subject }),
            None => fresh.push(contract),
        }
    }
    let observer = &given.how.observer;
    let check = |check: &ContractCheck<'_>| {
        observer.observe(CheckProgress::Comparing(&check.subject));
        let found = check.all();
        observer.observe(CheckProgress::Compared(&check.subject));
        found
    };
    observer.observe(CheckProgress::Begun(checks.len()));
    let checked = stack::each(&checks, check).map_err(|error| {
        let kind = ProblemKind::Uncompilable { error: format!("no thread can be started: {error}") };
        Problems(vec![Problem { file: given.how.folder.clone(), at: None, kind }])
    })?;
    let mut findings = Vec::new();
    let mut problems = Vec::new();
    for found in checked {
        match found {
            Ok(found) => findings.extend(found),
            Err(problem) => problems.push(*problem),
        }
    }
    gone(given, fresh, &mut findings);
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    if problems.is_empty() { Ok(findings) } else { Err(Problems(problems)) }
}

/// Finds removed and new contracts. A removed and a new one that are similar count as a renamed contract.
fn gone(given: CheckInput<'_>, mut fresh: Vec<&ContractSchema>, findings: &mut Vec<Finding>) {
    let is_there = |subject: &Subject| given.sources.contract(subject.kind, &subject.name).is_some();
    for (subject, entry) in &given.lock.contracts {
        if entry.removed.is_some() || is_there(subject) || !given.how.compiles(subject.kind, &subject.name) {
            continue;
        }
        let old = Form::read(&entry.accepted.form);
        let few = fresh.len() <= MOST_NEW;
        let like = |contract: &ContractSchema| {
            let like = similarity::likeness(old.own(), Form::of(&contract.bundle).own());
            Some(like).filter(|like| few && contract.kind == subject.kind && *like >= similarity::LIKE)
        };
        let likes = fresh.iter().enumerate().filter_map(|(index, contract)| Some((index, like(contract)?)));
        let best = likes.max_by(|(_, a), (_, b)| a.total_cmp(b));
        let finding = match best {
            Some((best, _)) => {
                let contract = fresh.remove(best);
                let kind = FindingKind::Renamed { to: Subject::of(contract) };
                Finding { subject: subject.clone(), place: contract.place.clone(), kind }
            }
            None => {
                let place = place(given.file, entry.accepted.at);
                Finding { subject: subject.clone(), place, kind: FindingKind::Removed }
            }
        };
        findings.push(finding);
    }
    findings.extend(fresh.into_iter().map(|contract| Finding {
        subject: Subject::of(contract),
        place: contract.place.clone(),
        kind: FindingKind::New,
    }));
}

/// The maximum number of new contracts among which a renamed one is searched for.
const MOST_NEW: usize = 100;

pub(super) fn place(file: &str, at: At) -> Location {
    Location { file: file.to_owned(), line: at.line, column: at.column }
}

/// One contract and its entry in the lock.
struct ContractCheck<'a> {
    given: CheckInput<'a>,
    contract: &'a ContractSchema,
    entry: &'a Entry,
    subject: Subject,
}

impl ContractCheck<'_> {
    /// Returns the findings about the contract.
    fn all(&self) -> Result<Vec<Finding>, Box<Problem>> {
        let Self { given, contract, entry, ref subject } = *self;
        let mut findings = Vec::new();
        let new = Resolved::contract(&contract.bundle);
        let digest = contract.bundle.digest();
        if entry.removed.is_some() && entry.accepted.digest == digest {
            // the change was reverted
            findings.push(Finding { subject: subject.clone(), place: contract.place.clone(), kind: FindingKind::New });
        }
        let role = given.how.roles.of(subject);
        let mut misfits = Vec::new();
        let mut behind = None;
        let mut used: Vec<&Waiver> = Vec::new();
        for held in self.held() {
            if held.version.digest == digest {
                continue;
            }
            let old = held.version.bundle(given.file)?;
            if old == contract.bundle {
                continue;
            }
            let old = Rc::new(Resolved::contract(&old));
            let (verdict, found) = self.misfits(&held, &old, &new);
            if held.because.is_none() {
                let edited = EditedContract { old: held.clone(), new: digest.clone(), edits: Vec::new(), verdict };
                behind = Some((edited, old.clone()));
            }
            for mut misfit in found {
                let matches = |waiver: &&Waiver| waiver.is_for(&held.version.digest, &digest, misfit.direction);
                let waiver = entry.waivers.iter().find(matches);
                used.extend(waiver);
                match waiver.filter(|waiver| waiver.until >= given.how.today) {
                    Some(waiver) => {
                        let place = place(given.file, waiver.at);
                        let kind = FindingKind::Waived(Box::new(WaivedMisfit { misfit, waiver: waiver.clone() }));
                        findings.push(Finding { subject: subject.clone(), place, kind });
                    }
                    None if held.sides.demand(misfit.direction) && role.demands(misfit.direction) => {
                        misfit.ended = waiver.cloned();
                        misfits.push((misfit, old.clone()));
                    }
                    None => {}
                }
            }
        }
        if !misfits.is_empty() {
            findings.push(self.broken(misfits, &new, &digest));
        } else if let Some((mut edited, old)) = behind {
            edited.edits = edit::edits(old.bundle(), &contract.bundle);
            let first = edited.edits.first().map(|edit| self.spot(edit));
            let place = first.flatten().unwrap_or_else(|| contract.place.clone());
            findings.push(Finding { subject: subject.clone(), place, kind: FindingKind::Behind(Box::new(edited)) });
        }
        // if the schema has changed again, the misfit itself is reported instead of its outdated waiver
        let settled = entry.accepted.digest == digest;
        for waiver in entry.waivers.iter().filter(|waiver| settled && !used.contains(waiver)) {
            let place = place(given.file, waiver.at);
            findings.push(Finding { subject: subject.clone(), place, kind: FindingKind::Idle(waiver.clone()) });
        }
        Ok(findings)
    }

    /// Returns the versions that it must fit: the accepted one and those in the field.
    fn held(&self) -> Vec<ComparedVersion> {
        let accepted = ComparedVersion { version: self.entry.accepted.clone(), because: None, sides: Sides::Both };
        let earlier = self.entry.earlier.iter().map(|earlier| ComparedVersion {
            version: earlier.version.clone(),
            because: Some(earlier.because.clone()),
            sides: earlier.sides,
        });
        std::iter::once(accepted).chain(earlier).collect()
    }

    /// Returns the verdict on a version, and the directions in which it doesn't fit.
    fn misfits(&self, held: &ComparedVersion, old: &Resolved, new: &Resolved) -> (EditVerdict, Vec<Misfit>) {
        let Options { budget, .. } = Options::default();
        let verdicts = [compare::verdict(old, new, budget), compare::verdict(new, old, budget)];
        let verdict = EditVerdict::of(&verdicts[0], &verdicts[1]);
        let pairs = Direction::ALL.into_iter().zip(verdicts).filter(|(_, verdict)| !verdict.fits());
        let misfits = pairs.map(|(direction, verdict)| {
            let place = match (&verdict, direction) {
                (Verdict::Breaks(witness), Direction::OldToNew) => self.given.sources.place(&witness.path),
                _ => None,
            };
            Misfit { old: held.clone(), direction, verdict, place, ended: None }
        });
        (verdict, misfits.collect())
    }

    fn broken(&self, misfits: Vec<(Misfit, Rc<Resolved>)>, new: &Resolved, digest: &str) -> Finding {
        let Self { given, contract, ref subject, .. } = *self;
        let first = misfits.first().map(|(misfit, old)| (misfit.old.clone(), old.clone()));
        let misfits: Vec<Misfit> = misfits.into_iter().map(|(misfit, _)| misfit).collect();
        let (held, old) = first.unwrap_or_else(|| {
            let held = ComparedVersion { version: self.entry.accepted.clone(), because: None, sides: Sides::Both };
            (held, Rc::new(Resolved::contract(&contract.bundle)))
        });
        // only directions that matter count
        let asked = |direction| {
            let of = |misfit: &&Misfit| misfit.direction == direction && misfit.old.version == held.version;
            misfits.iter().find(of).map_or(Verdict::Fits, |misfit| misfit.verdict.clone())
        };
        let verdicts = Direction::ALL.map(asked);
        let verdict = EditVerdict::of(&verdicts[0], &verdicts[1]);
        let directions: Vec<Direction> = Direction::ALL
            .into_iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| !verdict.fits())
            .map(|(it, _)| it)
            .collect();
        let edits = edit::edits(old.bundle(), &contract.bundle);
        let mut advice = advice::of(subject, &old, new, &edits, &directions);
        // a misfit with a witness is the most specific
        let refusing = |index: &usize| {
            let path = edits.get(*index).map(|edit| &edit.path);
            !verdicts.iter().any(|it| matches!(it, Verdict::Breaks(witness) if Some(&witness.path) == path))
        };
        advice.culprits.sort_by_key(refusing);
        let culprit = advice.culprits.first().and_then(|index| edits.get(*index)).or_else(|| edits.first());
        // if the schema is unchanged, an ended waiver is the change
        let ended = misfits.iter().find_map(|misfit| misfit.ended.as_ref());
        let at = match ended.filter(|_| self.entry.accepted.digest == *digest) {
            Some(waiver) => place(given.file, waiver.at),
            None => culprit.and_then(|edit| self.spot(edit)).unwrap_or_else(|| contract.place.clone()),
        };
        let command = advice::command(subject, &misfits, given.how);
        let mut ways = advice.ways;
        ways.extend(advice::new_event(subject, &contract.place.file, given.sources));
        let edited = EditedContract { old: held, new: digest.to_owned(), edits, verdict };
        let broken = BreakingChange { edited, culprits: advice.culprits, misfits, ways, command };
        Finding { subject: subject.clone(), place: at, kind: FindingKind::Broken(Box::new(broken)) }
    }

    /// Returns the place of an edit in the folder's files.
    fn spot(&self, edit: &edit::Edit) -> Option<Location> {
        let form = || Form::of(&self.contract.bundle);
        let path = match edit.listed() {
            Some(value) => {
                let form = form();
                let list = form.documents.get(&edit.path.document)?.pointer(&edit.path.pointer)?;
                let index = list.as_array().and_then(|items| items.iter().position(|item| item == value));
                let pointer = index.map(|index| format!("{}/{index}", edit.path.pointer));
                SchemaPath { pointer: pointer.unwrap_or(edit.path.pointer.clone()), ..edit.path.clone() }
            }
            None => edit.path.clone(),
        };
        self.given.sources.place(&path)
    }
}
