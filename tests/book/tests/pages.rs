//! The book's pages: the table of contents is complete, every link has a target, and listings of contracts equal the
//! compiled ones.

mod types;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};

const BOOK: &str = "../../docs/book/src";

/// The schemas on the page of shapes.
const SHAPES: &str = "../golden/schemas/shapes";

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = fs::read_dir(BOOK).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() > 20, "{pages:?}");
    pages
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The targets of a page's links and pictures.
fn links(text: &str) -> Vec<String> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES);
    let destinations = events.filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, .. }) if link_type != LinkType::Autolink => Some(dest_url),
        Event::Start(Tag::Image { dest_url, .. }) => Some(dest_url),
        _ => None,
    });
    destinations.map(|it| it.to_string()).collect()
}

#[test]
fn every_page_is_in_the_contents() {
    let named: BTreeSet<_> = links(&read(&Path::new(BOOK).join("SUMMARY.md"))).into_iter().collect();
    let there = pages().into_iter().map(|page| page.file_name().unwrap().to_str().unwrap().to_owned());
    let there: BTreeSet<_> = there.filter(|page| page != "SUMMARY.md").collect();
    assert_eq!(named, there);
}

#[test]
fn every_link_has_a_target() {
    let mut looked_at = 0;
    let others =
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "docs/decisions/README.md"];
    for page in pages().into_iter().chain(others.map(|page| Path::new("../..").join(page))) {
        for link in links(&read(&page)) {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || link.contains("://") {
                continue;
            }
            let target = page.parent().unwrap().join(path);
            assert!(target.exists(), "{} links to {link}, which isn't there", page.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 40, "{looked_at}");
}

#[test]
fn every_included_file_exists() {
    let mut included = 0;
    for page in pages() {
        for line in read(&page).lines().filter_map(|line| line.strip_prefix("{{#include ")?.strip_suffix("}}")) {
            let target = page.parent().unwrap().join(line);
            assert!(target.is_file(), "{} includes {line}, which isn't there", page.display());
            included += 1;
        }
    }
    assert!(included >= 8, "{included}");
}

/// A listing below a line with its file's name in it, such as `schemas/context.json`, equals that file.
#[test]
fn listings_of_contracts_are_the_compiled_ones() {
    let text = read(&Path::new(BOOK).join("tutorial.md"));
    let mut files = 0;
    for part in text.split("\n`schemas/").skip(1) {
        let (file, rest) = part.split_once("`:\n\n```json\n").expect("a listing behind the file's name");
        let (listing, _) = rest.split_once("```\n").unwrap();
        assert_eq!(listing, read(&Path::new("schemas").join(file)), "{file}");
        files += 1;
    }
    assert_eq!(files, 3);
}

/// The texts of a page's code blocks of one language, each with the line above it.
fn listings<'p>(page: &'p str, language: &str) -> Vec<(&'p str, &'p str)> {
    let fence = format!("\n\n```{language}\n");
    let starts = page.match_indices(&fence).map(|(at, fence)| (at, at + fence.len()));
    let listing = |(above, start): (usize, usize)| {
        let end = page[start..].find("\n```").map(|end| start + end).expect("the block ends");
        (page[..above].lines().next_back().unwrap_or_default(), &page[start..=end])
    };
    starts.map(listing).collect()
}

/// A listing below `` `events/file.json`, `/pointer` `` equals that part of the file.
#[test]
fn schemas_on_the_page_of_shapes_are_the_compiled_ones() {
    let page = read(&Path::new(BOOK).join("shapes.md"));
    let mut schemas = 0;
    for (above, listing) in listings(&page, "json") {
        let names: Vec<&str> = above.split('`').skip(1).step_by(2).collect();
        let [file, pointer] = names[..] else { panic!("no file and pointer above a listing: {above}") };
        let file: serde_json::Value = serde_json::from_str(&read(&Path::new(SHAPES).join(file))).unwrap();
        let listed: serde_json::Value = serde_json::from_str(listing).unwrap_or_else(|error| panic!("{above} {error}"));
        assert_eq!(file.pointer(pointer), Some(&listed), "{above}");
        schemas += 1;
    }
    assert!(schemas >= 6, "{schemas}");
}

/// Each type in a block of `rs`, which rustdoc does not compile, equals the generated one, apart from attributes and the modules of types.
#[test]
fn types_on_the_page_of_shapes_are_the_generated_ones() {
    let page = read(&Path::new(BOOK).join("shapes.md"));
    let code = read(Path::new(concat!(env!("OUT_DIR"), "/shapes.rs")));
    let generated = types::all(&code);
    let mut compared = 0;
    for (_, listing) in listings(&page, "rs") {
        for (name, listed) in types::all(listing) {
            let same: Vec<_> = generated.iter().filter(|(other, _)| *other == name).map(|(_, text)| text).collect();
            assert!(same.contains(&&listed), "{name} on the page:\n{listed}\ngenerated:\n{same:#?}");
            compared += 1;
        }
    }
    assert!(compared >= 6, "{compared}");
}

#[test]
fn the_readme_is_at_most_8_kb() {
    let bytes = read(Path::new("../../README.md")).len();
    assert!(bytes <= 8_000, "{bytes} bytes");
}
