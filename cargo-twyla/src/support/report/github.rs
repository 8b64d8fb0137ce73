//! Workflow commands of GitHub Actions: `::error file=…,line=…::…`.
//!
//! The runner splits properties at `,`, ends them at `::`, and undoes `%25`, `%0D` and `%0A`, in properties `%3A` and `%2C` too.

use std::fmt::Write;

use super::note::{Level, Note, Report};

/// Returns a line for each note, and the summary as a line of the log: GitHub shows ten annotations of a step.
pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    for note in &report.notes {
        command(&mut out, note);
    }
    // a line with `##[` is a command too
    let _ = writeln!(out, "{}: {}", report.title, report.summary.replace(['\n', '\r'], " ").replace("##[", "## ["));
    out
}

fn command(out: &mut String, note: &Note) {
    let word = match note.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let _ = write!(out, "::{word} ");
    if let Some(place) = &note.place {
        let _ = write!(out, "file={},line={},col={},", property(&place.file), place.line, place.column);
    }
    let title = format!("{}: {}", note.subjects.join(", "), note.verdict);
    let message: Vec<&str> = std::iter::once(&note.headline).chain(&note.details).map(String::as_str).collect();
    let _ = writeln!(out, "title={}::{}", property(&title), data(&message.join("\n")));
}

/// Escapes the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::note::note_of;
    use super::*;

    /// Parses a line as the runner does.
    fn parsed(line: &str) -> (String, HashMap<String, String>, String) {
        let rest = line.trim_start().strip_prefix("::").unwrap();
        let (head, message) = rest.split_once("::").unwrap();
        let (name, properties) = head.split_once(' ').unwrap();
        let undo = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
        let value = |text: &str| undo(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
        let properties = properties.trim().split(',').filter_map(|it| it.split_once('='));
        let properties = properties.map(|(name, text)| (name.to_owned(), value(text))).collect();
        (name.to_owned(), properties, undo(message).replace("%25", "%"))
    }

    #[test]
    fn the_runner_reads_every_text_back() {
        for evil in
            ["a,b:c%0A", "::error::x", "\n::stop-commands::x", "100%25\r\n", "title=x,file=y", "##[error]", "ünï"]
        {
            let note = note_of(evil);
            let mut line = String::new();
            command(&mut line, &note);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            let (name, properties, message) = parsed(line.trim_end_matches('\n'));
            assert_eq!(name, "error");
            assert_eq!(properties["file"], evil);
            assert_eq!(properties["title"], format!("{evil}: {evil}"));
            assert_eq!((&*properties["line"], &*properties["col"]), ("3", "7"));
            assert_eq!(message, format!("{evil}\n{evil}"));
        }
    }
}
