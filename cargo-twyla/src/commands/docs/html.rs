//! HTML: the frame of each page, and the escaping of all text.

use std::fmt::Write;

use twyla_contract::text::is_invisible;

/// The content security policy: pages load only files beside them. It forbids inline scripts and styles, so that a script in
/// a contract's text would not run.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";
/// The policy of served pages, which reload.
const POLICY_SERVED: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// Escapes a text for HTML, between tags or in a quoted attribute. Invisible characters, and those that move text, are replaced.
pub(super) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            // a character that changes the reading direction would disguise the text
            c if is_invisible(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Formats a description: paragraphs, and `code` for text in backticks.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
        let _ = write!(out, "<p>{}</p>", inline(paragraph));
    }
    out
}

/// Formats a description as one line.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    // a backtick without a partner stays a backtick
    let pairs = if parts.len() % 2 == 1 { parts.len() } else { parts.len() - 1 };
    for (i, part) in parts.iter().enumerate() {
        match (i % 2 == 1, i < pairs) {
            (true, true) => drop(write!(out, "<code>{}</code>", esc(part))),
            (_, true) => out.push_str(&esc(part)),
            (_, false) => drop(write!(out, "`{}", esc(part))),
        }
    }
    out
}

/// Returns JSON as HTML with colours.
pub(super) fn json(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (class, length) = match c {
            '"' => {
                let end = string_end(rest);
                let is_name = rest.get(end..).is_some_and(|after| after.starts_with(':'));
                (if is_name { "k" } else { "s" }, end)
            }
            '0'..='9' | '-' | 'a'..='z' => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')));
                ("n", end.unwrap_or(rest.len()))
            }
            _ => (
                "",
                rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_alphanumeric()).unwrap_or(rest.len()).max(1),
            ),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match class {
            "" => out.push_str(&esc(token)),
            class => drop(write!(out, "<span class=\"{class}\">{}</span>", esc(token))),
        }
        rest = after;
    }
    out
}

/// Returns the byte offset after the JSON string that a text begins with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A page.
pub(super) struct Page<'a> {
    /// The title of the page, which precedes the title of the site.
    pub(super) title: &'a str,
    /// The relative URL of the site's root: empty, or `../`.
    pub(super) root: &'a str,
    /// The entry of the navigation that the page belongs to.
    pub(super) here: &'a str,
    /// The content, as HTML.
    pub(super) main: String,
}

/// The parts that all pages share.
pub(super) struct Shell {
    pub(super) title: String,
    /// The entries of the navigation: title and URL.
    pub(super) entries: Vec<(&'static str, &'static str)>,
    /// Whether pages reload by themselves.
    pub(super) served: bool,
}

impl Shell {
    /// Returns a whole page.
    pub(super) fn page(&self, page: &Page<'_>) -> String {
        let Page { title, root, here, main } = page;
        let site = esc(&self.title);
        let title = if title.is_empty() { site.clone() } else { format!("{} · {site}", esc(title)) };
        let policy = if self.served { POLICY_SERVED } else { POLICY };
        let mut entries = String::new();
        for (name, path) in &self.entries {
            let current = if name == here { " aria-current=\"page\"" } else { "" };
            let _ = write!(entries, "<li><a href=\"{root}{path}\"{current}>{name}</a></li>");
        }
        let reload =
            if self.served { format!("<script src=\"{root}reload.js\" defer></script>\n") } else { String::new() };
        format!(
            "<!doctype html>\n<html lang=\"en\" data-root=\"{root}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<link rel=\"icon\" href=\"{root}icon.svg\" type=\"image/svg+xml\">\n\
             <link rel=\"stylesheet\" href=\"{root}style.css\">\n<script src=\"{root}site.js\" defer></script>\n{reload}</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
             <header class=\"top\">\n<a class=\"brand\" href=\"{root}index.html\"><img src=\"{root}icon.svg\" alt=\"\" width=\"26\" height=\"26\">{site}</a>\n\
             <nav aria-label=\"Site\"><ul>{entries}</ul></nav>\n\
             <div class=\"search\" role=\"search\">\n<label class=\"unseen\" for=\"q\">Search events, RPCs and fields</label>\n\
             <input id=\"q\" type=\"search\" role=\"combobox\" placeholder=\"Search events, RPCs, fields\" autocomplete=\"off\" spellcheck=\"false\" \
             aria-autocomplete=\"list\" aria-expanded=\"false\" aria-controls=\"found\" aria-keyshortcuts=\"/\">\n\
             <kbd aria-hidden=\"true\">/</kbd>\n<div id=\"found\" role=\"listbox\" aria-label=\"What was found\" hidden></div>\n\
             <p id=\"said\" class=\"unseen\" role=\"status\"></p>\n</div>\n</header>\n\
             <main id=\"main\" tabindex=\"-1\">\n{main}</main>\n\
             <footer><p>Made from the schemas by <code>cargo twyla docs</code>. These pages load nothing from elsewhere.</p></footer>\n\
             </body>\n</html>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            esc("<a href='x' on=\"y\">&\u{202e}\u{7}"),
            "&lt;a href=&#39;x&#39; on=&quot;y&quot;&gt;&amp;\u{fffd}\u{fffd}"
        );
        assert_eq!(esc("\u{200b}\u{2067}\u{e0061}\u{2028}\u{ad}"), "\u{fffd}".repeat(5));
        assert_eq!(inline("a `<b>` c ` d"), "a <code>&lt;b&gt;</code> c ` d");
        assert_eq!(prose("one\n\ntwo`"), "<p>one</p><p>two`</p>");
        assert_eq!(
            json("{\"a\\\"<\": -1.5, \"b\": [\"ü\", true]}"),
            "{<span class=\"k\">&quot;a\\&quot;&lt;&quot;</span>: <span class=\"n\">-1.5</span>, <span class=\"k\">&quot;b&quot;</span>: [<span class=\"s\">&quot;ü&quot;</span>, <span class=\"n\">true</span>]}"
        );
    }
}
