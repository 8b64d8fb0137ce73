//! The first page: every event by its domain, every RPC by its service, and the context.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::commands::docs::html::{esc, inline};
use crate::commands::docs::site::{Kind, Site, SubjectPage};

/// The maximum length of a description, in characters, so that a page of a thousand contracts stays small.
const SUMMARY: usize = 72;

pub(super) fn main(site: &Site) -> String {
    let count = |kind| site.subjects.iter().filter(|it| it.kind == kind).count();
    let mut out =
        format!("<h1>{}</h1>\n<ul class=\"counts\" aria-label=\"Number of contracts and services\">", esc(&site.title));
    let mut counted = |number: usize, word: &str| {
        let s = if number == 1 { "" } else { "s" };
        let _ = write!(out, "<li><b>{number}</b> {word}{s}</li>");
    };
    counted(count(Kind::Event), "event");
    counted(count(Kind::Rpc), "RPC");
    let services = site.services.as_ref();
    if let Some(services) = services {
        counted(services.all.len(), "service");
    }
    out.push_str("</ul>\n");
    if let Some(context) = site.subjects.iter().find(|it| it.kind == Kind::Context) {
        let _ = writeln!(
            out,
            "<section aria-labelledby=\"context\"><h2 id=\"context\">Every event carries</h2>\n<ul class=\"list\">{}</ul></section>",
            item(context, "the context", &context.url())
        );
    }
    for (kind, heading, id) in [(Kind::Event, "Events", "events"), (Kind::Rpc, "RPCs", "rpcs")] {
        let mut groups: BTreeMap<&str, Vec<(&str, &SubjectPage)>> = BTreeMap::new();
        for subject in site.subjects.iter().filter(|it| it.kind == kind) {
            let (group, own) = subject.name.split_once('.').unwrap_or(("", &subject.name));
            groups.entry(group).or_default().push((own, subject));
        }
        if groups.is_empty() {
            continue;
        }
        let _ =
            writeln!(out, "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{heading}</h2>\n<div class=\"groups\">");
        for (group, subjects) in groups {
            let anchor = format!("{id}-{group}");
            let _ = write!(
                out,
                "<section class=\"group\" aria-labelledby=\"{0}\"><h3 id=\"{0}\">{1} <span class=\"faint\">{2}</span></h3>\n<ul class=\"list\">",
                esc(&anchor),
                esc(group),
                subjects.len()
            );
            for (own, subject) in subjects {
                out.push_str(&item(subject, own, &subject.url()));
            }
            out.push_str("</ul></section>\n");
        }
        out.push_str("</div></section>\n");
    }
    out
}

fn item(subject: &SubjectPage, name: &str, url: &str) -> String {
    let said = subject.summary().lines().next().unwrap_or_default();
    let cut = match said.char_indices().nth(SUMMARY) {
        Some((end, _)) => format!("{}…", inline(said.get(..end).unwrap_or_default().trim_end())),
        None => inline(said),
    };
    let said = if cut.is_empty() { String::new() } else { format!("<span>{cut}</span>") };
    format!("<li><a href=\"{}\">{}</a>{said}</li>\n", esc(url), esc(name))
}
