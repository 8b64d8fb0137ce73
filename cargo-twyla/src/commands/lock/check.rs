//! `cargo twyla check`: contracts held against their lock, as a build does it, and against an older one.

use std::error::Error as StdError;

use serde_json::json;
use twyla_build::compare::Verdict;
use twyla_build::lock::{self, Finding, Matter, Role, Roles, Severity};

use super::revision::{Error, at_revision};
use super::{json as as_json, show};
use crate::support::paint::{GOOD, HEAD, paint, say};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::Where;

/// Hold the contracts against their lock.
///
/// It ends with 0 where nothing stands in the way, with 1 where something does, and with 2 where it couldn't be checked: a
/// schema that is none, a lock that is broken or not there, no such revision; and with 3 where all that stands in the way is
/// what can't be decided. A lock that is behind stands in the way where
/// it is strict: in CI, or as TWYLA_LOCK says.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla check
  cargo twyla check --against origin/main       # and that nothing was taken out of the lock to hide a break
  cargo twyla check --strict --json")]
pub(crate) struct Args {
    /// Hold the contracts against the lock of this git revision too, or against its schemas where it has no lock.
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// What the service does with the contracts: only what that makes matter is asked for.
    #[arg(long, value_name = "ROLE", value_parser = ["producer", "listener"])]
    role: Option<String>,
    /// A lock that is behind stands in the way, whatever TWYLA_LOCK and CI say.
    #[arg(long)]
    strict: bool,
    /// Print what is found as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    schemas: Where,
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
        let how = lock::How { roles, ..folder.how() };
        let then = self.against.as_deref().map(|revision| at_revision(&folder, revision)).transpose()?;
        let Some(now) = now.or_else(|| then.as_ref().map(|_| lock::Lock::default())) else {
            return Err(Error::NoLock { folder: folder.shown }.into());
        };
        now.verify(&format!("{}/{}", folder.shown, lock::FILE_NAME)).map_err(Error::Problems)?;
        let sources = folder.builder(Some(&now)).contracts().map_err(Error::Problems)?;
        let mut findings = lock::check(&sources, &now, &how).map_err(Error::Problems)?;
        if let Some(then) = &then {
            let older = lock::against(&sources, &now, then, &how).map_err(Error::Problems)?;
            // what stands in the way already needn't be said twice
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
            show::told(&lock::told(&findings), strict);
            let contracts = if count == 1 { "1 contract".to_owned() } else { format!("{count} contracts") };
            match (bad, findings.is_empty()) {
                (true, _) => {
                    say!("{}: {contracts} held against the lock", paint(crate::support::paint::BAD, "not in order"))
                }
                (false, true) => say!("{}: {contracts}, all as accepted", paint(GOOD, "in order")),
                (false, false) => say!("{}: {contracts}; see above", paint(HEAD, "in order")),
            }
        }
        Ok(match bad {
            // where nothing is known to be wrong, and something isn't known to be right
            true if findings.iter().filter(|it| it.severity() >= Severity::least(strict)).all(undecided) => {
                Outcome::Undecided
            }
            true => Outcome::Found,
            false => Outcome::Fine,
        })
    }
}

/// Whether it stands in the way only because nobody can tell.
fn undecided(finding: &Finding) -> bool {
    let Matter::Broken(broken) = &finding.matter else { return false };
    broken.misfits.iter().all(|misfit| matches!(misfit.verdict, Verdict::Undecided(_)))
}
