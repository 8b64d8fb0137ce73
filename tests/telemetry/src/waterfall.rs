//! The picture of a trace: each span is a bar below its parent, from its start to its end.

use std::collections::HashMap;
use std::fmt::Write;

use crate::receiver::Seen;

const ROW: u64 = 26;
const TOP: u64 = 58;
const NAMES: u64 = 372;
const BARS: u64 = 400;
const WIDTH: u64 = NAMES + BARS + 88;
const STYLE: &str =
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px;fill:#1d2733}
.back{fill:#ffffff}.title{font-size:16px;font-weight:bold}.dim{fill:#5d6a7a;font-size:11px}.rule{stroke:#d5dce6}
.s0{fill:#1f56c0}.s1{fill:#17764a}.s2{fill:#a86200}.s3{fill:#8438b0}.bad{fill:#c81e28}
@media (prefers-color-scheme:dark){text{fill:#e3e9f1}.back{fill:#12171f}.dim{fill:#9aa7b8}.rule{stroke:#2c3644}
.s0{fill:#86b1ff}.s1{fill:#5fd39a}.s2{fill:#f0b352}.s3{fill:#d79bff}.bad{fill:#ff6b72}}";

/// Draws the spans of one trace as an SVG.
#[must_use]
pub fn draw(spans: &[Seen]) -> String {
    let rows = rows(spans);
    let begun = spans.iter().map(|span| span.from).min().unwrap_or_default();
    let ended = spans.iter().map(|span| span.to).max().unwrap_or_default();
    let whole = ended.saturating_sub(begun).max(1);
    let at = |time: u64| NAMES + time.saturating_sub(begun) * BARS / whole;
    let mut services: Vec<&str> = Vec::new();
    for (_, span) in &rows {
        if !services.contains(&&*span.service) {
            services.push(&span.service);
        }
    }
    let height = TOP + ROW * rows.len() as u64 + 14;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\">\n<title>A trace</title>\n<style>{STYLE}\n</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"24\" y=\"30\">one trace, {}</text>\n",
        millis(whole)
    );
    let mut x = NAMES;
    for (number, service) in services.iter().enumerate() {
        let class = number % 4;
        let _ = writeln!(out, "<rect class=\"s{class}\" x=\"{x}\" y=\"20\" width=\"10\" height=\"10\" rx=\"2\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"30\">{}</text>", x + 16, escaped(service));
        x += 40 + 8 * service.chars().count() as u64;
    }
    for (number, (depth, span)) in rows.iter().enumerate() {
        let y = TOP + ROW * number as u64;
        let class = match &span.error {
            Some(_) => "bad".to_owned(),
            None => {
                format!("s{}", services.iter().position(|service| *service == span.service).unwrap_or_default() % 4)
            }
        };
        let (from, to) = (at(span.from), at(span.to));
        let middle = y + 4;
        let _ = writeln!(out, "<line class=\"rule\" x1=\"24\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>", y + 17, WIDTH - 24);
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{}</text>", 24 + 14 * depth, middle + 5, escaped(&span.name));
        let width = (to - from).max(2);
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"14\" rx=\"3\"/>",
            y - 3
        );
        let _ = writeln!(
            out,
            "<text class=\"dim\" x=\"{}\" y=\"{}\">{}</text>",
            from + width + 6,
            middle + 4,
            millis(span.to.saturating_sub(span.from))
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Each span after its parent, in the order of their starts, with its depth.
fn rows(spans: &[Seen]) -> Vec<(u64, &Seen)> {
    let mut below: HashMap<&str, Vec<&Seen>> = HashMap::new();
    let is_known = |id: &str| spans.iter().any(|span| span.id == id);
    for span in spans {
        // a span whose parent was not received is at the top
        below.entry(if is_known(&span.parent) { &span.parent } else { "" }).or_default().push(span);
    }
    for spans in below.values_mut() {
        spans.sort_by_key(|span| std::cmp::Reverse(span.from));
    }
    let mut left: Vec<_> = below.remove("").unwrap_or_default().into_iter().map(|span| (0, span)).collect();
    let mut rows = Vec::new();
    while let Some((depth, span)) = left.pop() {
        rows.push((depth, span));
        let children = below.remove(&*span.id).unwrap_or_default();
        left.extend(children.into_iter().map(|child| (depth + 1, child)));
    }
    rows
}

fn millis(nanos: u64) -> String {
    format!("{}.{:02} ms", nanos / 1_000_000, nanos / 10_000 % 100)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: &str, from: u64, to: u64) -> Seen {
        Seen {
            service: format!("of {id}"),
            trace: "t".to_owned(),
            id: id.to_owned(),
            parent: parent.to_owned(),
            name: format!("<{id}>"),
            kind: "internal",
            error: (id == "c").then(|| "no".to_owned()),
            attributes: HashMap::new(),
            from,
            to,
        }
    }

    #[test]
    fn spans_stand_behind_their_parents_and_lie_where_they_were() {
        let spans =
            [span("c", "a", 30, 50), span("b", "a", 10, 20), span("d", "b", 11, 110), span("a", "gone", 10, 90)];
        let order: Vec<_> = rows(&spans).into_iter().map(|(depth, span)| (depth, &*span.id)).collect();
        assert_eq!(order, [(0, "a"), (1, "b"), (2, "d"), (1, "c")]);
        let svg = draw(&spans);
        // the whole is from 10 to 110, and 30 to 50 its third and fourth tenths
        let bar = format!(
            "<rect class=\"bad\" x=\"{}\" y=\"{}\" width=\"{}\"",
            NAMES + BARS / 5,
            TOP + 3 * ROW - 3,
            BARS / 5
        );
        assert!(svg.contains(&bar), "{bar} in {svg}");
        assert!(svg.contains(">&lt;d&gt;</text>") && svg.contains("one trace, 0.00 ms"), "{svg}");
    }
}
