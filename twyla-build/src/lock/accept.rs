//! Accepts findings: makes the next lock from a lock and a request. Pure.

use std::collections::BTreeSet;
use std::fmt;

use twyla_contract::similar::{self, DidYouMean};

use super::check::check;
use super::date::Date;
use super::finding::{BreakingChange, Finding, FindingKind, Severity};
use super::model::{Direction, Earlier, Entry, Lock, Retired, Sides, Subject, Version, Waiver, short};
use super::options::CheckOptions;
use crate::compare::Sources;
use crate::schema::problem::Problems;

/// A request to accept findings.
#[derive(Clone, Debug)]
pub struct Request {
    /// The contracts; empty for all.
    pub subjects: Vec<Subject>,
    /// The terms.
    pub act: Act,
    /// The user and the sides of the version accepted before, if it stays in the field.
    pub keep: Option<Keep>,
}

/// The terms of accepting.
#[derive(Clone, Debug)]
pub enum Act {
    /// Accepts new contracts and additive changes.
    Fitting,
    /// Waives misfits, for a limited time.
    Waive {
        /// The directions of the misfits.
        directions: Vec<Direction>,
        /// Why the change is harmless.
        reason: String,
        /// The last day of the waiver.
        until: Date,
    },
    /// Accepts that a schema was removed.
    Remove {
        /// Why the removal is harmless.
        reason: String,
    },
    /// Retires a version that is no longer in the field.
    Retire {
        /// The beginning of the version's digest.
        digest: String,
        /// The evidence.
        reason: String,
    },
}

/// A version in the field.
#[derive(Clone, Debug)]
pub struct Keep {
    /// The user of the version: `mobile app 3.1`.
    pub because: String,
    /// The sides of the version that are in the field.
    pub sides: Sides,
}

/// The next lock.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The lock.
    pub lock: Lock,
    /// The accepted changes, one line each.
    pub done: Vec<String>,
    /// What was not accepted because it breaks something: the next build reports it as an error.
    pub left: Vec<Finding>,
}

/// Why nothing is accepted.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the messages show what the fields are")]
pub enum Refused {
    Problems(Problems),
    Unknown { name: String, near: Option<String> },
    WholeRpc { name: String, of_it: Vec<String> },
    OneOnly,
    Unnamed,
    NoReason,
    Past { until: Date, today: Date },
    Fits { subject: Subject },
    OtherDirections { subject: Subject, given: Vec<Direction>, found: Vec<Direction> },
    StillThere { subject: Subject },
    NotThere { subject: Subject },
    NoVersion { subject: Subject, digest: String, known: Vec<String> },
    NothingAccepted { subject: Subject },
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |directions: &[Direction]| match directions {
            [one] => one.to_string(),
            _ => "both".to_owned(),
        };
        match self {
            Self::Problems(problems) => write!(f, "{problems}"),
            Self::Unknown { name, near } => {
                write!(f, "there is no contract `{name}` in the folder or its lock{}", DidYouMean(near.as_deref()))
            }
            Self::WholeRpc { name, of_it } => {
                write!(f, "`{name}` is an RPC: name one of its contracts, {}", of_it.join(", "))
            }
            Self::OneOnly => f.write_str("`--retire` needs exactly one contract: name that contract"),
            Self::Unnamed => {
                f.write_str("name the contracts to accept: without names, only additive changes are accepted")
            }
            Self::NoReason => f.write_str("the reason is missing: add `--reason \"…\"`, which is kept in the lock"),
            Self::Past { until, today } => {
                write!(f, "the day {until} is in the past (today is {today}): choose a later day")
            }
            Self::Fits { subject } => {
                write!(
                    f,
                    "the change of `{subject}` breaks nothing and needs no waiver: run `cargo twyla accept {subject}`"
                )
            }
            Self::OtherDirections { subject, given, found } => write!(
                f,
                "the change of `{subject}` breaks in `--direction {}`, not {}: run `cargo twyla diff -c {subject}` \
                 before you accept it",
                words(found),
                words(given)
            ),
            Self::StillThere { subject } => {
                write!(f, "the schema of `{subject}` still exists: delete it before you accept its removal")
            }
            Self::NotThere { subject } => write!(
                f,
                "the schema of `{subject}` no longer exists: to accept that, run `cargo twyla accept {subject} \
                 --removed --reason \"…\"`"
            ),
            Self::NoVersion { subject, digest, known } if known.is_empty() => {
                write!(f, "`{subject}` has no version {digest} in the field: it has no versions in the field")
            }
            Self::NoVersion { subject, digest, known } => {
                write!(
                    f,
                    "`{subject}` has no version {digest} in the field; its versions in the field are {}",
                    known.join(", ")
                )
            }
            Self::NothingAccepted { subject } => {
                write!(f, "`{subject}` isn't in the lock yet, so it has no version in the field")
            }
        }
    }
}

/// Makes the next lock. The same request and lock have the same result.
///
/// # Errors
/// [`Refused`] if the request lacks something that the change needs, or doesn't match it.
pub fn accept(sources: &Sources, lock: &Lock, request: &Request, how: &CheckOptions) -> Result<Accepted, Refused> {
    for subject in &request.subjects {
        known(sources, lock, subject)?;
    }
    let findings = check(sources, lock, how).map_err(Refused::Problems)?;
    let mut next = NextLock { sources, lock: lock.clone(), done: Vec::new(), left: Vec::new() };
    if let Some(keep) = &request.keep {
        reason(&keep.because)?;
    }
    match &request.act {
        Act::Fitting => next.fitting(&findings, request)?,
        Act::Waive { directions, reason: why, until } => {
            reason(why)?;
            if *until < how.today {
                return Err(Refused::Past { until: *until, today: how.today });
            }
            if request.subjects.is_empty() {
                return Err(Refused::Unnamed);
            }
            for subject in &request.subjects {
                next.waive(&findings, (subject, request.keep.as_ref()), directions, (why, *until))?;
            }
        }
        Act::Remove { reason: why } => {
            reason(why)?;
            if request.subjects.is_empty() {
                return Err(Refused::Unnamed);
            }
            request.subjects.iter().try_for_each(|subject| next.remove(subject, why))?;
        }
        Act::Retire { digest, reason: why } => {
            reason(why)?;
            next.retire(only(request)?, digest, why)?;
        }
    }
    let NextLock { lock, done, left, .. } = next;
    Ok(Accepted { lock, done, left })
}

fn known(sources: &Sources, lock: &Lock, subject: &Subject) -> Result<(), Refused> {
    let all: BTreeSet<String> = sources
        .contracts
        .iter()
        .map(Subject::of)
        .chain(lock.contracts.keys().cloned())
        .map(|it| it.to_string())
        .collect();
    let name = subject.to_string();
    if all.contains(&name) {
        return Ok(());
    }
    let of_it: Vec<String> = all.iter().filter(|it| it.split('/').next() == Some(&name)).cloned().collect();
    if !of_it.is_empty() {
        return Err(Refused::WholeRpc { name, of_it });
    }
    let near = similar::nearest(&name, all.iter().map(String::as_str)).map(str::to_owned);
    Err(Refused::Unknown { name, near })
}

/// Checks a reason; refuses the placeholder that suggested commands contain.
fn reason(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() || matches!(text.trim(), "…" | "...") { Err(Refused::NoReason) } else { Ok(()) }
}

fn only(request: &Request) -> Result<&Subject, Refused> {
    if let [subject] = &*request.subjects { Ok(subject) } else { Err(Refused::OneOnly) }
}

struct NextLock<'a> {
    sources: &'a Sources,
    lock: Lock,
    done: Vec<String>,
    left: Vec<Finding>,
}

impl NextLock<'_> {
    fn fitting(&mut self, findings: &[Finding], request: &Request) -> Result<(), Refused> {
        let asked = |subject: &Subject| request.subjects.is_empty() || request.subjects.contains(subject);
        if let Some(keep) = &request.keep {
            self.keep(only(request)?, keep)?;
        }
        for finding in findings.iter().filter(|finding| asked(&finding.subject)) {
            let subject = &finding.subject;
            match &finding.kind {
                FindingKind::New => {
                    let Some(version) = self.version(subject) else { continue };
                    self.done.push(format!("`{subject}` is new: {}", version.short()));
                    let entry =
                        self.lock.contracts.entry(subject.clone()).or_insert_with(|| Entry::new(version.clone()));
                    (entry.accepted, entry.removed) = (version, None);
                }
                FindingKind::Behind(edited) => {
                    let Some(version) = self.version(subject) else { continue };
                    let word = edited.verdict.word();
                    self.done.push(format!(
                        "`{subject}`, {word}: {} -> {}",
                        edited.old.version.short(),
                        version.short()
                    ));
                    self.accepted(subject, version);
                }
                FindingKind::Idle(waiver) => {
                    self.done
                        .push(format!("`{subject}`: the unused waiver of version {} was removed", short(&waiver.old)));
                    if let Some(entry) = self.lock.contracts.get_mut(subject) {
                        entry.waivers.retain(|other| other != waiver);
                    }
                }
                FindingKind::Waived(_) => {}
                FindingKind::Broken(_)
                | FindingKind::Removed
                | FindingKind::Renamed { .. }
                | FindingKind::Lost { .. } => {
                    self.left.push(finding.clone());
                }
            }
        }
        debug_assert!(self.left.iter().all(|finding| finding.severity() == Severity::Error));
        Ok(())
    }

    fn waive(
        &mut self,
        findings: &[Finding],
        (subject, keep): (&Subject, Option<&Keep>),
        directions: &[Direction],
        (why, until): (&str, Date),
    ) -> Result<(), Refused> {
        let of = |finding: &&Finding| finding.subject == *subject;
        let broken = findings.iter().filter(of).find_map(|finding| match &finding.kind {
            FindingKind::Broken(broken) => Some(Ok(broken)),
            FindingKind::Removed | FindingKind::Renamed { .. } => {
                Some(Err(Refused::NotThere { subject: subject.clone() }))
            }
            _ => None,
        });
        let broken = broken.unwrap_or_else(|| Err(Refused::Fits { subject: subject.clone() }))?;
        let has = |direction: &Direction| broken.misfits.iter().any(|misfit| misfit.direction == *direction);
        let found: Vec<Direction> = Direction::ALL.into_iter().filter(has).collect();
        if !(found.iter().all(|it| directions.contains(it)) && directions.iter().all(|it| found.contains(it))) {
            let given = directions.to_vec();
            return Err(Refused::OtherDirections { subject: subject.clone(), given, found });
        }
        let Some(version) = self.version(subject) else { return Ok(()) };
        if let Some(keep) = keep {
            self.keep(subject, keep)?;
        }
        let new = version.digest.clone();
        self.done.push(format!(
            "`{subject}`, {}: {} -> {}, waived until {until}",
            broken.edited.verdict.word(),
            broken.edited.old.version.short(),
            version.short()
        ));
        self.misfits_in_the_field(subject, broken, why);
        self.accepted(subject, version);
        if let Some(entry) = self.lock.contracts.get_mut(subject) {
            for misfit in &broken.misfits {
                let (old, direction) = (misfit.old.version.digest.clone(), misfit.direction);
                entry.waivers.retain(|waiver| !waiver.is_for(&old, &new, direction));
                let at = misfit.old.version.at;
                entry.waivers.push(Waiver { old, new: new.clone(), direction, reason: why.to_owned(), until, at });
            }
        }
        Ok(())
    }

    /// Keeps the version accepted before as a version in the field, if the new one doesn't fit it.
    fn misfits_in_the_field(&mut self, subject: &Subject, broken: &BreakingChange, why: &str) {
        let accepted = broken.misfits.iter().filter(|misfit| misfit.old.because.is_none());
        let sides = accepted.map(|misfit| Sides::of(misfit.direction)).reduce(Sides::and);
        if let (Some(sides), Some(entry)) = (sides, self.lock.contracts.get_mut(subject)) {
            let version = entry.accepted.clone();
            put(&mut entry.earlier, Earlier { version, sides, because: why.to_owned() });
        }
    }

    /// Replaces the accepted version, and removes the waivers of the replaced one.
    fn accepted(&mut self, subject: &Subject, version: Version) {
        if let Some(entry) = self.lock.contracts.get_mut(subject) {
            entry.waivers.retain(|waiver| waiver.new == version.digest);
            entry.earlier.retain(|earlier| earlier.version != version || earlier.version == entry.accepted);
            entry.retired.retain(|retired| retired.digest != version.digest);
            (entry.accepted, entry.removed) = (version, None);
        }
    }

    fn keep(&mut self, subject: &Subject, keep: &Keep) -> Result<(), Refused> {
        let Some(entry) = self.lock.contracts.get_mut(subject) else {
            return Err(Refused::NothingAccepted { subject: subject.clone() });
        };
        let version = entry.accepted.clone();
        self.done.push(format!("`{subject}`: the version {} is in the field: {}", version.short(), keep.because));
        put(&mut entry.earlier, Earlier { version, sides: keep.sides, because: keep.because.clone() });
        Ok(())
    }

    fn remove(&mut self, subject: &Subject, why: &str) -> Result<(), Refused> {
        if self.sources.contract(subject.kind, &subject.name).is_some() {
            return Err(Refused::StillThere { subject: subject.clone() });
        }
        let entry = self.lock.contracts.get_mut(subject);
        let Some(entry) = entry else { return Err(Refused::NothingAccepted { subject: subject.clone() }) };
        entry.removed = Some(why.to_owned());
        entry.waivers.clear();
        self.done.push(format!("`{subject}` was removed"));
        Ok(())
    }

    fn retire(&mut self, subject: &Subject, digest: &str, why: &str) -> Result<(), Refused> {
        let entry = self.lock.contracts.get_mut(subject);
        let Some(entry) = entry else { return Err(Refused::NothingAccepted { subject: subject.clone() }) };
        let of = |earlier: &&Earlier| !digest.is_empty() && earlier.version.digest.starts_with(digest);
        let mut versions = entry.earlier.iter().filter(of);
        let (Some(version), None) = (versions.next().map(|earlier| earlier.version.clone()), versions.next()) else {
            let known = entry.earlier.iter().map(|it| format!("{} ({})", it.version.short(), it.because)).collect();
            return Err(Refused::NoVersion { subject: subject.clone(), digest: digest.to_owned(), known });
        };
        entry.earlier.retain(|earlier| earlier.version != version);
        entry.waivers.retain(|waiver| waiver.old != version.digest);
        entry.retired.retain(|retired| retired.digest != version.digest);
        if entry.accepted != version {
            entry.retired.push(Retired { digest: version.digest.clone(), reason: why.to_owned() });
        }
        self.done.push(format!("`{subject}`: the version {} is retired", version.short()));
        Ok(())
    }

    fn version(&self, subject: &Subject) -> Option<Version> {
        self.sources.contract(subject.kind, &subject.name).map(|contract| Version::of(&contract.bundle))
    }
}

/// Adds a version to the versions in the field, or merges it into its entry there.
fn put(list: &mut Vec<Earlier>, one: Earlier) {
    match list.iter_mut().find(|other| other.version == one.version) {
        Some(other) => {
            other.sides = other.sides.and(one.sides);
            if other.because != one.because && !other.because.split("; ").any(|it| it == one.because) {
                other.because = format!("{}; {}", other.because, one.because);
            }
        }
        None => list.push(one),
    }
}
