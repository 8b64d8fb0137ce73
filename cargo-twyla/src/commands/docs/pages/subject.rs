//! The page of an event, an RPC or the context.

use std::fmt::Write;

use super::changes;
use crate::commands::docs::fields::Row;
use crate::commands::docs::html::{esc, inline, json, prose};
use crate::commands::docs::services::Does;
use crate::commands::docs::site::{Kind, Locked, Part, Site, SubjectPage};
use crate::support::verb::Verb;

pub(super) fn main(site: &Site, at: usize, root: &str) -> String {
    let Some(subject) = site.subjects.get(at) else { return String::new() };
    let mut out = String::new();
    crumbs(subject, root, &mut out);
    let word = match subject.kind {
        Kind::Context => "context",
        Kind::Event => "event",
        Kind::Rpc => "RPC",
    };
    let _ = write!(out, "<div class=\"columns\">\n<article>\n<p class=\"kind\"><span class=\"badge\">{word}</span>");
    if subject.parts.iter().any(|it| it.idempotent) {
        out.push_str(" <span class=\"badge quiet\">idempotent</span>");
    }
    let _ = writeln!(out, "</p>\n<h1>{}</h1>", broken(&subject.name));
    let first = subject.parts.first();
    if let Some(part) = first {
        let _ = writeln!(out, "<div class=\"lead\">{}</div>", prose(&part.description));
    }
    let mut contents: Vec<(String, String)> = Vec::new();
    flow(site, subject, root, &mut contents, &mut out);
    for part in &subject.parts {
        self::part(subject, part, &mut contents, &mut out);
    }
    wire(subject, &mut contents, &mut out);
    history(site, subject, &mut contents, &mut out);
    neighbours(site, at, root, &mut out);
    out.push_str("</article>\n<nav class=\"contents\" aria-label=\"On this page\"><h2>On this page</h2><ul>");
    for (id, title) in contents {
        let _ = write!(out, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    out.push_str("</ul></nav>\n</div>\n");
    out
}

/// Returns a name with line-break opportunities at its dots.
fn broken(name: &str) -> String {
    esc(name).replace('.', "<wbr>.").replace('_', "_<wbr>")
}

fn crumbs(subject: &SubjectPage, root: &str, out: &mut String) {
    let _ = write!(
        out,
        "<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><ol><li><a href=\"{root}index.html\">Contracts</a></li>"
    );
    if let Some((group, _)) = subject.name.split_once('.') {
        let id = if subject.kind == Kind::Rpc { "rpcs" } else { "events" };
        let _ = write!(out, "<li><a href=\"{root}index.html#{id}-{0}\">{0}</a></li>", esc(group));
    }
    let _ = writeln!(out, "<li aria-current=\"page\">{}</li></ol></nav>", esc(&subject.name));
}

fn section(id: &str, title: &str, contents: &mut Vec<(String, String)>, out: &mut String) {
    contents.push((id.to_owned(), title.to_owned()));
    let _ = writeln!(out, "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>");
}

/// Writes the producers and consumers.
fn flow(site: &Site, subject: &SubjectPage, root: &str, contents: &mut Vec<(String, String)>, out: &mut String) {
    let Some(services) = site.services.as_ref().filter(|_| subject.kind != Kind::Context) else { return };
    let is_method = subject.kind == Kind::Rpc;
    let empty = Vec::new();
    let does = services.of.get(&(is_method, subject.name.clone())).unwrap_or(&empty);
    section("who", if is_method { "Who calls and who serves" } else { "Who emits and who listens" }, contents, out);
    let (from, to) = if is_method { (Verb::Calls, Verb::Serves) } else { (Verb::Emits, Verb::Listens) };
    out.push_str("<div class=\"flow\">");
    for (verb, label, none) in [
        (from, if is_method { "Called by" } else { "Emitted by" }, if is_method { "no caller" } else { "no producer" }),
        (
            to,
            if is_method { "Served by" } else { "Listened to by" },
            if is_method { "no server" } else { "no listener" },
        ),
    ] {
        if verb == to {
            let _ =
                write!(out, "<div class=\"through\" aria-hidden=\"true\"><span>{}</span></div>", broken(&subject.name));
        }
        let _ = write!(out, "<div><h3>{label}</h3><ul>");
        let mut any = false;
        for it in does.iter().filter(|it| it.verb == verb) {
            any = true;
            service(it, root, out);
        }
        if !any {
            let _ = write!(out, "<li class=\"none\">{none}</li>");
        }
        out.push_str("</ul></div>");
    }
    out.push_str("</div></section>\n");
}

fn service(it: &Does, root: &str, out: &mut String) {
    let _ = write!(
        out,
        "<li><a href=\"{root}services.html#service-{0}\">{0}</a> <span class=\"faint\">{1}",
        esc(&it.service),
        esc(&it.version)
    );
    if let Some(environment) = &it.environment {
        let _ = write!(out, ", {}", esc(environment));
    }
    out.push_str("</span>");
    if let Some(group) = &it.group {
        let _ = write!(out, "<br><span class=\"faint\">group</span> <code>{}</code>", esc(group));
    }
    if let Some(handler) = &it.handler {
        let _ = write!(out, "<br><span class=\"faint\">handler</span> <code>{}</code>", esc(handler));
    }
    if !it.is_current {
        out.push_str("<br><span class=\"badge warn\">built with another version of this contract</span>");
    }
    out.push_str("</li>");
}

fn part(subject: &SubjectPage, part: &Part, contents: &mut Vec<(String, String)>, out: &mut String) {
    let (prefix, title) = match part.way {
        Some("request") => ("request-", "Request"),
        Some("response") => ("response-", "Response"),
        Some(_) => ("error-", "Error"),
        None => ("", "Fields"),
    };
    let id = if prefix.is_empty() { "fields".to_owned() } else { format!("{prefix}fields") };
    section(&id, title, contents, out);
    // the description of the first part is at the top of the page
    if part.way.is_some_and(|way| way != "request") {
        out.push_str(&prose(&part.description));
    }
    table(&part.rows, if subject.kind == Kind::Rpc { title } else { &subject.name }, out);
    let _ = writeln!(
        out,
        "<p class=\"facts\"><span>Schema <code>{}</code></span><span>Rust <code>{}</code></span><span>Digest <code title=\"{}\">{}</code></span></p>\n</section>",
        esc(&part.place),
        esc(&part.rust_type),
        esc(&part.digest),
        esc(part.digest.get(..12).unwrap_or(&part.digest)),
    );
    let id = format!("{prefix}examples");
    let title =
        if part.way.is_some() { format!("Examples of the {}", title.to_lowercase()) } else { "Examples".to_owned() };
    section(&id, &title, contents, out);
    for (i, (label, text)) in part.examples.iter().enumerate() {
        let open = if i == 0 { " open" } else { "" };
        let _ = writeln!(
            out,
            "<details class=\"example\"{open}><summary>{label}</summary><pre tabindex=\"0\" role=\"region\" aria-label=\"{title}: {label}, JSON\"><code>{}</code></pre></details>",
            json(text)
        );
    }
    if let Some(why) = &part.no_example {
        let _ = writeln!(out, "<p class=\"faint\">{}</p>", esc(why));
    }
    out.push_str("</section>\n");
}

fn table(rows: &[Row], of: &str, out: &mut String) {
    if rows.is_empty() {
        out.push_str("<p class=\"faint\">No fields are declared.</p>\n");
        return;
    }
    let _ = writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The table of the fields of {0}\"><table class=\"fields\"><caption class=\"unseen\">Fields of {0}</caption>\
         <thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">What it is, and its rules</th></tr></thead>\n<tbody>",
        esc(of)
    );
    for row in rows {
        let depth = row.depth.min(6);
        let class = if row.is_choice { "choice" } else { "" };
        let _ = write!(
            out,
            "<tr class=\"d{depth} {class}\"><th scope=\"row\"><span class=\"within\">{}</span><span class=\"name\">{}</span>",
            esc(&row.within),
            broken(&row.name)
        );
        if row.required && !row.is_choice {
            out.push_str("<span class=\"must\">required</span>");
        }
        if row.sensitive {
            out.push_str(
                "<span class=\"badge secret\" title=\"x-sensitive: it is never logged or shown\">sensitive</span>",
            );
        }
        if row.deprecated {
            out.push_str("<span class=\"badge warn\">deprecated</span>");
        }
        let _ = write!(out, "</th><td class=\"type\">{}</td><td>{}", esc(&row.types), prose(&row.description));
        if !row.rules.is_empty() {
            let rules: Vec<String> = row.rules.iter().map(|rule| format!("<li>{}</li>", inline(rule))).collect();
            let _ = write!(out, "<ul class=\"rules\">{}</ul>", rules.concat());
        }
        if !row.place.is_empty() && !row.is_choice {
            let _ = write!(out, "<span class=\"place\">{}</span>", esc(&row.place));
        }
        out.push_str("</td></tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn wire(subject: &SubjectPage, contents: &mut Vec<(String, String)>, out: &mut String) {
    let Some((group, own)) = subject.name.split_once('.') else { return };
    section("wire", "On the wire", contents, out);
    out.push_str("<dl class=\"wire\">");
    let mut fact = |name: &str, value: String| {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    match subject.kind {
        Kind::Rpc => {
            fact("Method and path", format!("<code>POST /rpc/{}</code>", esc(own)));
            fact("Service", format!("<code>{}</code>", esc(group)));
            fact("Context", "<code>twyla-context</code>, a header with JSON in ASCII".to_owned());
        }
        _ => {
            fact("Exchange", format!("<code>{}</code>, topic, durable", esc(group)));
            fact("Routing key", format!("<code>{}</code>", esc(own)));
            fact("Queue of a group", format!("<code>{}.&lt;group&gt;</code>", esc(&subject.name)));
        }
    }
    out.push_str("</dl></section>\n");
}

fn history(site: &Site, subject: &SubjectPage, contents: &mut Vec<(String, String)>, out: &mut String) {
    let locked = subject.parts.iter().any(|it| it.locked.is_some());
    if !site.has_history && !locked {
        return;
    }
    section("changes", "Changes over time", contents, out);
    for part in &subject.parts {
        if let Some(way) = part.way {
            let _ = writeln!(out, "<h3>The {way}</h3>");
        }
        if let Some(locked) = &part.locked {
            lock(locked, out);
        }
        if part.changes.is_empty() {
            let said = if site.has_history {
                "Git has no change of this contract."
            } else {
                "The folder is not in a git repository."
            };
            let _ = writeln!(out, "<p class=\"faint\">{said}</p>");
        } else {
            changes::list(&part.changes, out);
        }
    }
    out.push_str("</section>\n");
}

fn edits(edits: &[String], out: &mut String) {
    if !edits.is_empty() {
        let lines: Vec<String> = edits.iter().map(|it| format!("<li>{}</li>", inline(it))).collect();
        let _ = write!(out, "<ul class=\"edits\">{}</ul>", lines.concat());
    }
}

fn lock(locked: &Locked, out: &mut String) {
    let Locked { is_accepted, edits: since, field, waivers, retired } = locked;
    out.push_str("<div class=\"lock\">");
    if *is_accepted {
        out.push_str("<p><span class=\"badge good\">accepted</span> The lock has this version.</p>");
    } else {
        out.push_str(
            "<p><span class=\"badge warn\">not accepted</span> The lock has an earlier version; changed since:</p>",
        );
        edits(since, out);
    }
    for (because, sides, since) in field {
        let _ = write!(
            out,
            "<p><span class=\"badge\">in the field</span> {}, of its {}; since then:</p>",
            esc(because),
            if sides == "both" { "producers and listeners" } else { sides }
        );
        edits(since, out);
    }
    for (reason, direction, until) in waivers {
        let _ = write!(
            out,
            "<p><span class=\"badge warn\">waived</span> {} until {}: {}</p>",
            esc(direction),
            esc(until),
            esc(reason)
        );
    }
    for (digest, reason) in retired {
        let _ = write!(
            out,
            "<p><span class=\"badge quiet\">retired</span> <code>{}</code> {}</p>",
            esc(digest),
            esc(reason)
        );
    }
    out.push_str("</div>\n");
}

/// Writes the links to the previous and the next page of the same kind.
fn neighbours(site: &Site, at: usize, root: &str, out: &mut String) {
    let kind = site.subjects.get(at).map(|it| it.kind);
    let of = |at: Option<usize>| at.and_then(|at| site.subjects.get(at)).filter(|it| Some(it.kind) == kind);
    let (before, after) = (of(at.checked_sub(1)), of(Some(at + 1)));
    if before.is_none() && after.is_none() {
        return;
    }
    out.push_str("<nav class=\"beside\" aria-label=\"Before and after\">");
    for (it, rel, word) in [(before, "prev", "Before"), (after, "next", "After")] {
        if let Some(it) = it {
            let _ = write!(
                out,
                "<a rel=\"{rel}\" href=\"{root}{}\"><span class=\"faint\">{word}</span> {}</a>",
                esc(&it.url()),
                broken(&it.name)
            );
        }
    }
    out.push_str("</nav>\n");
}
