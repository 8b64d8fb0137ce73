//! Schema texts as Markdown for rustdoc: formatting is kept, and nothing in them runs.
//!
//! A text is parsed by the parser that rustdoc has, and written again from what it found. The result is inert by construction
//! and doesn't depend on how it was parsed:
//!
//! - punctuation that could mean something is escaped, and a line begins with nothing that could begin a block;
//! - every code block is a fence marked `text`, longer than any fence in it, so that no block is a doctest;
//! - a line is indented only as far as the list item or quote around it;
//! - links lead to `http` and `https` only, HTML is shown as text, and what is invisible is written in escapes.

mod escape;
mod writer;

use pulldown_cmark::{Options, Parser, TextMergeStream};

use self::writer::Writer;

pub(crate) use self::escape::{code, plain};

/// Returns a text that is Markdown already, as a schema's `description` is, as Markdown that does nothing but show it.
pub(crate) fn text(markdown: &str) -> String {
    let mut writer = Writer::default();
    TextMergeStream::new(Parser::new_ext(markdown, Options::ENABLE_TABLES)).for_each(|event| writer.event(event));
    writer.finish()
}

#[cfg(test)]
mod tests;
