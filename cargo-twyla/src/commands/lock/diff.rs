//! `cargo twyla diff`: shows the changes since the lock, or since a revision.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use serde_json::json;
use twyla_build::lock::{self, EditVerdict, EditedContract, Finding, FindingKind, Lock};

use super::revision::{Error, at_revision};
use super::{json as as_json, show};
use crate::support::options::FormatArgs;
use crate::support::paint::{BAD, GOOD, HEAD, NAME, UNSURE, paint, say};
use crate::support::progress::Progress;
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;

/// Show the changes of the contracts, with their verdicts and witnesses.
///
/// Without a revision, compares with the lock. With one, compares with the lock of that revision, or with its schemas if it has no
/// lock. Exits with 0 whatever has changed, and with 2 after an error; use `cargo twyla check` to stop a build.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla diff
  cargo twyla diff HEAD~3
  cargo twyla diff origin/main -c api.user_input --format json")]
pub(crate) struct Args {
    /// The git revision to compare with. Default: the lock.
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// Show only these contracts.
    #[arg(short, long, value_name = "CONTRACT")]
    contract: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    schemas: SchemasArgs,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let folder = self.schemas.find()?;
        let progress = Progress::reading();
        let now = folder.lock()?;
        let then = match &self.revision {
            Some(revision) => at_revision(&folder, revision)?,
            None => now.clone().ok_or_else(|| Error::NoLock { folder: folder.shown.clone() })?,
        };
        let sources = folder.builder(now.as_ref().or(Some(&then))).contracts().map_err(Error::Problems)?;
        let mut findings =
            lock::check(&sources, &accepted_alone(&then), &folder.how(&progress)).map_err(Error::Problems)?;
        drop(progress);
        findings.retain(|finding| {
            self.contract.is_empty() || self.contract.iter().any(|name| *name == finding.subject.to_string())
        });
        if self.format.is_json() {
            let found: Vec<_> =
                findings.iter().map(|finding| as_json::finding(finding, &BTreeSet::new(), false)).collect();
            say!("{:#}", json!({ "since": self.revision, "changes": found }));
            return Ok(Outcome::Fine);
        }
        let mut left: Vec<&Finding> = findings.iter().collect();
        while let Some(first) = left.first().copied() {
            let (alike, others) =
                left.into_iter().partition(|other| std::ptr::eq(first, *other) || is_alike(first, other));
            left = others;
            print(first, &alike);
        }
        if findings.is_empty() {
            let since = self.revision.as_deref().unwrap_or("it was accepted");
            say!("{}: no contract has changed since {since}", paint(HEAD, "nothing has changed"));
        }
        Ok(Outcome::Fine)
    }
}

/// Returns a lock with the accepted versions only, without versions in the field and waivers.
fn accepted_alone(lock: &Lock) -> Lock {
    let mut lock = lock.clone();
    for entry in lock.contracts.values_mut() {
        entry.earlier.clear();
        entry.waivers.clear();
    }
    lock
}

/// Returns whether two findings have the same verdict and the same edits, all of them in shared schemas.
fn is_alike(one: &Finding, other: &Finding) -> bool {
    let is_shared = |one: &EditedContract, other: &EditedContract| {
        one.verdict == other.verdict
            && one.edits == other.edits
            && !one.edits.is_empty()
            && one.edits.iter().all(|edit| !edit.own)
    };
    match (&one.kind, &other.kind) {
        (FindingKind::Behind(one), FindingKind::Behind(other)) => is_shared(one, other),
        (FindingKind::Broken(one), FindingKind::Broken(other)) => {
            is_shared(&one.edited, &other.edited) && one.directions() == other.directions()
        }
        _ => false,
    }
}

/// Prints a finding once for all findings that are `alike`, itself included.
fn print(finding: &Finding, alike: &[&Finding]) {
    let names: Vec<String> = alike.iter().map(|it| it.subject.to_string()).collect();
    let name = paint(NAME, names.join(", "));
    match &finding.kind {
        FindingKind::New => say!("{name}  {}", paint(GOOD, "new")),
        FindingKind::Removed => say!("{name}  {}", paint(BAD, "gone")),
        FindingKind::Renamed { to } => say!("{name}  {} {to}", paint(BAD, "gone; it looks like")),
        FindingKind::Behind(edited) => print_verdict(&name, edited.verdict),
        FindingKind::Broken(broken) => print_verdict(&name, broken.edited.verdict),
        _ => return,
    }
    finding.changes().iter().for_each(|line| say!("{}", show::labelled(line)));
    say!();
}

fn print_verdict(name: &impl std::fmt::Display, verdict: EditVerdict) {
    let style = match verdict {
        EditVerdict::Additive => GOOD,
        EditVerdict::Undecided => UNSURE,
        _ => BAD,
    };
    say!("{name}  {}", paint(style, verdict.word()));
}
