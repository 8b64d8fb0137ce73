//! Converts a page of a crate's docs to a page of the book.

use std::ops::Range;

use pulldown_cmark::{BrokenLink, Event, Options, Parser, Tag, TagEnd};

/// Returns the file that a line `{{#include FILE}}` of a page includes; `None` without such a line.
pub(super) fn included(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("{{#include ")?.strip_suffix("}}"))
}

/// Adds the language `rust` to listings without a language, which rustdoc takes for Rust.
pub(super) fn rust(text: &str) -> String {
    let mut open = false;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let fence = line.strip_prefix("```");
        match fence {
            Some("") if !open => out.push_str("```rust"),
            Some("no_run") if !open => out.push_str("```rust,no_run"),
            _ => out.push_str(line),
        }
        if fence.is_some() {
            open = !open;
        }
        out.push('\n');
    }
    out
}

/// An open link: its range in the page, its new destination, and the range of its text.
type Link = (Range<usize>, Option<String>, Option<Range<usize>>);

/// Gives each link and picture the destination that `place` returns. A link without a destination becomes its text.
pub(super) fn rewrite(text: &str, mut place: impl FnMut(&str) -> Option<String>) -> String {
    // in rustdoc, a name in brackets without a destination is a link to the item of this name
    let item = |link: BrokenLink| Some((link.reference.into_string().into(), "".into()));
    let events = Parser::new_with_broken_link_callback(text, Options::ENABLE_TABLES, Some(item)).into_offset_iter();
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut link: Option<Link> = None;
    for (event, range) in events {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => link = Some((range, place(&dest_url), None)),
            Event::End(TagEnd::Link) => {
                let Some((whole, destination, label)) = link.take() else { continue };
                let label = label.map_or("", |label| &text[label]);
                let new = destination.map_or_else(|| label.to_owned(), |place| format!("[{label}]({place})"));
                changes.push((whole, new));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                if let Some(new) = place(&dest_url) {
                    changes.push((range.clone(), text[range].replace(&*dest_url, &new)));
                }
            }
            _ => {
                if let Some((_, _, label)) = &mut link {
                    let start = label.as_ref().map_or(range.start, |label| label.start);
                    *label = Some(start..range.end);
                }
            }
        }
    }
    let mut out = text.to_owned();
    for (range, new) in changes.into_iter().rev() {
        out.replace_range(range, &new);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_items_become_their_text_and_others_lead_where_the_book_has_them() {
        let place = |link: &str| (link == "a.md").then(|| "b.md".to_owned());
        let text = "See [`emit`](crate::Bus::emit), [the *page*](a.md), [`sample`] and ![x](a.md).\n\n[`sample`]: Bus::sample\n";
        assert_eq!(
            rewrite(text, place),
            "See `emit`, [the *page*](b.md), `sample` and ![x](b.md).\n\n[`sample`]: Bus::sample\n"
        );
    }

    #[test]
    fn a_listing_without_a_language_is_rust() {
        assert_eq!(rust("```\na\n```\n```text\nb\n```\n"), "```rust\na\n```\n```text\nb\n```\n");
    }

    #[test]
    fn knows_what_is_included() {
        assert_eq!(included("# T\n\n{{#include ../a.md}}\n"), Some("../a.md"));
        assert_eq!(included("# T\n"), None);
    }
}
