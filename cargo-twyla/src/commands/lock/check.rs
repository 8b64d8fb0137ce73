//! `cargo twyla check`: checks contracts against their lock, as a build does, and against an older lock.

use std::error::Error as StdError;

use serde_json::json;
use twyla_build::compare::Verdict;
use twyla_build::lock::{self, Finding, FindingKind, Role, Roles, Severity};

use super::revision::{Error, at_revision};
use super::{json as as_json, show};
use crate::support::paint::{GOOD, HEAD, paint, say};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;

/// Check the contracts against their lock.
///
/// Exit codes: 0 the contracts fit; 1 a change doesn't; 2 they can't be checked, because a schema is invalid, the lock is broken or
/// missing, or the revision doesn't exist; 3 only changes that can't be decided are left. A lock that is behind is an error if it
/// is strict: in CI, or as TWYLA_LOCK says.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla check
  cargo twyla check --against origin/main       # and that nothing was taken out of the lock to hide a break
  cargo twyla check --strict --json")]
pub(crate) struct Args {
    /// Check the contracts against the lock of this git revision too, or against its schemas if it has no lock.
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// What the service does with the contracts; other directions are not checked.
    #[arg(long, value_name = "ROLE", value_parser = ["producer", "listener"])]
    role: Option<String>,
    /// Treat a lock that is behind as an error, whatever TWYLA_LOCK and CI say.
    #[arg(long)]
    strict: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    schemas: SchemasArgs,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let strict = self.strict || lock::strict()?;
        let folder = self.schemas.find()?;
        let now = folder.lock()?;
        let roles = Roles::new(match self.role.as_deref() {
            Some("producer") => Role::Producer,
            Some("listener") => Role::Listener,
            _ => Role::Both,
        });
        let how = lock::CheckOptions { roles, ..folder.how() };
        let then = self.against.as_deref().map(|revision| at_revision(&folder, revision)).transpose()?;
        let Some(now) = now.or_else(|| then.as_ref().map(|_| lock::Lock::default())) else {
            return Err(Error::NoLock { folder: folder.shown }.into());
        };
        now.verify(&format!("{}/{}", folder.shown, lock::FILE_NAME)).map_err(Error::Problems)?;
        let sources = folder.builder(Some(&now)).contracts().map_err(Error::Problems)?;
        let mut findings = lock::check(&sources, &now, &how).map_err(Error::Problems)?;
        if let Some(then) = &then {
            let older = lock::against(&sources, &now, then, &how).map_err(Error::Problems)?;
            // errors that are already reported are not repeated
            let said = |finding: &Finding| {
                findings.iter().any(|it| it.subject == finding.subject && it.severity() >= finding.severity())
            };
            let more: Vec<Finding> = older.into_iter().filter(|finding| !said(finding)).collect();
            findings.extend(more);
        }
        let bad = findings.iter().any(|finding| finding.severity() >= Severity::least(strict));
        let count = sources.contracts.len();
        if self.json {
            let found: Vec<_> = findings.iter().map(|finding| as_json::finding(finding, strict)).collect();
            let whole = json!({ "ok": !bad, "contracts": count, "findings": found });
            say!("{whole:#}");
        } else {
            show::print(&lock::messages(&findings), strict);
            let contracts = if count == 1 { "1 contract".to_owned() } else { format!("{count} contracts") };
            match (bad, findings.is_empty()) {
                (true, _) => {
                    say!("{}: {contracts} checked against the lock", paint(crate::support::paint::BAD, "not in order"))
                }
                (false, true) => say!("{}: {contracts}, all as accepted", paint(GOOD, "in order")),
                (false, false) => say!("{}: {contracts}; see above", paint(HEAD, "in order")),
            }
        }
        Ok(match bad {
            // undecided if nothing is known to break, and something isn't known to fit
            true if findings.iter().filter(|it| it.severity() >= Severity::least(strict)).all(undecided) => {
                Outcome::Undecided
            }
            true => Outcome::Found,
            false => Outcome::Fine,
        })
    }
}

/// Whether a finding is only undecided.
fn undecided(finding: &Finding) -> bool {
    let FindingKind::Broken(broken) = &finding.kind else { return false };
    broken.misfits.iter().all(|misfit| matches!(misfit.verdict, Verdict::Undecided(_)))
}
