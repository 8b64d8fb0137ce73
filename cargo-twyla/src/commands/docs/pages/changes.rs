//! Changes: the list of one contract, and the page of all contracts.

use std::fmt::Write;

use twyla_build::lock::EditVerdict;

use crate::commands::docs::history::{Change, ChangeKind};
use crate::commands::docs::html::{esc, inline};
use crate::commands::docs::site::Site;

/// The maximum number of changes listed for one contract.
const MOST: usize = 50;
/// The maximum number of commits on the page of all changes.
const COMMITS: usize = 100;
/// The maximum number of contracts named for one commit.
const NAMED: usize = 40;

/// Writes the changes of a contract.
pub(super) fn list(changes: &[Change], out: &mut String) {
    out.push_str("<ol class=\"changes\">");
    for change in changes.iter().take(MOST) {
        out.push_str("<li>");
        head(change, out);
        describe(&change.kind, out);
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n");
    if changes.len() > MOST {
        let _ = writeln!(out, "<p class=\"faint\">And {} before that.</p>", changes.len() - MOST);
    }
}

fn head(change: &Change, out: &mut String) {
    match &change.commit {
        Some(commit) => drop(write!(
            out,
            "<p class=\"commit\"><time datetime=\"{0}\">{0}</time> <span class=\"subject\">{1}</span> <span class=\"faint\">{2}, <code>{3}</code></span></p>",
            esc(&commit.date),
            esc(&commit.subject),
            esc(&commit.author),
            esc(commit.id.get(..10).unwrap_or(&commit.id))
        )),
        None => out.push_str("<p class=\"commit\"><span class=\"subject\">Not committed yet</span></p>"),
    }
}

fn badge(kind: &ChangeKind) -> String {
    let (class, word) = match kind {
        ChangeKind::Added => ("good", "new"),
        ChangeKind::Removed => ("bad", "removed"),
        ChangeKind::Words => ("quiet", "words only"),
        ChangeKind::Unreadable => ("quiet", "not a schema"),
        ChangeKind::Edited { verdict: None, .. } => ("quiet", "changed"),
        ChangeKind::Edited { verdict: Some(verdict), .. } => (
            match verdict {
                EditVerdict::Additive => "good",
                EditVerdict::Undecided | EditVerdict::ConsumerFirst | EditVerdict::ProducerFirst => "warn",
                EditVerdict::Breaking => "bad",
            },
            verdict.word(),
        ),
    };
    format!("<span class=\"badge {class}\">{word}</span>")
}

fn describe(kind: &ChangeKind, out: &mut String) {
    out.push_str(&badge(kind));
    if let ChangeKind::Edited { edits, .. } = kind {
        let lines: Vec<String> = edits.iter().map(|it| format!("<li>{}</li>", inline(it))).collect();
        let _ = write!(out, "<ul class=\"edits\">{}</ul>", lines.concat());
    }
}

/// A contract that a commit has changed: the kind of change, the name, and the URL of its page.
type Touched<'a> = (&'a ChangeKind, &'a str, Option<&'a str>);

/// Returns the page of all changes.
pub(super) fn main(site: &Site) -> String {
    let mut out =
        "<h1>Changes</h1>\n<p class=\"lead\">Changes of the contracts in git, the newest first.</p>\n".to_owned();
    let mut all: Vec<(&Change, String, Option<String>)> = Vec::new();
    for subject in &site.subjects {
        for part in &subject.parts {
            let name = part.way.map_or_else(|| subject.name.clone(), |way| format!("{}/{way}", subject.name));
            all.extend(part.changes.iter().map(|it| (it, name.clone(), Some(subject.url()))));
        }
    }
    for (name, changes) in &site.gone {
        all.extend(changes.iter().map(|it| (it, name.clone(), None)));
    }
    let mut commits: Vec<(&Change, Vec<Touched<'_>>)> = Vec::new();
    let mut places: std::collections::HashMap<Option<&str>, usize> = std::collections::HashMap::new();
    all.sort_by(|a, b| {
        let key = |it: &Change| it.commit.as_ref().map(|it| it.order);
        key(a.0).cmp(&key(b.0)).then_with(|| a.1.cmp(&b.1))
    });
    for (change, name, url) in &all {
        let id = change.commit.as_ref().map(|it| it.id.as_str());
        let place = *places.entry(id).or_insert_with(|| {
            commits.push((change, Vec::new()));
            commits.len() - 1
        });
        if let Some((_, those)) = commits.get_mut(place) {
            those.push((&change.kind, name, url.as_deref()));
        }
    }
    if commits.is_empty() {
        out.push_str("<p class=\"faint\">Git has no change of the contracts.</p>\n");
        return out;
    }
    out.push_str("<ol class=\"changes\">");
    for (first, those) in commits.iter().take(COMMITS) {
        out.push_str("<li>");
        head(first, &mut out);
        out.push_str("<ul class=\"touched\">");
        for (kind, name, url) in those.iter().take(NAMED) {
            let name = match url {
                Some(url) => format!("<a href=\"{}#changes\">{}</a>", esc(url), esc(name)),
                None => esc(name),
            };
            let _ = write!(out, "<li>{} {name}</li>", badge(kind));
        }
        if those.len() > NAMED {
            let _ = write!(out, "<li class=\"faint\">and {} more</li>", those.len() - NAMED);
        }
        out.push_str("</ul></li>\n");
    }
    out.push_str("</ol>\n");
    if commits.len() > COMMITS {
        let _ = writeln!(out, "<p class=\"faint\">And {} commits before that.</p>", commits.len() - COMMITS);
    }
    out
}
