//! A comment in GitHub Flavored Markdown, which GitLab reads too.
//!
//! Foreign text is either in a code span, or escaped: it can't form a table cell, a link, an element of HTML, a mention (`@name`) or
//! a reference (`#1`).

use std::fmt::Write;

use super::note::{Level, Note, Report, Way, Witnessed};
use crate::support::text::and;

/// Comments that are longer are refused by GitHub (65,536 characters) and unreadable long before.
const MOST_CHARS: usize = 60_000;

/// Returns the comment. Its first line identifies it, so that the next run can replace it.
pub(super) fn write(report: &Report) -> String {
    let mut out = format!("<!-- cargo-twyla: {} -->\n### {}\n\n", report.title, report.title);
    let _ = writeln!(out, "{}", sentence(&report.summary));
    let mut left = report.notes.len();
    for (index, note) in report.notes.iter().enumerate() {
        let head = if index == 0 {
            "\n| contract | verdict | witness | who is affected | what to do |\n|---|---|---|---|---|\n"
        } else {
            ""
        };
        let row = format!("{head}{}", row(note));
        if out.chars().count() + row.chars().count() > MOST_CHARS {
            break;
        }
        out.push_str(&row);
        left -= 1;
    }
    if left > 0 {
        let _ = writeln!(out, "\n{left} more: run the command to see them all.");
    }
    for (index, remark) in report.remarks.iter().enumerate() {
        if out.chars().count() + remark.chars().count() > MOST_CHARS {
            break;
        }
        let _ = writeln!(out, "{}- {}", if index == 0 { "\n" } else { "" }, sentence(remark));
    }
    out
}

fn row(note: &Note) -> String {
    let icon = match (note.level, &note.waived) {
        (_, Some(_)) => "✅ ",
        (Level::Error, _) => "❌ ",
        (Level::Warning, _) => "⚠️ ",
    };
    let names: Vec<String> = note.subjects.iter().map(|name| code(name)).collect();
    let place = note.place.iter().map(|place| code(&place.to_string()));
    let contract = names.into_iter().chain(place).collect::<Vec<_>>().join("<br>");
    let verdict = format!("{icon}**{}**<br>{}", prose(&note.verdict), sentence(&note.headline));
    let witness: Vec<String> = note.witnesses.iter().map(witnessed).collect();
    let by_name: Vec<String> = note.services.iter().map(|it| format!("**{}**", prose(it))).collect();
    let affected = note.affected.iter().map(|line| sentence(line));
    let affected: Vec<String> = (!by_name.is_empty()).then(|| and(&by_name)).into_iter().chain(affected).collect();
    let ways: Vec<String> = note.ways.iter().map(way).collect();
    let cells = [contract, verdict, witness.join("<br><br>"), affected.join("<br>"), ways.join("<br>")];
    format!("| {} |\n", cells.map(|cell| if cell.is_empty() { "–".to_owned() } else { cell }).join(" | "))
}

fn witnessed(it: &Witnessed) -> String {
    let at = if it.pointer.is_empty() { String::new() } else { format!(" at {}", code(&it.pointer)) };
    let place = it.place.as_ref().map(|place| format!(" ({})", code(&place.to_string()))).unwrap_or_default();
    let (sender, receiver) = (prose(&it.sender), prose(&it.receiver));
    format!("{}<br>sent by {sender}, refused by {receiver}{at}: {}{place}", code(&it.value), sentence(&it.rule))
}

fn way(way: &Way) -> String {
    let command = way.command.as_ref().map(|command| format!("<br>{}", code(command))).unwrap_or_default();
    format!("• {}{command}", sentence(&way.text))
}

/// Converts a sentence written by Twyla to Markdown: the parts between backticks become code spans, the others are escaped.
fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let is_code = |index: usize| index % 2 == 1 && index + 1 < parts.len();
    let part = |(index, part): (usize, &&str)| match is_code(index) {
        true if part.is_empty() => "\\`\\`".to_owned(),
        true => code(part),
        // a backtick without a partner
        false if index % 2 == 1 => format!("\\`{}", prose(part)),
        false => prose(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Escapes a text, so that it contains no Markdown.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // `https://` and `www.` begin a link
            ':' if chars.peek() == Some(&'/') => out.push_str("\\:"),
            '.' if ends_with(&out, "www") => out.push_str("\\."),
            '\n' | '\r' | '\t' => out.push(' '),
            c => out.push(c),
        }
        // GitHub and GitLab look for mentions and references (`@name`, `#1`, `!1`) in the text behind the Markdown
        let begins = matches!(c, '@' | '#' | '!' | '$' | '%' | '&' | '~');
        // GitHub reads `GH-1` as `#1`
        let begins = begins || (c == '-' && ends_with(&out, "gh-"));
        if begins && chars.peek().is_some_and(|next| next.is_alphanumeric() || matches!(next, '_' | '"' | '{')) {
            out.push_str("&#8203;");
        }
    }
    out
}

/// Returns whether a text ends with these letters, in any case.
fn ends_with(text: &str, letters: &str) -> bool {
    let end = text.len().checked_sub(letters.len()).and_then(|at| text.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(letters))
}

/// Writes a code span, for the cell of a table.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    // a backslash before a bar can't be written in a code span of a table
    if text.trim().is_empty() || text.contains("\\|") {
        return format!("<code>{}</code>", entities(&text));
    }
    let runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(runs + 1);
    let edge = |c: char| c == '`' || c == ' ';
    let pad = if text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// Writes every punctuation character as an entity, which never forms Markdown.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_punctuation() => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_holds_backticks_bars_and_spaces() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(" a"), "`  a `");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a\\|b"), "<code>a&#92;&#124;b</code>");
        assert_eq!(code(""), "<code></code>");
    }

    #[test]
    fn a_sentence_keeps_its_code_and_escapes_the_rest() {
        assert_eq!(sentence("`a_b` is <b>new</b>"), "`a_b` is &lt;b&gt;new&lt;/b&gt;");
        assert_eq!(sentence("a ` b"), "a \\` b");
        assert_eq!(prose("@team"), "@&#8203;team");
        assert_eq!(prose("#1"), "\\#&#8203;1");
        assert_eq!(prose("GH-1, gh-2 and GH-"), "GH-&#8203;1, gh-&#8203;2 and GH-");
        assert_eq!(prose("https://x.org www.x.org"), "https\\://x.org www\\.x.org");
        assert_eq!(prose("a|b\nc"), "a\\|b c");
    }
}
