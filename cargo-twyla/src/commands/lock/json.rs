//! Findings as JSON, for other programs. Members are only added to these objects, never removed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use twyla_build::compare::{ContractKind, Verdict};
use twyla_build::lock::{EditedContract, Finding, FindingKind, Misfit, Severity, Waiver};
use twyla_contract::Location;

use super::affected::AffectedService;
use super::features::{FeatureLag, LagKind};

/// Returns a difference between the features of a contracts crate and its schemas as JSON.
pub(super) fn feature_lag(lag: &FeatureLag) -> Value {
    let is = match lag.kind {
        LagKind::NoFeature(_) => "no feature",
        LagKind::NoFolder(_) => "no folder",
    };
    let Location { file, line, column } = &lag.place;
    json!({ "name": lag.name(), "is": is, "file": file, "line": line, "column": column, "text": lag.headline() })
}

/// Returns a finding as JSON, with the services that it affects.
pub(super) fn finding(finding: &Finding, affected: &BTreeSet<AffectedService>, strict: bool) -> Value {
    let Finding { subject, place, kind: found } = finding;
    let is = match found {
        FindingKind::New => "new",
        FindingKind::Removed => "removed",
        FindingKind::Renamed { .. } => "renamed",
        FindingKind::Behind(_) => "behind",
        FindingKind::Broken(_) => "broken",
        FindingKind::Waived(_) => "waived",
        FindingKind::Idle(_) => "idle waiver",
        FindingKind::Lost { .. } => "lost",
    };
    let mut out = json!({
        "contract": subject.to_string(),
        "kind": kind(subject.kind),
        "is": is,
        "severity": if finding.severity() >= Severity::least(strict) { "error" } else { "warning" },
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "text": finding.lines(),
    });
    let more = match found {
        FindingKind::Renamed { to } => json!({ "to": to.to_string() }),
        FindingKind::Behind(edited) => self::edited(edited),
        FindingKind::Broken(broken) => {
            let mut more = self::edited(&broken.edited);
            put(
                &mut more,
                json!({
                    "misfits": broken.misfits.iter().map(misfit).collect::<Value>(),
                    "ways": broken.ways,
                    "accept": broken.command,
                }),
            );
            more
        }
        FindingKind::Waived(waived) => json!({ "misfits": [misfit(&waived.misfit)], "waiver": waiver(&waived.waiver) }),
        FindingKind::Idle(idle) => json!({ "waiver": waiver(idle) }),
        FindingKind::Lost { digest, because } => json!({ "old": digest, "because": because }),
        _ => json!({}),
    };
    put(&mut out, more);
    if !affected.is_empty() {
        put(&mut out, json!({ "hurt": affected.iter().map(affected_service).collect::<Value>() }));
    }
    out
}

fn affected_service(it: &AffectedService) -> Value {
    json!({
        "service": it.service,
        "version": it.version,
        "environment": it.environment,
        "sends": it.sends,
        "certain": it.certain,
    })
}

fn kind(kind: ContractKind) -> &'static str {
    match kind {
        ContractKind::Context => "context",
        ContractKind::Event => "event",
        rpc => rpc.way().unwrap_or("other"),
    }
}

pub(super) fn put(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

pub(super) fn edited(edited: &EditedContract) -> Value {
    let edits = edited.edits.iter().map(|edit| {
        let path = json!({ "document": edit.path.document, "pointer": edit.path.pointer });
        json!({ "path": path, "text": edit.to_string() })
    });
    json!({
        "old": edited.old.version.digest,
        "new": edited.new,
        "verdict": edited.verdict.word(),
        "changed": edits.collect::<Value>(),
    })
}

pub(super) fn misfit(misfit: &Misfit) -> Value {
    let mut out = json!({
        "direction": misfit.direction.to_string(),
        "old": misfit.old.version.digest,
        "because": misfit.old.because,
        "ended": misfit.ended.as_ref().map(waiver),
    });
    let more = match &misfit.verdict {
        Verdict::Breaks(witness) => json!({
            "witness": witness.event,
            "refused": {
                "pointer": witness.pointer,
                "keyword": witness.keyword,
                "path": { "document": witness.path.document, "pointer": witness.path.pointer },
                "rule": witness.rule,
                "place": misfit.place.as_ref().map(ToString::to_string),
            },
        }),
        Verdict::Undecided(why) => json!({
            "undecided": {
                "keyword": why.keyword,
                "path": { "document": why.path.document, "pointer": why.path.pointer },
                "reason": why.reason,
            },
        }),
        Verdict::Fits => json!({}),
    };
    put(&mut out, more);
    out
}

fn waiver(waiver: &Waiver) -> Value {
    json!({
        "old": waiver.old,
        "new": waiver.new,
        "direction": waiver.direction.to_string(),
        "reason": waiver.reason,
        "until": waiver.until.to_string(),
    })
}
