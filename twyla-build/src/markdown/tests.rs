//! Tests with hostile and ordinary texts, against rustdoc's parser.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Tag};

use twyla_contract::text::is_invisible;

use super::*;

/// Panics if rustdoc could run code in the Markdown, or show an image, HTML, a link to another scheme or an invisible
/// character.
fn assert_inert(markdown: &str, from: &str) {
    let html = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let html = html | Options::ENABLE_TASKLISTS | Options::ENABLE_SMART_PUNCTUATION;
    // rustdoc looks for doctests with the first options, and makes pages with the second
    for options in [Options::empty(), html, Options::all()] {
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == "text" => {}
                Event::Start(Tag::Link { dest_url, .. })
                    if dest_url.starts_with("http://") || dest_url.starts_with("https://") => {}
                Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)
                | Event::Html(_)
                | Event::InlineHtml(_) => panic!("{event:?} in {markdown:?}, made of {from:?}"),
                _ => {}
            }
        }
    }
    assert!(!markdown.contains(|c| is_invisible(c) && c != '\n'), "{markdown:?}");
}

#[test]
fn keeps_ordinary_markdown() {
    for (markdown, expected) in [
        ("The order's `id`, as *you* gave **it**.", "The order's `id`, as *you* gave **it**."),
        ("One line\nand another", "One line\nand another"),
        ("One\n\n\nTwo", "One\n\nTwo"),
        ("- a\n- b\n  - c\n    1. d\n- e", "- a\n- b\n  - c\n    1. d\n- e"),
        ("* a\n\n  b\n* c", "- a\n\n  b\n\n- c"),
        ("3) a\n4) b", "3. a\n4. b"),
        ("a\n\n1. b\n\n   > c\n\nd", "a\n\n1. b\n\n   > c\n\nd"),
        ("# A `title` #\ntext", "# A `title`\n\ntext"),
        ("a  \nb<br/>c", "a\\\nb\\\nc"),
        ("See [the docs](https://example.com/a?b=1&c=(2)).", "See [the docs](https://example.com/a?b=1&c=%282%29)."),
        ("| a | b |\n|:-|-:|\n| `c` | d\\|e |", "| a | b |\n| :-- | --: |\n| `c` | d\\|e |"),
        ("a\n***\nb", "a\n\n***\n\nb"),
        ("user_id, 2*3, a < b & c, R&D", "user_id, 2\\*3, a \\< b & c, R\\&D"),
        ("äöü 日本 👩‍🚀", "äöü 日本 👩\\\\u{200d}🚀"),
    ] {
        assert_eq!(text(markdown), expected);
        assert_inert(expected, markdown);
    }
}

#[test]
fn code_is_text_in_a_fence() {
    for (markdown, expected) in [
        ("~~~rust\npanic!()\n~~~", "```text\npanic!()\n```"),
        ("```\npanic!()", "```text\npanic!()\n```"),
        ("    panic!()\n\tpanic!()", "```text\npanic!()\npanic!()\n```"),
        ("a\n\n\tpanic!()", "a\n\n```text\npanic!()\n```"),
        ("-          panic!()", "- ```text\n       panic!()\n  ```"),
        ("1.       panic!()", "1. ```text\n     panic!()\n   ```"),
        (">     panic!()", "> ```text\n> panic!()\n> ```"),
        ("> - 1.      panic!()", "> - 1. ```text\n>       panic!()\n>      ```"),
        ("~~~\n```\n````\n~~~", "`````text\n```\n````\n`````"),
        ("```\n\ta\u{7}\u{2067}\n```", "```text\n    a\\u{7}\\u{2067}\n```"),
    ] {
        assert_eq!(text(markdown), expected, "{markdown:?}");
        assert_inert(expected, markdown);
    }
}

#[test]
fn what_would_be_a_link_or_a_tag_is_text() {
    for (markdown, expected) in [
        ("[x] and [`y`]", "\\[x\\] and \\[`y`\\]"),
        ("[x](y)", "x (`y`)"),
        ("[x](javascript:alert%281%29)", "x (`javascript:alert%281%29`)"),
        ("[x]\n\n[x]: crate::y", "x (`crate::y`)"),
        ("<x> </b> <!-- c -->", "\\<x> \\</b> \\<!-- c -->"),
        ("<div>\n\npanic\n", "\\<div>\n\npanic"),
        ("<a@b.example> <mailto:a@b.example>", "a@b.example mailto:a@b.example"),
        ("![x](https://example.com/y.png)", "[x](https://example.com/y.png)"),
        ("[![x](https://a.example/y.png)](https://b.example/)", "[x](https://b.example/)"),
        (
            "See https://example.com/a_b_c(d), or (http://a.example).",
            "See <https://example.com/a_b_c%28d%29>, or (<http://a.example>).",
        ),
        ("https:// and http://", "https\\:// and http\\://"),
        ("$```$<b>```", "\\$`$<b>`"),
        ("[x](https://a.example/$b) `$<b>`", "[x](https://a.example/%24b) `$<b>`"),
        ("a[^1]\n\n[^1]: b", "a^1 (`b`)"),
    ] {
        assert_eq!(text(markdown), expected, "{markdown:?}");
        assert_inert(expected, markdown);
    }
}

#[test]
fn code_spans_hold_any_text() {
    for (code_, expected) in [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        (" a ", "`  a  `"),
        (" ", "` `"),
        ("", "\"\""),
        ("```", "\\`\\`\\`"),
        ("\n\u{2067}", "`\\n\\u{2067}`"),
    ] {
        assert_eq!(code(code_), expected, "{code_:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// The Markdown written for any combination of the pieces is inert, as text, as code and as plain text.
    #[test]
    fn nothing_runs(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        let markdown = pieces.concat();
        let made = text(&markdown);
        assert_inert(&made, &markdown);
        let line = format!("a {} {}", code(&markdown), plain(&markdown));
        assert_inert(&line, &markdown);
        prop_assert!(!line.contains('\n'));
    }
}

/// The pieces of the random texts: characters with a meaning in Markdown, and others.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n\n",
    " ",
    " ",
    "  ",
    "    ",
    "\t",
    "```",
    "~~~",
    "`",
    "``",
    "~",
    "~~",
    "- ",
    "* ",
    "+ ",
    "-",
    "*",
    "**",
    "_",
    "1. ",
    "10. ",
    "2) ",
    "9",
    "99999999",
    "> ",
    ">",
    "#",
    "## ",
    "===",
    "---",
    "***",
    "[",
    "]",
    "(",
    ")",
    "](",
    "]: ",
    "![",
    "<",
    ">",
    "<b>",
    "</b>",
    "<br>",
    "<!--",
    "-->",
    "<pre>",
    "<script>",
    "<?",
    "&#32;",
    "&#9;",
    "&#10;",
    "&#96;",
    "&nbsp;",
    "&lt;",
    "\\",
    "\\\n",
    "|",
    "|-|",
    ":-",
    "a|b\n-|-",
    "x",
    "panic!()",
    "rust",
    "https://",
    "http://a.b",
    "\u{2067}",
    "\r",
    "\r\n",
    "\u{a0}",
    "\u{2028}",
    "[^1]",
    "[^1]: ",
    "[ ] ",
    "$",
    "^",
    "{",
    "}",
    "\"",
    "'",
    "...",
    "ü",
    "1",
    "\0",
];
