//! Formats metrics as tables, for a terminal or a pipe.

use std::fmt::Write;

use super::fetch::Endpoint;
use super::rates::{Cell, Metrics, Row};
use crate::support::paint::{BAD, FAINT, GOOD, HEAD, NAME, paint, tame};

/// Returns the page.
pub(super) fn shown(endpoint: &Endpoint, metrics: &Metrics) -> String {
    let mut out = String::new();
    let links = metrics.links.iter().map(|(link, up, again)| {
        let state = if *up { paint(GOOD, "up") } else { paint(BAD, "down") };
        let again = if *again > 0.0 { format!(" (reconnected {} times)", number(*again)) } else { String::new() };
        format!("{} {state}{again}", tame(link))
    });
    let links = links.collect::<Vec<_>>().join(", ");
    let links = if links.is_empty() { String::new() } else { format!(", {links}") };
    let _ = writeln!(out, "{}{links}, over {:.1} s", paint(HEAD, &endpoint.address), metrics.seconds);
    let tables = [
        (
            "listens to",
            &["group", "handled/s", "failed/s", "retried/s", "dead", "dropped", "handling", "waiting", "p50", "p99"][..],
            &metrics.listens,
        ),
        ("emits", &["confirmed/s", "unconfirmed", "refused", "confirming", "p50", "p99"][..], &metrics.emits),
        ("serves", &["answered/s", "turned away", "serving", "p50", "p99"][..], &metrics.serves),
        ("calls", &["ended/s", "p50", "p99"][..], &metrics.calls),
    ];
    for (head, columns, rows) in tables.into_iter().filter(|(.., rows)| !rows.is_empty()) {
        out.push('\n');
        table(head, columns, rows, &mut out);
    }
    if [&metrics.listens, &metrics.emits, &metrics.serves, &metrics.calls].iter().all(|rows| rows.is_empty()) {
        let _ = writeln!(out, "no metrics of events or calls yet");
    }
    out
}

/// Writes a table: names left-aligned, numbers right-aligned.
fn table(head: &str, columns: &[&str], rows: &[Row], out: &mut String) {
    let names = rows.first().map_or(1, |row| row.names.len());
    let lines: Vec<Vec<(String, bool)>> = rows.iter().map(words).collect();
    let heads: Vec<&str> = std::iter::once(head).chain(columns.iter().copied()).collect();
    let width = |at: usize| {
        let cells = lines.iter().filter_map(|line| line.get(at)).map(|(word, _)| word.chars().count());
        cells.chain(heads.get(at).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let padded = |word: &str, at: usize| {
        let width = widths.get(at).copied().unwrap_or(0);
        if at < names { format!("{word:<width$}") } else { format!("{word:>width$}") }
    };
    let first: Vec<String> = heads.iter().enumerate().map(|(at, head)| padded(head, at)).collect();
    let _ = writeln!(out, "{}", paint(HEAD, first.join("  ").trim_end()));
    for line in &lines {
        for (at, (word, bad)) in line.iter().enumerate() {
            let word = padded(word, at);
            let style = match (*bad, at) {
                (true, _) => BAD,
                (false, 0) => NAME,
                (false, _) if matches!(word.trim(), "0" | "0.0" | "-") => FAINT,
                _ => anstyle::Style::new(),
            };
            let _ = write!(out, "{}{}", if at > 0 { "  " } else { "" }, paint(style, word));
        }
        out.push('\n');
    }
}

/// Returns the text of each cell of a row; the flag is `true` for a counter that should be zero and isn't.
fn words(row: &Row) -> Vec<(String, bool)> {
    let mut words: Vec<(String, bool)> = row.names.iter().map(|name| (tame(name), false)).collect();
    for cell in &row.cells {
        match cell {
            Cell::Rate { rate, .. } => words.push((format!("{rate:.1}"), false)),
            Cell::Bad(count) => words.push((number(*count), *count > 0.0)),
            Cell::Now(Some(count)) => words.push((number(*count), false)),
            Cell::Now(None) => words.push(("-".to_owned(), false)),
            Cell::Times(times) => {
                let of = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), duration);
                words.push((of(times.map(|(half, _)| half)), false));
                words.push((of(times.map(|(_, most)| most)), false));
            }
        }
    }
    words
}

/// Formats a number: `1,203`.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let mut out = sign.to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a duration: `1.2 ms`.
fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let row = |event: &str, group: &str, handled: f64, dead: f64| Row {
            names: vec![event.to_owned(), group.to_owned()],
            cells: vec![
                Cell::Rate { rate: handled, total: 9.0 },
                Cell::Rate { rate: 0.0, total: 0.0 },
                Cell::Rate { rate: 0.0, total: 0.0 },
                Cell::Bad(dead),
                Cell::Bad(0.0),
                Cell::Now(Some(12.0)),
                Cell::Now(None),
                Cell::Times(Some((0.0012, 1.5))),
            ],
        };
        let confirmed = Cell::Rate { rate: 12.5, total: 9.0 };
        let cells = vec![confirmed, Cell::Bad(0.0), Cell::Bad(2.0), Cell::Now(Some(1.0)), Cell::Times(None)];
        let emits = Row { names: vec!["bot.reply".to_owned()], cells };
        let metrics = Metrics {
            seconds: 2.0,
            links: vec![("publish".to_owned(), true, 0.0), ("consume".to_owned(), false, 3.0)],
            listens: vec![row("api.user_input", "bot", 1203.0, 1203.0), row("bot.reply", "a\nb", 0.0, 0.0)],
            emits: vec![emits],
            ..Metrics::default()
        };
        let page = shown(&"127.0.0.1:9090".parse().unwrap(), &metrics);
        insta::assert_snapshot!("page", anstream::adapter::strip_str(&page).to_string());
        assert_eq!((number(-1234567.0), duration(0.0000123)), ("-1,234,567".to_owned(), "12 µs".to_owned()));
    }
}
