//! What the search looks in: a script that holds one list, loaded when somebody begins to search.

use serde_json::{Value, json};

use super::site::{Kind, Site};

/// How much of what each is shows, in characters.
const SUMMARY: usize = 100;
/// The fields of one subject that can be found.
const FIELDS: usize = 60;

/// The script: `[kind, name, what it is, its fields]` of each subject; where its page is follows from the first two.
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
    // one on each line: a site that is under version control shows what was changed
    let lines: Vec<String> = entries.map(|it: Value| it.to_string()).collect();
    format!("window.twylaIndex = [\n{}\n];\n", lines.join(",\n"))
}
