//! Schema texts as Markdown for rustdoc: formatting is kept, and nothing in them runs.
//!
//! A text is parsed with rustdoc's own parser, and written again from the result. The output is inert by construction,
//! however the text was parsed:
//!
//! - punctuation that could have a meaning is escaped, and no line begins with something that could begin a block;
//! - every code block is a fence marked `text`, longer than any fence in it, so that no block is a doctest;
//! - a line is indented only as far as the list item or quote around it;
//! - links lead to `http` and `https` only, HTML is shown as text, and invisible characters are written as escapes.

mod escape;
mod writer;

use pulldown_cmark::{Options, Parser, TextMergeStream};

use self::writer::MarkdownWriter;

pub(crate) use self::escape::{code, plain};

/// Rewrites Markdown, such as a schema's `description`, so that rustdoc can show it safely.
pub(crate) fn text(markdown: &str) -> String {
    let mut writer = MarkdownWriter::default();
    TextMergeStream::new(Parser::new_ext(markdown, Options::ENABLE_TABLES)).for_each(|event| writer.event(event));
    writer.finish()
}

#[cfg(test)]
mod tests;
