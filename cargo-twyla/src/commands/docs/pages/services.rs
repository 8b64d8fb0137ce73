//! The page of the services: the fleet's picture, a description of it in words, and what each service does.

use std::fmt::Write;

use super::names;
use crate::commands::docs::html::{esc, inline};
use crate::commands::docs::services::Services;
use crate::commands::docs::site::{Site, event_url, rpc_url};
use crate::commands::fleet::report::Outlook;
use crate::support::verb::Verb;

pub(super) fn main(site: &Site, services: &Services) -> String {
    let named = names::named(site);
    let link = |is_method: bool, name: &str| {
        let url = if is_method { rpc_url(name) } else { event_url(name) };
        if named.contains(&(is_method, name)) {
            format!("<a href=\"{}\">{}</a>", esc(&url), esc(name))
        } else {
            format!("<code>{}</code>", esc(name))
        }
    };
    let mut out = "<h1>Services</h1>\n<p class=\"lead\">The deployed services and what they send each other, according to their manifests.</p>\n".to_owned();
    out.push_str(
        "<section aria-labelledby=\"picture\"><h2 id=\"picture\">The fleet</h2>\n<figure><div class=\"scroll picture\" tabindex=\"0\" role=\"region\" aria-label=\"The fleet's picture\">\
         <a href=\"fleet.svg\"><img src=\"fleet.svg\" alt=\"The services, and the events and calls between them; the table below has the same in words\"></a></div>\
         <figcaption>Boxes are services, rounded ones events, square ones methods. Pairs that don't fit are red.</figcaption></figure></section>\n",
    );
    out.push_str(
        "<section aria-labelledby=\"words\"><h2 id=\"words\">The same in words</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The table of who sends what to whom\">\
         <table><caption class=\"unseen\">Who sends what to whom</caption><thead><tr><th scope=\"col\">From</th><th scope=\"col\">What</th><th scope=\"col\">To</th><th scope=\"col\">Fits</th></tr></thead><tbody>\n",
    );
    for edge in &services.edges {
        let (class, word) = match edge.outlook {
            Outlook::Fine => ("good", "fits"),
            Outlook::Undecided => ("warn", "undecided"),
            Outlook::Drains => ("warn", "drain its queue first"),
            Outlook::Breaks => ("bad", "breaks"),
        };
        let group =
            edge.group.as_ref().map(|it| format!(" <span class=\"faint\">as {}</span>", esc(it))).unwrap_or_default();
        let environment = edge.environment.as_ref().map(|it| format!(" <span class=\"faint\">{}</span>", esc(it)));
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}{}</th><td>{}</td><td>{}{group}</td><td><span class=\"badge {class}\">{word}</span></td></tr>",
            esc(&edge.producer),
            environment.unwrap_or_default(),
            link(edge.is_method, &edge.subject),
            esc(&edge.consumer),
        );
    }
    out.push_str("</tbody></table></div>\n");
    if !services.loose.is_empty() {
        let lines: Vec<String> = services.loose.iter().map(|it| format!("<li>{}</li>", inline(it))).collect();
        let _ = writeln!(out, "<h3>Loose ends</h3><ul>{}</ul>", lines.concat());
    }
    out.push_str(
        "</section>\n<section aria-labelledby=\"each\"><h2 id=\"each\">Each service</h2>\n<div class=\"cards\">",
    );
    let mut seen = std::collections::BTreeSet::new();
    for service in &services.all {
        // a service in several environments has several cards: links lead to the first one
        let id =
            if seen.insert(&service.name) { format!(" id=\"service-{}\"", esc(&service.name)) } else { String::new() };
        let environment = service.environment.as_ref().map(|it| format!(", {}", esc(it))).unwrap_or_default();
        let _ = write!(
            out,
            "<section class=\"card\"{id}><h3>{} <span class=\"faint\">{}{environment}</span></h3><dl>",
            esc(&service.name),
            esc(&service.version)
        );
        for verb in Verb::ALL {
            let names: Vec<String> = service
                .does
                .iter()
                .filter(|(it, _)| *it == verb)
                .map(|(_, name)| link(verb.is_of_rpc(), name))
                .collect();
            if !names.is_empty() {
                let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", verb.word(), names.join(", "));
            }
        }
        out.push_str("</dl></section>\n");
    }
    out.push_str("</div></section>\n");
    out
}
