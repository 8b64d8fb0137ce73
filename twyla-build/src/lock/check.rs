//! Compares contracts with their lock. Pure: returns findings.

use std::io;
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
use crate::compare::{
    self, Bundle, ContractSchema, Options, Resolved, SchemaPath, Shared, Sources, Verdict, WrittenDocuments,
};
use crate::schema::load::At;
use crate::schema::problem::{Problem, ProblemKind, Problems};
use crate::stack;

/// Compares the contracts of a folder with their lock. The findings are in the order of the contracts.
///
/// A contract that equals its accepted version has no findings, except about its waivers and its versions in the field.
/// The same contracts and the same lock have the same findings on the same day.
///
/// # Errors
/// [`Problems`] with each form of the lock that is read and doesn't match its digest, and each name in `how.roles` that
/// no contract has.
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
    let found = compared(given, &checks).map_err(|error| {
        let kind = ProblemKind::Uncompilable { error: format!("a thread can't be started: {error}") };
        Problems(vec![Problem { file: given.how.folder.clone(), at: None, kind }])
    })?;
    let mut findings = found?;
    gone(given, fresh, &mut findings);
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(findings)
}

/// Compares contracts with their versions. Documents that contracts share are resolved once, before any comparison.
///
/// # Errors
/// Fails if no thread can be started.
fn compared(given: CheckInput<'_>, checks: &[ContractCheck<'_>]) -> io::Result<Result<Vec<Finding>, Problems>> {
    let observer = &given.how.observer;
    observer.observe(CheckProgress::Begun(checks.len()));
    let olds = match olds(given, checks)? {
        Ok(olds) => olds,
        Err(problems) => return Ok(Err(problems)),
    };
    let changed = checks.iter().zip(&olds).filter(|(_, olds)| !olds.is_empty());
    let news: Vec<Bundle> = changed.map(|(check, _)| check.contract.bundle.clone()).collect();
    let mut news = compare::together(&news)?.into_iter();
    let mut pairs = Vec::new();
    for (check, olds) in checks.iter().zip(olds) {
        let new = if olds.is_empty() { None } else { news.next() };
        pairs.push((check, olds, new));
    }
    let checked = stack::each(&pairs, |(check, olds, new)| {
        observer.observe(CheckProgress::Comparing(&check.subject));
        let found = check.all(olds, new.as_ref());
        observer.observe(CheckProgress::Compared(&check.subject));
        found
    })?;
    Ok(Ok(checked.into_iter().flatten().collect()))
}

/// Finds removed and new contracts. A removed contract and a new one that are similar count as a renamed contract.
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

/// The maximum number of new contracts that are searched for a renamed contract.
const MOST_NEW: usize = 100;

pub(super) fn place(file: &str, at: At) -> Location {
    Location { file: file.to_owned(), line: at.line, column: at.column }
}

/// The versions that differ from a contract.
type Olds = Vec<(ComparedVersion, Shared)>;

/// Reads the versions that differ from each contract.
///
/// # Errors
/// Fails if no thread can be started.
fn olds(given: CheckInput<'_>, checks: &[ContractCheck<'_>]) -> io::Result<Result<Vec<Olds>, Problems>> {
    let differs =
        |check: &ContractCheck<'_>, held: &ComparedVersion| held.version.digest != check.contract.bundle.digest();
    let all: Vec<(usize, ComparedVersion)> = checks
        .iter()
        .enumerate()
        .flat_map(|(index, check)| {
            let held = check.compared_versions().into_iter().filter(|held| differs(check, held));
            held.map(move |held| (index, held)).collect::<Vec<_>>()
        })
        .collect();
    let documents = WrittenDocuments::default();
    let written = stack::each(&all, |(_, held)| held.version.as_written(&documents))?;
    let known: Vec<Bundle> = written.iter().flatten().cloned().collect();
    let mut known = compare::read_together(&known)?.into_iter();
    let read: Vec<Option<Shared>> = written.into_iter().map(|it| it.and_then(|_| known.next().flatten())).collect();
    let alone: Vec<_> = all.iter().zip(&read).collect();
    // a form that couldn't be read together with others, or has another digest, is read alone
    let alone = stack::each(&alone, |((_, held), read)| match read {
        Some(read) if read.bundle().digest() == held.version.digest => None,
        _ => Some(held.version.bundle(given.file)),
    })?;
    let (mut bundles, mut problems) = (Vec::new(), Vec::new());
    let mut failed = None;
    for ((index, _), alone) in all.iter().zip(&alone) {
        match alone {
            Some(Ok(bundle)) => bundles.push(bundle.clone()),
            // only the first problem of a contract is reported
            Some(Err(problem)) if failed != Some(*index) => {
                failed = Some(*index);
                problems.push((**problem).clone());
            }
            _ => {}
        }
    }
    if !problems.is_empty() {
        return Ok(Err(Problems(problems)));
    }
    let mut bundles = compare::together(&bundles)?.into_iter();
    let mut olds: Vec<Olds> = checks.iter().map(|_| Vec::new()).collect();
    for (((index, held), read), alone) in all.into_iter().zip(read).zip(alone) {
        let old = if alone.is_some() { bundles.next() } else { read };
        if let (Some(old), Some(check), Some(olds)) = (old, checks.get(index), olds.get_mut(index))
            && *old.bundle() != check.contract.bundle
        {
            olds.push((held, old));
        }
    }
    Ok(Ok(olds))
}

/// One contract and its entry in the lock.
struct ContractCheck<'a> {
    given: CheckInput<'a>,
    contract: &'a ContractSchema,
    entry: &'a Entry,
    subject: Subject,
}

impl ContractCheck<'_> {
    /// Returns the findings about the contract, compared with the versions that differ from it.
    fn all(&self, olds: &[(ComparedVersion, Shared)], new: Option<&Shared>) -> Vec<Finding> {
        let Self { given, contract, entry, ref subject } = *self;
        let mut findings = Vec::new();
        let new = new.map_or_else(|| Resolved::contract(&contract.bundle), Shared::resolved);
        let digest = contract.bundle.digest();
        if entry.removed.is_some() && entry.accepted.digest == digest {
            // the removal was reverted: the schema is back
            findings.push(Finding { subject: subject.clone(), place: contract.place.clone(), kind: FindingKind::New });
        }
        let role = given.how.roles.of(subject);
        let mut misfits = Vec::new();
        let mut behind = None;
        let mut used: Vec<&Waiver> = Vec::new();
        for (held, old) in olds {
            let old = Rc::new(old.resolved());
            let (verdict, found) = self.misfits(held, &old, &new);
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
            findings.push(self.broken(misfits, &digest));
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
        findings
    }

    /// Returns the versions that the contract must fit: the accepted one and those in the field.
    fn compared_versions(&self) -> Vec<ComparedVersion> {
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

    fn broken(&self, misfits: Vec<(Misfit, Rc<Resolved>)>, digest: &str) -> Finding {
        let Self { given, contract, ref subject, .. } = *self;
        let first = misfits.first().map(|(misfit, old)| (misfit.old.clone(), old.clone()));
        let misfits: Vec<Misfit> = misfits.into_iter().map(|(misfit, _)| misfit).collect();
        let (held, old) = first.unwrap_or_else(|| {
            let held = ComparedVersion { version: self.entry.accepted.clone(), because: None, sides: Sides::Both };
            (held, Rc::new(Resolved::contract(&contract.bundle)))
        });
        // a direction without a misfit of this version counts as one that fits
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
        let forms = [old.bundle(), &contract.bundle].map(Form::of);
        let edits = edit::of_forms(&forms[0], &forms[1]);
        let mut advice = advice::of(subject, &old, &contract.bundle, &forms, &edits, &directions);
        // the edit at the place of a witness comes first: it is the most specific
        let refusing = |index: &usize| {
            let path = edits.get(*index).map(|edit| &edit.path);
            !verdicts.iter().any(|it| matches!(it, Verdict::Breaks(witness) if Some(&witness.path) == path))
        };
        advice.culprits.sort_by_key(refusing);
        let culprit = advice.culprits.first().and_then(|index| edits.get(*index)).or_else(|| edits.first());
        // if the schema is unchanged, the finding is due to a waiver that ended
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
