//! The services that a change affects, by name: the manifests' services whose version of a contract doesn't fit the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use twyla_build::compare::{Bundle, ContractKind, Sources, Verdict};
use twyla_build::lock::{Direction, Finding, FindingKind, Subject};

use crate::commands::fleet::judge::Comparison;
use crate::commands::fleet::load::{self, Inputs};
use crate::commands::fleet::model::Judge;
use crate::commands::manifest::model::Version;
use crate::support::text::and;

/// A version of a service that uses a contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AffectedService {
    pub(super) service: String,
    pub(super) version: String,
    pub(super) environment: Option<String>,
    /// Whether the service sends the contract's values; otherwise it receives them.
    pub(super) sends: bool,
    /// Whether it is certain that the change affects the service; otherwise it is undecided.
    pub(super) certain: bool,
}

impl fmt::Display for AffectedService {
    /// Writes the service: `bot 2.0.0 (production)`, or `perhaps crm 1.0.0` if it is undecided whether the change affects it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let perhaps = if self.certain { "" } else { "perhaps " };
        write!(f, "{perhaps}{} {}", self.service, self.version)?;
        self.environment.as_ref().map_or(Ok(()), |environment| write!(f, " ({environment})"))
    }
}

/// Returns the message line that lists the services; `None` if there are none.
pub(super) fn named(services: &[String]) -> Option<String> {
    (!services.is_empty()).then(|| format!("by name: {}", and(services)))
}

/// The versions of the manifests' services, and all schemas.
pub(super) struct Services {
    versions: Vec<(String, Option<String>, Version)>,
    schemas: BTreeMap<String, Bundle>,
}

impl Services {
    /// Reads manifests; without any, the list of services is empty.
    pub(super) fn load(paths: &[PathBuf], sources: &Sources) -> Result<Self, load::Error> {
        let loaded = load::load(&Inputs { paths, ..Inputs::default() })?;
        let mut schemas = loaded.schemas;
        schemas.extend(sources.contracts.iter().map(|it| (it.bundle.digest(), it.bundle.clone())));
        let mut versions = Vec::new();
        for fleet in loaded.fleets {
            for member in fleet.members {
                for version in member.past.into_iter().chain(member.now) {
                    versions.push((member.name.clone(), fleet.environment.clone(), version));
                }
            }
        }
        Ok(Self { versions, schemas })
    }

    /// Returns the services that each finding affects.
    pub(super) fn affected(&self, findings: &[Finding], sources: &Sources) -> Vec<BTreeSet<AffectedService>> {
        let mut judge = Comparison::new(&self.schemas);
        findings.iter().map(|finding| self.affected_by(finding, sources, &mut judge)).collect()
    }

    fn affected_by(&self, finding: &Finding, sources: &Sources, judge: &mut impl Judge) -> BTreeSet<AffectedService> {
        let subject = &finding.subject;
        let directions = match &finding.kind {
            FindingKind::Broken(broken) => broken.directions(),
            FindingKind::Waived(waived) => vec![waived.misfit.direction],
            FindingKind::Removed | FindingKind::Renamed { .. } => {
                return self.users(subject, |_, _| Some(true)).collect();
            }
            FindingKind::Lost { digest, .. } => {
                return self.users(subject, |used, _| (used == digest).then_some(true)).collect();
            }
            _ => return BTreeSet::new(),
        };
        let Some(new) = sources.contract(subject.kind, &subject.name) else { return BTreeSet::new() };
        let new = new.bundle.digest();
        let judged = |used: &str, sends: bool| {
            let (direction, producer, consumer) = match sends {
                true => (Direction::OldToNew, used, &*new),
                false => (Direction::NewToOld, &*new, used),
            };
            if !directions.contains(&direction) {
                return None;
            }
            match &*judge.judge(producer, consumer) {
                Verdict::Fits => None,
                Verdict::Breaks(_) => Some(true),
                Verdict::Undecided(_) => Some(false),
            }
        };
        self.users(subject, judged).collect()
    }

    /// Returns the affected versions that use a contract. `certain` gets the contract's digest in a version, and whether the
    /// version sends it. It returns whether the effect is certain; `None` if the version isn't affected.
    fn users<'a>(
        &'a self,
        subject: &'a Subject,
        mut certain: impl FnMut(&str, bool) -> Option<bool> + 'a,
    ) -> impl Iterator<Item = AffectedService> + 'a {
        let all = self.versions.iter().flat_map(|(service, environment, version)| {
            used(subject, version)
                .into_iter()
                .map(move |(digest, sends)| (service, environment, version, digest, sends))
        });
        all.filter_map(move |(service, environment, version, digest, sends)| {
            Some(AffectedService {
                service: service.clone(),
                version: version.name.clone(),
                environment: environment.clone(),
                sends,
                certain: certain(&digest, sends)?,
            })
        })
    }
}

/// Returns each digest of a contract that a version uses, and whether the version sends it.
fn used(subject: &Subject, version: &Version) -> Vec<(String, bool)> {
    let Version { emits, listens, serves, calls, .. } = version;
    let name = &subject.name;
    let served = || serves.iter().filter(|it| it.method == *name);
    let called = || calls.iter().filter(|it| it.method == *name);
    match subject.kind {
        ContractKind::Context => {
            let sent = emits.iter().map(|it| &it.context).chain(calls.iter().map(|it| &it.context));
            let received = listens.iter().map(|it| &it.context).chain(serves.iter().map(|it| &it.context));
            sent.map(|it| (it.clone(), true)).chain(received.map(|it| (it.clone(), false))).collect()
        }
        ContractKind::Event => {
            let sent = emits.iter().filter(|it| it.event == *name).map(|it| (it.content.clone(), true));
            let received = listens.iter().filter(|it| it.event == *name).map(|it| (it.content.clone(), false));
            sent.chain(received).collect()
        }
        ContractKind::Request => {
            let sent = called().map(|it| (it.request.clone(), true));
            sent.chain(served().map(|it| (it.request.clone(), false))).collect()
        }
        ContractKind::Response => {
            let sent = served().map(|it| (it.response.clone(), true));
            sent.chain(called().map(|it| (it.response.clone(), false))).collect()
        }
        ContractKind::Error => {
            let sent = served().filter_map(|it| Some((it.error.clone()?, true)));
            sent.chain(called().filter_map(|it| Some((it.error.clone()?, false)))).collect()
        }
        _ => Vec::new(),
    }
}
