//! SARIF 2.1.0, as code scanning reads it.

use serde_json::{Value, json};
use twyla_contract::Location;

use super::note::{Level, Note, Report, Rule};
use crate::support::uri;

/// Returns the log, with one run.
pub(super) fn write(report: &Report) -> String {
    let rules =
        Rule::ALL.iter().map(|rule| json!({ "id": rule.id(), "shortDescription": { "text": rule.describe() } }));
    let run = json!({
        "tool": {
            "driver": {
                "name": "cargo-twyla",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            },
        },
        "invocations": [{ "executionSuccessful": report.complete }],
        // identifies the command: a later run replaces the results of the same command
        "automationDetails": { "id": format!("twyla/{}/", report.title.to_lowercase()) },
        "columnKind": "unicodeCodePoints",
        "results": report.notes.iter().map(result).collect::<Vec<_>>(),
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

fn result(note: &Note) -> Value {
    let level = match note.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let lines: Vec<&str> = std::iter::once(&note.headline).chain(&note.details).map(String::as_str).collect();
    let mut result = json!({
        "ruleId": note.rule.id(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == note.rule),
        "level": level,
        "message": { "text": lines.join("\n") },
        "locations": note.place.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": { "twylaFinding/v1": fingerprint(note) },
        "properties": { "contracts": note.subjects, "verdict": note.verdict, "hurt": note.services },
    });
    let related = note.witnesses.iter().filter_map(|it| Some((it.place.as_ref()?, it)));
    let related: Vec<Value> = related
        .enumerate()
        .map(|(id, (place, it))| {
            let mut location = location(place);
            location["id"] = id.into();
            location["message"] = json!({ "text": it.rule });
            location
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    if let Some(reason) = &note.waived {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
    }
    result
}

fn location(place: &Location) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri::path(&place.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": place.line, "startColumn": place.column },
        },
    })
}

/// Returns the identity of a finding, which doesn't depend on lines.
fn fingerprint(note: &Note) -> String {
    let text = format!("{}\n{}\n{}", note.rule.id(), note.subjects.join("\n"), note.identity);
    hmac_sha256::Hash::hash(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
