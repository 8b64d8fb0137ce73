//! Findings as notes of a report for reviewers.

use std::collections::BTreeSet;

use twyla_build::compare::Verdict;
use twyla_build::lock::{EditedContract, Finding, FindingGroup, FindingKind, Misfit, Severity};

use super::affected::AffectedService;
use super::features::{FeatureLag, LagKind};
use crate::support::report::{Level, Note, Rule, Way, Witnessed};
use crate::support::text::witness as shown;

/// Returns the note of a group of findings; `affected` are the services that it affects.
pub(super) fn note(group: &FindingGroup<'_>, affected: &BTreeSet<AffectedService>, strict: bool) -> Note {
    let finding = group.first;
    let services: Vec<String> = affected.iter().map(ToString::to_string).collect();
    let named = super::affected::named(&services);
    let message = group.message(named.as_slice());
    let misfits: &[Misfit] = match &finding.kind {
        FindingKind::Broken(broken) => &broken.misfits,
        FindingKind::Waived(waived) => std::slice::from_ref(&waived.misfit),
        _ => &[],
    };
    Note {
        rule: rule(finding),
        level: if finding.severity() >= Severity::least(strict) { Level::Error } else { Level::Warning },
        place: Some(finding.place.clone()),
        subjects: group.findings().map(|it| it.subject.to_string()).collect(),
        headline: group.headline(),
        details: message.lines.into_iter().skip(1).collect(),
        verdict: verdict(group),
        witnesses: misfits.iter().filter_map(|misfit| witnessed(finding, misfit)).collect(),
        affected: group.affected(),
        services,
        ways: group.ways().into_iter().map(|way| Way { text: way.text, command: way.command }).collect(),
        waived: match &finding.kind {
            FindingKind::Waived(waived) => Some(format!("{} (until {})", waived.waiver.reason, waived.waiver.until)),
            _ => None,
        },
        identity: identity(finding),
    }
}

/// Returns the note of a difference between the features of a contracts crate and its schemas.
pub(super) fn feature_lag(lag: &FeatureLag) -> Note {
    Note {
        rule: Rule::FeaturesBehind,
        level: Level::Warning,
        place: Some(lag.place.clone()),
        subjects: vec![lag.name().to_owned()],
        headline: lag.headline(),
        details: vec![format!("  options  - {}", lag.remedy())],
        verdict: match lag.kind {
            LagKind::NoFeature(_) => "no feature".to_owned(),
            LagKind::NoFolder(_) => "unused feature".to_owned(),
        },
        witnesses: Vec::new(),
        affected: Vec::new(),
        services: Vec::new(),
        ways: vec![Way { text: lag.remedy(), command: None }],
        waived: None,
        identity: lag.name().to_owned(),
    }
}

fn rule(finding: &Finding) -> Rule {
    match &finding.kind {
        FindingKind::New => Rule::NewContract,
        FindingKind::Removed | FindingKind::Renamed { .. } => Rule::RemovedContract,
        FindingKind::Behind(_) => Rule::LockBehind,
        FindingKind::Broken(_) if is_undecided(finding) => Rule::UndecidedChange,
        FindingKind::Broken(_) => Rule::BreakingChange,
        FindingKind::Waived(_) => Rule::WaivedBreak,
        FindingKind::Idle(_) => Rule::UnusedWaiver,
        FindingKind::Lost { .. } => Rule::LostVersion,
    }
}

/// Returns whether a finding is a break of which all parts are undecided.
pub(super) fn is_undecided(finding: &Finding) -> bool {
    let FindingKind::Broken(broken) = &finding.kind else { return false };
    broken.misfits.iter().all(|misfit| matches!(misfit.verdict, Verdict::Undecided(_)))
}

fn verdict(group: &FindingGroup<'_>) -> String {
    match &group.first.kind {
        FindingKind::New => "new".to_owned(),
        FindingKind::Removed => "removed".to_owned(),
        FindingKind::Renamed { .. } => "renamed".to_owned(),
        FindingKind::Behind(edited) => edited.verdict.word().to_owned(),
        FindingKind::Broken(broken) => broken.edited.verdict.word().to_owned(),
        FindingKind::Waived(waived) => format!("accepted until {}", waived.waiver.until),
        FindingKind::Idle(_) => "unused waiver".to_owned(),
        FindingKind::Lost { .. } => "lost".to_owned(),
    }
}

fn witnessed(finding: &Finding, misfit: &Misfit) -> Option<Witnessed> {
    let Verdict::Breaks(witness) = &misfit.verdict else { return None };
    let (sender, receiver) = misfit.ends(&finding.subject);
    Some(Witnessed {
        value: shown(&witness.event),
        sender,
        receiver,
        pointer: witness.pointer.clone(),
        rule: witness.rule.clone(),
        place: misfit.place.clone(),
    })
}

/// Returns the digests that identify the finding; an empty text if it is identified by its contract alone.
fn identity(finding: &Finding) -> String {
    let edited = |edited: &EditedContract| format!("{} {}", edited.old.version.digest, edited.new);
    match &finding.kind {
        FindingKind::Behind(it) => edited(it),
        FindingKind::Broken(broken) => edited(&broken.edited),
        FindingKind::Waived(waived) => waived.waiver.old.clone(),
        FindingKind::Idle(waiver) => waiver.old.clone(),
        FindingKind::Lost { digest, .. } => digest.clone(),
        FindingKind::New | FindingKind::Removed | FindingKind::Renamed { .. } => String::new(),
    }
}
