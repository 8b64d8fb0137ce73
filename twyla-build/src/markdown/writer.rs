//! Writes parsed Markdown: blocks with the lists and quotes around them, and inline text.

use std::fmt::Write;

use pulldown_cmark::{Alignment, Event, LinkType, Tag, TagEnd};
use twyla_contract::text::Visible;

use super::escape::{BREAK, code, escape, guard, url_length, web};

/// The maximum depth of nested lists and quotes; the content of deeper ones is shown at this depth.
const MOST_CONTAINERS: usize = 8;

/// A list item or a quote around the current text.
struct Container {
    is_item: bool,
    /// The prefixes of the container's first line and of the other lines.
    first: String,
    rest: String,
    /// Whether the container's first line is written.
    begun: bool,
}

impl Container {
    fn quote() -> Self {
        Self { is_item: false, first: "> ".to_owned(), rest: "> ".to_owned(), begun: false }
    }

    fn item(marker: String) -> Self {
        Self { is_item: true, rest: " ".repeat(marker.len()), first: marker, begun: false }
    }
}

#[derive(Default)]
struct List {
    /// The number of the next item.
    number: Option<u64>,
    /// Whether the list's items are paragraphs, with blank lines between them.
    loose: bool,
}

struct Link {
    url: String,
    /// Whether the link was written as a bare URL.
    bare: bool,
    /// The start of the link's text.
    start: usize,
    /// The link's text without markup.
    plain: String,
}

#[derive(Default)]
struct Table {
    columns: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

#[derive(Default)]
pub(super) struct MarkdownWriter {
    lines: Vec<String>,
    /// The text of the current paragraph, heading or cell.
    inline: String,
    /// The starts of open emphasis in `inline`.
    starts: Vec<usize>,
    /// The outermost link, and the number of open links and images.
    link: Option<Link>,
    links: usize,
    containers: Vec<Container>,
    /// Whether each open item and quote is among `containers`.
    kept: Vec<bool>,
    lists: Vec<List>,
    /// Whether a blank line comes before the next block.
    gap: bool,
    /// The text of the current code block.
    code: Option<String>,
    table: Option<Table>,
}

impl MarkdownWriter {
    /// Returns the Markdown written so far, as text.
    pub(super) fn finish(mut self) -> String {
        self.flush();
        self.lines.join("\n")
    }

    /// Writes the next event of the parsed text.
    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(text) => {
                if let Some(link) = &mut self.link {
                    link.plain.push_str(&text);
                }
                match text.contains('|') && self.table.is_some() {
                    true => escape(&text, &mut self.inline),
                    false => self.inline.push_str(&code(&text)),
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::SoftBreak => self.inline.push('\n'),
            Event::HardBreak => self.inline.push(BREAK),
            Event::Rule => {
                self.flush();
                self.apart();
                self.block(["***".to_owned()]);
            }
            // events of disabled extensions
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => self.text(&text),
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis | Tag::Strong => self.starts.push(self.inline.len()),
            Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
                self.links += 1;
                if self.links == 1 {
                    let bare = matches!(link_type, LinkType::Autolink | LinkType::Email);
                    let (url, start) = (dest_url.into_string(), self.inline.len());
                    self.link = Some(Link { url, bare, start, plain: String::new() });
                }
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Paragraph => {
                self.flush();
                let in_item = self.in_item();
                if let Some(list) = self.lists.last_mut().filter(|_| in_item) {
                    list.loose = true;
                }
                self.apart();
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.apart();
                self.open(Container::quote());
            }
            Tag::List(number) => {
                self.flush();
                // a numbered list can follow a line of text directly only if it begins with 1
                if self.gap || number.is_some_and(|number| number != 1) {
                    self.apart();
                }
                self.blank();
                // Markdown allows nine digits at most in the number of an item
                let number = number.map(|number| number.min(100_000_000));
                self.lists.push(List { number, loose: false });
            }
            Tag::Item => {
                self.flush();
                let Some(list) = self.lists.last_mut() else { return };
                let marker = match &mut list.number {
                    Some(number) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    None => "- ".to_owned(),
                };
                self.gap &= list.loose;
                self.open(Container::item(marker));
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.apart();
                self.code = Some(String::new());
            }
            Tag::Table(columns) => {
                self.flush();
                self.apart();
                self.table = Some(Table { columns, rows: Vec::new() });
            }
            Tag::TableCell => {}
            _ => {
                self.flush();
                self.apart();
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.emphasized("*"),
            TagEnd::Strong => self.emphasized("**"),
            TagEnd::Link | TagEnd::Image => {
                self.links = self.links.saturating_sub(1);
                if self.links == 0 {
                    self.linked();
                }
            }
            TagEnd::Heading(level) => {
                let text = std::mem::take(&mut self.inline).replace(['\n', BREAK], " ");
                let text = text.trim();
                if !text.is_empty() {
                    // otherwise Markdown strips `#` at the end of the line
                    let text = text.strip_suffix('#').map_or(text.to_owned(), |text| format!("{text}\\#"));
                    self.block([format!("{} {text}", "#".repeat(level as usize))]);
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::Item => {
                self.flush();
                if self.kept.pop() == Some(true) {
                    self.containers.pop();
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = true;
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let ticks = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                let fence = "`".repeat((ticks + 1).max(3));
                // the width of a tab depends on the text before it
                let lines = code.lines().map(|line| Visible(&line.replace('\t', "    ")).to_string());
                let lines: Vec<String> = lines.collect();
                self.block(std::iter::once(format!("{fence}text")).chain(lines).chain([fence]));
            }
            TagEnd::TableCell => {
                let text = std::mem::take(&mut self.inline).replace(['\n', BREAK], " ");
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(text.trim().to_owned());
                }
            }
            TagEnd::Table => self.tabled(),
            TagEnd::TableHead | TagEnd::TableRow => {}
            _ => self.flush(),
        }
    }

    fn open(&mut self, container: Container) {
        let keep = self.containers.len() < MOST_CONTAINERS;
        self.blank();
        self.kept.push(keep);
        if keep {
            self.containers.push(container);
        }
    }

    /// Separates the next block from the previous one by a blank line, if a block precedes it.
    fn apart(&mut self) {
        self.gap = !self.lines.is_empty() && self.containers.last().is_none_or(|container| container.begun);
    }

    fn in_item(&self) -> bool {
        self.containers.last().is_some_and(|container| container.is_item)
    }

    fn blank(&mut self) {
        if std::mem::take(&mut self.gap) {
            self.line("");
        }
    }

    fn line(&mut self, text: &str) {
        let mut line = String::new();
        for container in &mut self.containers {
            let begun = std::mem::replace(&mut container.begun, true);
            line.push_str(if begun { &container.rest } else { &container.first });
        }
        line.push_str(text);
        line.truncate(line.trim_end_matches(' ').len());
        self.lines.push(line);
    }

    fn block(&mut self, lines: impl IntoIterator<Item = String>) {
        self.blank();
        lines.into_iter().for_each(|line| self.line(&line));
        self.gap = true;
    }

    /// Ends a paragraph, or the text of an item that isn't a paragraph.
    fn flush(&mut self) {
        self.starts.clear();
        let text = std::mem::take(&mut self.inline);
        let text = text.trim_matches([' ', '\n', BREAK]);
        if text.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for part in text.split_inclusive(['\n', BREAK]) {
            let line = part.trim_matches([' ', '\n', BREAK]);
            if !line.is_empty() {
                let end = if part.ends_with(BREAK) { "\\" } else { "" };
                lines.push(guard(line) + end);
            }
        }
        self.block(lines);
        self.gap = !self.in_item() || self.lists.last().is_some_and(|list| list.loose);
    }

    fn text(&mut self, text: &str) {
        if let Some(link) = &mut self.link {
            link.plain.push_str(text);
            return escape(text, &mut self.inline);
        }
        let mut rest = text;
        while let Some(at) = [rest.find("http://"), rest.find("https://")].into_iter().flatten().min() {
            let (before, from) = rest.split_at(at);
            escape(before, &mut self.inline);
            let (url, behind) = from.split_at(url_length(from));
            match web(url) {
                Some(to) => drop(write!(self.inline, "<{to}>")),
                None => {
                    // only the scheme of a URL
                    let (scheme, behind) = from.split_at(from.find(':').unwrap_or_default());
                    self.inline.push_str(scheme);
                    rest = behind;
                    continue;
                }
            }
            rest = behind;
        }
        escape(rest, &mut self.inline);
    }

    fn html(&mut self, html: &str) {
        let is_break = |html: &str| {
            let name = html.trim().strip_prefix('<').and_then(|html| html.strip_suffix('>'));
            name.is_some_and(|name| name.trim_end_matches('/').trim_end().eq_ignore_ascii_case("br"))
        };
        if is_break(html) {
            self.inline.push(BREAK);
            return;
        }
        for line in html.split_inclusive('\n') {
            self.text(line.trim_end_matches(['\r', '\n']));
            if line.ends_with('\n') {
                self.inline.push('\n');
            }
        }
    }

    fn emphasized(&mut self, mark: &str) {
        let Some(start) = self.starts.pop() else { return };
        let Some(inner) = self.inline.get(start..) else { return };
        // a delimiter beside white space has no effect, and could begin a list
        if !inner.is_empty() && !inner.starts_with(char::is_whitespace) && !inner.ends_with(char::is_whitespace) {
            self.inline.insert_str(start, mark);
            self.inline.push_str(mark);
        }
    }

    fn linked(&mut self) {
        let Some(Link { url, bare, start, plain }) = self.link.take() else { return };
        let inner = self.inline.split_off(start.min(self.inline.len()));
        let text = inner.trim_matches([' ', '\n', BREAK]);
        match web(&url) {
            Some(to) if text.is_empty() || plain == url => drop(write!(self.inline, "<{to}>")),
            Some(to) => drop(write!(self.inline, "[{text}]({to})")),
            None if bare || url.is_empty() || plain == url => self.inline.push_str(&inner),
            None => drop(write!(self.inline, "{text} ({})", code(&url).replace('|', "%7C"))),
        }
    }

    fn tabled(&mut self) {
        let Some(Table { columns, rows }) = self.table.take() else { return };
        let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let rule = columns.iter().map(|alignment| match alignment {
            Alignment::None => "---".to_owned(),
            Alignment::Left => ":--".to_owned(),
            Alignment::Center => ":-:".to_owned(),
            Alignment::Right => "--:".to_owned(),
        });
        let rule = row(&rule.collect::<Vec<_>>());
        let mut rows = rows.iter().map(|cells| row(cells));
        let head = rows.next();
        self.block(head.into_iter().chain([rule]).chain(rows));
    }
}
