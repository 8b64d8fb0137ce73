//! `cargo twyla check`: checks contracts against their lock, as a build does, and against an older lock.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::json;
use twyla_build::Problems;
use twyla_build::compare::Sources;
use twyla_build::lock::{self, Finding, FindingGroup, Message, Role, Roles, Severity};

use super::affected::{self, AffectedService, Services};
use super::features::{self, FeatureLag};
use super::revision::{Error, at_revision};
use super::{json as as_json, review, show};
use crate::support::options::ReportArgs;
use crate::support::paint::{BAD, GOOD, HEAD, paint};
use crate::support::progress::Progress;
use crate::support::report::{Form, Format, Report};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::{self, Folder, SchemasArgs};

/// The title of reports.
const TITLE: &str = "Contracts";

/// Check the contracts against their lock.
///
/// Exit codes: 0 the contracts fit; 1 a change doesn't; 2 they can't be checked, because a schema is invalid, the lock is broken or
/// missing, or the revision doesn't exist; 3 only changes that can't be decided are left. A lock that is behind is an error if it
/// is strict: in CI, or as TWYLA_LOCK says.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla check
  cargo twyla check --against origin/main       # also checks that nothing was removed from the lock to hide a breaking change
  cargo twyla check --strict --format json
  cargo twyla check --against origin/main --manifests fleet/ --format markdown -o comment.md    # also names the affected services")]
pub(crate) struct Args {
    /// Check the contracts against the lock of this git revision too, or against its schemas if it has no lock.
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// The service's role, if it only emits (producer) or only listens (listener). The other direction is not checked.
    #[arg(long, value_name = "ROLE", value_parser = ["producer", "listener"])]
    role: Option<String>,
    /// Treat an outdated lock as an error, whatever the variables TWYLA_LOCK and CI are.
    #[arg(long)]
    strict: bool,
    /// Manifests of the services, or folders of them, to name the services that a change affects; can be given several
    /// times.
    #[arg(short, long, value_name = "DIR|FILE")]
    manifests: Vec<PathBuf>,
    #[command(flatten)]
    output: ReportArgs,
    #[command(flatten)]
    schemas: SchemasArgs,
}

/// The findings in a folder.
struct Checked {
    sources: Sources,
    findings: Vec<Finding>,
    /// The services that each finding affects.
    affected: Vec<BTreeSet<AffectedService>>,
    /// The differences between the features of the contracts crate and the folder.
    lags: Vec<FeatureLag>,
    strict: bool,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let strict = self.strict || lock::strict()?;
        let format = self.output.format();
        let folder = self.schemas.find()?;
        let checked = match (self.check(&folder, strict), format.form()) {
            (Ok(checked), _) => checked,
            (Err(error), Some(form)) => {
                // the report shows schemas that can't be compiled, too
                if let Some(problems) = problems(&*error) {
                    self.output.print(&Report::of_problems(TITLE, problems).write(form, &folder.path))?;
                }
                return Err(error);
            }
            (Err(error), None) => return Err(error),
        };
        let text = match (format, format.form()) {
            (_, Some(form)) => checked.report(form, &folder),
            (Format::Json, None) => format!("{:#}\n", checked.json()),
            _ => checked.text(),
        };
        self.output.print(&text)?;
        Ok(checked.outcome())
    }
}

impl Args {
    fn check(&self, folder: &Folder, strict: bool) -> Result<Checked, Box<dyn StdError + Send + Sync>> {
        let progress = Progress::reading();
        let now = folder.lock()?;
        let roles = Roles::new(match self.role.as_deref() {
            Some("producer") => Role::Producer,
            Some("listener") => Role::Listener,
            _ => Role::Both,
        });
        let how = lock::CheckOptions { roles, ..folder.how(&progress) };
        let then = self.against.as_deref().map(|revision| at_revision(folder, revision)).transpose()?;
        let Some(now) = now.or_else(|| then.as_ref().map(|_| lock::Lock::default())) else {
            return Err(Error::NoLock { folder: folder.shown.clone() }.into());
        };
        now.verify(&format!("{}/{}", folder.shown, lock::FILE_NAME)).map_err(Error::Problems)?;
        let sources = folder.builder(Some(&now)).contracts().map_err(Error::Problems)?;
        let mut findings = lock::check(&sources, &now, &how).map_err(Error::Problems)?;
        if let Some(then) = &then {
            let older = lock::against(&sources, &now, then, &how).map_err(Error::Problems)?;
            // leave out a finding if one of the same contract that is as severe is already reported
            let said = |finding: &Finding| {
                findings.iter().any(|it| it.subject == finding.subject && it.severity() >= finding.severity())
            };
            let more: Vec<Finding> = older.into_iter().filter(|finding| !said(finding)).collect();
            findings.extend(more);
        }
        let affected = match self.manifests.is_empty() {
            true => vec![BTreeSet::new(); findings.len()],
            false => Services::load(&self.manifests, &sources)?.affected(&findings, &sources),
        };
        let lags = features::lags(folder);
        Ok(Checked { sources, findings, affected, lags, strict })
    }
}

/// Returns the problems of schemas that caused an error; `None` for other errors.
fn problems<'a>(error: &'a (dyn StdError + Send + Sync + 'static)) -> Option<&'a Problems> {
    match (error.downcast_ref::<Error>(), error.downcast_ref::<schemas::Error>()) {
        (Some(Error::Problems(problems) | Error::Schemas(schemas::Error::Problems(problems))), _)
        | (_, Some(schemas::Error::Problems(problems))) => Some(problems),
        _ => None,
    }
}

impl Checked {
    /// Returns the findings that fail the check.
    fn bad(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity() >= Severity::least(self.strict))
    }

    fn outcome(&self) -> Outcome {
        match self.bad().next() {
            None => Outcome::Fine,
            // undecided if every failing finding is undecided
            Some(_) if self.bad().all(review::is_undecided) => Outcome::Undecided,
            Some(_) => Outcome::Found,
        }
    }

    /// Returns the services that a group of findings affects.
    fn affected_by(&self, group: &FindingGroup<'_>) -> BTreeSet<AffectedService> {
        let of = |finding: &Finding| {
            let all = self.findings.iter().zip(&self.affected);
            all.filter(|(it, _)| std::ptr::eq(*it, finding))
                .flat_map(|(_, affected)| affected.clone())
                .collect::<Vec<_>>()
        };
        group.findings().flat_map(of).collect()
    }

    /// Returns the result and the number of contracts.
    fn summary(&self) -> (&'static str, String) {
        let count = self.sources.contracts.len();
        let contracts = if count == 1 { "1 contract".to_owned() } else { format!("{count} contracts") };
        match (self.bad().next(), self.findings.is_empty()) {
            (Some(_), _) => ("not in order", format!("{contracts} checked against the lock")),
            (None, true) => ("in order", format!("{contracts}, all as accepted")),
            (None, false) => ("in order", format!("{contracts}; see above")),
        }
    }

    fn text(&self) -> String {
        let message = |group: &FindingGroup<'_>| {
            let names: Vec<String> = self.affected_by(group).iter().map(ToString::to_string).collect();
            group.message(affected::named(&names).as_slice())
        };
        let messages: Vec<Message> = lock::groups(&self.findings).iter().map(message).collect();
        let mut text = show::feature_lags(&self.lags) + &show::text(&messages, self.strict);
        let (result, contracts) = self.summary();
        let style = match self.outcome() {
            Outcome::Fine if self.findings.is_empty() => GOOD,
            Outcome::Fine => HEAD,
            _ => BAD,
        };
        let _ = writeln!(text, "{}: {contracts}", paint(style, result));
        text
    }

    fn json(&self) -> serde_json::Value {
        let found = self.findings.iter().zip(&self.affected);
        let found: Vec<_> = found.map(|(finding, affected)| as_json::finding(finding, affected, self.strict)).collect();
        let is_bad = self.bad().next().is_some();
        let mut out = json!({ "ok": !is_bad, "contracts": self.sources.contracts.len(), "findings": found });
        if !self.lags.is_empty() {
            as_json::put(
                &mut out,
                json!({ "features": self.lags.iter().map(as_json::feature_lag).collect::<Vec<_>>() }),
            );
        }
        out
    }

    fn report(&self, form: Form, folder: &Folder) -> String {
        let groups = lock::groups(&self.findings);
        let notes = groups.iter().map(|group| review::note(group, &self.affected_by(group), self.strict));
        let notes = notes.chain(self.lags.iter().map(review::feature_lag)).collect();
        let (result, contracts) = self.summary();
        let summary = format!("{result}: {}", contracts.replace("; see above", ""));
        Report { title: TITLE, summary, complete: true, notes, remarks: Vec::new() }.write(form, &folder.path)
    }
}
