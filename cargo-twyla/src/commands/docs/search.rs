//! The index of the search: a script that holds one list, loaded at the first search.

use serde_json::{Value, json};

use super::site::{Kind, Site};

/// The maximum length of a description, in characters.
const SUMMARY: usize = 100;
/// The maximum number of fields per subject in the index.
const FIELDS: usize = 60;

/// Returns the script: `[kind, name, description, fields]` of each subject; the first two give the URL of its page.
pub(super) fn index(site: &Site) -> String {
    let entries = site.subjects.iter().map(|subject| {
        let kind = match subject.kind {
            Kind::Context => 0,
            Kind::Event => 1,
            Kind::Rpc => 2,
        };
        let summary: String = subject.summary().lines().next().unwrap_or_default().chars().take(SUMMARY).collect();
        let mut fields: Vec<&str> = Vec::new();
        for row in
            subject.parts.iter().flat_map(|part| &part.rows).filter(|row| !row.is_choice && row.name != "(the whole)")
        {
            if !fields.contains(&row.name.as_str()) && fields.len() < FIELDS {
                fields.push(&row.name);
            }
        }
        json!([kind, subject.name, summary, fields.join(" ")])
    });
    // one entry per line, so that a site under version control has readable diffs
    let lines: Vec<String> = entries.map(|it: Value| it.to_string()).collect();
    format!("window.twylaIndex = [\n{}\n];\n", lines.join(",\n"))
}
