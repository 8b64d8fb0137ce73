//! What was changed: the list of one contract, and the page of all of them.

use std::fmt::Write;

use twyla_build::lock::EditVerdict;

use crate::commands::docs::history::{Change, What};
use crate::commands::docs::html::{esc, inline};
use crate::commands::docs::site::Site;

/// Changes of one contract that are listed.
const MOST: usize = 50;
/// Commits that the page of all changes lists.
const COMMITS: usize = 100;
/// Contracts of one commit that it names.
const NAMED: usize = 40;

/// The changes of a contract.
pub(super) fn list(changes: &[Change], out: &mut String) {
    out.push_str("<ol class=\"changes\">");
    for change in changes.iter().take(MOST) {
        out.push_str("<li>");
        head(change, out);
        what(&change.what, out);
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

fn badge(what: &What) -> String {
    let (class, word) = match what {
        What::Added => ("good", "new"),
        What::Removed => ("bad", "taken out"),
        What::Words => ("quiet", "words only"),
        What::Unreadable => ("quiet", "was no schema"),
        What::Edited { verdict: None, .. } => ("quiet", "changed"),
        What::Edited { verdict: Some(verdict), .. } => (
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

fn what(what: &What, out: &mut String) {
    out.push_str(&badge(what));
    if let What::Edited { edits, .. } = what {
        let lines: Vec<String> = edits.iter().map(|it| format!("<li>{}</li>", inline(it))).collect();
        let _ = write!(out, "<ul class=\"edits\">{}</ul>", lines.concat());
    }
}

/// A contract that a commit has changed: how, what it is called, and where its page is.
type Touched<'a> = (&'a What, &'a str, Option<&'a str>);

/// The page.
pub(super) fn main(site: &Site) -> String {
    let mut out =
        "<h1>Changes</h1>\n<p class=\"lead\">What git knows of the contracts, the newest first.</p>\n".to_owned();
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
            those.push((&change.what, name, url.as_deref()));
        }
    }
    if commits.is_empty() {
        out.push_str("<p class=\"faint\">Git knows of no change.</p>\n");
        return out;
    }
    out.push_str("<ol class=\"changes\">");
    for (first, those) in commits.iter().take(COMMITS) {
        out.push_str("<li>");
        head(first, &mut out);
        out.push_str("<ul class=\"touched\">");
        for (what, name, url) in those.iter().take(NAMED) {
            let name = match url {
                Some(url) => format!("<a href=\"{}#changes\">{}</a>", esc(url), esc(name)),
                None => esc(name),
            };
            let _ = write!(out, "<li>{} {name}</li>", badge(what));
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
