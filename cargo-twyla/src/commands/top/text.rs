//! Parses Prometheus' text format (exposition format 0.0.4).

use std::collections::BTreeMap;

/// A metric's name and labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

/// Returns the samples. A line that can't be parsed is skipped.
pub(super) fn read(text: &str) -> BTreeMap<Series, f64> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

fn line(line: &str) -> Option<(Series, f64)> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if let Some(behind) = rest.strip_prefix('}') {
                rest = behind;
                break;
            }
            let (label, value) = rest.split_once("=\"")?;
            let (value, behind) = quoted(value)?;
            labels.insert(label.trim().to_owned(), value);
            rest = behind;
        }
    }
    // a timestamp may follow the value
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some((Series { name: name.to_owned(), labels }, value))
}

/// Returns a label's value, which ends at the closing quote, and the text after the quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            (_, other) => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_metrics_and_skips_other_lines() {
        let text = "# TYPE a counter\na 3\nb{event=\"x.y\",le=\"+Inf\"} 1.5e3 1700000000\nc{l=\"a\\\"b\\\\\\n}\"} +Inf\n\nno\nd{x=\"} 1\n";
        let read: Vec<_> = read(text).into_iter().map(|(series, value)| (series.name, series.labels, value)).collect();
        let labels = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(
            read,
            [
                ("a".to_owned(), labels(&[]), 3.0),
                ("b".to_owned(), labels(&[("event", "x.y"), ("le", "+Inf")]), 1500.0),
                ("c".to_owned(), labels(&[("l", "a\"b\\\n}")]), f64::INFINITY),
            ]
        );
    }
}
