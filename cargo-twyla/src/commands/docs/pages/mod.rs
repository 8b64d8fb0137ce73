//! The site's files: a page for each event and RPC and for the context, the pages about all of them, and the scripts and
//! styles that pages load.

mod changes;
mod names;
mod overview;
mod services;
mod subject;

use std::collections::BTreeMap;

use super::html::{Page, Shell};
use super::search;
use super::site::{Kind, Site};

const STYLE: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/site.js");
const RELOAD: &str = include_str!("../assets/reload.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Writes every file of a site, by its path below the site's root.
pub(super) fn files(site: &Site, served: bool) -> BTreeMap<String, String> {
    let mut entries = vec![("Contracts", "index.html")];
    if site.services.is_some() {
        entries.push(("Services", "services.html"));
    }
    if site.has_history {
        entries.push(("Changes", "changes.html"));
    }
    let shell = Shell { title: site.title.clone(), entries, served };
    let mut files = BTreeMap::new();
    let mut add = |path: &str, text: String| drop(files.insert(path.to_owned(), text));
    add("style.css", STYLE.to_owned());
    add("site.js", SCRIPT.to_owned());
    add("icon.svg", ICON.to_owned());
    add("search.js", search::index(site));
    if served {
        add("reload.js", RELOAD.to_owned());
    }
    let page = |title: &str, root: &str, here: &str, main: String| shell.page(&Page { title, root, here, main });
    add("index.html", page("", "", "Contracts", overview::main(site)));
    if let Some(services) = &site.services {
        add("fleet.svg", services.svg.clone());
        add("services.html", page("Services", "", "Services", services::main(site, services)));
    }
    if site.has_history {
        add("changes.html", page("Changes", "", "Changes", changes::main(site)));
    }
    for (at, subject) in site.subjects.iter().enumerate() {
        let root = if subject.kind == Kind::Context { "" } else { "../" };
        add(&subject.url(), page(&subject.name, root, "", subject::main(site, at, root)));
    }
    files
}
