//! Draws a report as an SVG for light and dark backgrounds. [`graph`] has its content, [`layers`] the positions, and this module
//! draws.

mod graph;
mod layers;

use std::fmt::Write;

use super::report::{Outlook, Report};
use graph::{Arrow, Graph, Mood, Node};
use layers::{Placed, Point, Size};

/// The width of a character of a name; `SMALL` is that of small text, `LINE` the height of a line of notes.
const CHAR: f64 = 7.9;
const SMALL: f64 = 6.7;
const LINE: f64 = 17.0;
const MARGIN: f64 = 24.0;
/// The distance between arrows at a box; `LABELLED` is the distance if arrows have labels.
const APART: f64 = 9.0;
const LABELLED: f64 = 17.0;
/// The minimum width of a picture, for its notes.
const NARROWEST: f64 = 720.0;

const STYLE: &str = "\
text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1d2733}
.back{fill:#ffffff}.title{font-size:16px;font-weight:bold}.name{font-size:13px;font-weight:bold}
.small{font-size:11px}.dim{fill:#5d6a7a}
.service{fill:#eef2f8;stroke:#7b8aa0;stroke-width:1.2}.subject{fill:#ffffff;stroke:#a7b2c2;stroke-width:1}
.loose{stroke-dasharray:4 3}.new{fill:#1f56c0;font-weight:bold}.turn{fill:#1f56c0}.turned{fill:#ffffff;font-weight:bold}
.way{fill:none;stroke:#8492a6;stroke-width:1.4}.head{fill:#8492a6}
.way.ordered{stroke:#1f56c0;stroke-width:2}.head.ordered,.text.ordered{fill:#1f56c0}
.way.unsure{stroke:#a86200;stroke-width:2;stroke-dasharray:6 3}.head.unsure,.text.unsure{fill:#a86200}
.way.bad{stroke:#c81e28;stroke-width:2.4}.head.bad,.text.bad{fill:#c81e28}.box.bad{stroke:#c81e28;stroke-width:2}
.mark{fill:#ffffff;stroke-width:1.6}.mark.bad{stroke:#c81e28}.mark.unsure{stroke:#a86200}.mark.ordered{stroke:#1f56c0}
.good{fill:#17764a}.group{paint-order:stroke;stroke:#ffffff;stroke-width:3px}
@media (prefers-color-scheme:dark){
text{fill:#e3e9f1}.back{fill:#12171f}.dim{fill:#9aa7b8}.service{fill:#212a37;stroke:#7487a3}
.subject{fill:#171d27;stroke:#56657b}.new{fill:#86b1ff}.turn{fill:#86b1ff}.turned{fill:#12171f}
.way{stroke:#7e8da3}.head{fill:#7e8da3}
.way.ordered{stroke:#86b1ff}.head.ordered,.text.ordered{fill:#86b1ff}
.way.unsure{stroke:#f0b352}.head.unsure,.text.unsure{fill:#f0b352}
.way.bad{stroke:#ff6b72}.head.bad,.text.bad{fill:#ff6b72}.box.bad{stroke:#ff6b72}
.mark{fill:#12171f}.mark.bad{stroke:#ff6b72}.mark.unsure{stroke:#f0b352}.mark.ordered{stroke:#86b1ff}
.good{fill:#5fd39a}.group{stroke:#12171f}}
";

/// Draws reports, one below the other.
pub(crate) fn svg(reports: &[Report]) -> String {
    let pictures: Vec<(String, Size)> = reports.iter().map(picture).collect();
    let width = pictures.iter().map(|(_, size)| size.width).fold(NARROWEST, f64::max);
    let height: f64 = pictures.iter().map(|(_, size)| size.height).sum();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>The fleet</title>\n<style>{STYLE}</style>\n<rect class=\"back\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
    );
    let mut y = 0.0;
    for (picture, size) in pictures {
        let _ = write!(out, "<g transform=\"translate(0 {y:.0})\">\n{picture}</g>\n");
        y += size.height;
    }
    out + "</svg>\n"
}

fn picture(report: &Report) -> (String, Size) {
    let graph = graph::graph(report);
    let sizes: Vec<Size> = graph.nodes.iter().enumerate().map(|(id, node)| size(&graph, id, node)).collect();
    let arrows: Vec<(usize, usize)> = graph.arrows.iter().map(|it| (it.from, it.to)).collect();
    let placed = layers::place(&sizes, &arrows);
    let top = MARGIN + 34.0;
    let width = (placed.size.width + 2.0 * MARGIN).max(NARROWEST);
    let left = (width - placed.size.width) / 2.0;
    let mut out = String::new();
    title(report, &mut out);
    let _ = writeln!(out, "<g transform=\"translate({left:.1} {top:.1})\">");
    for (arrow, way) in graph.arrows.iter().zip(&placed.ways) {
        draw_arrow(&graph, &sizes, &placed, arrow, way, &mut out);
    }
    for ((node, size), at) in graph.nodes.iter().zip(&sizes).zip(&placed.boxes) {
        draw_node(node, *size, *at, &mut out);
    }
    out.push_str("</g>\n");
    let mut y = top + placed.size.height + 2.0 * LINE;
    let fits = ((width - 2.0 * MARGIN) / SMALL) as usize - 4;
    for (number, (mood, note)) in graph.notes.iter().enumerate() {
        for (i, line) in wrapped(note, fits).iter().enumerate() {
            let x = MARGIN + 4.0 * SMALL;
            if i == 0 {
                let class = class(*mood);
                let _ = writeln!(
                    out,
                    "<text class=\"small text {class}\" x=\"{MARGIN}\" y=\"{y:.1}\">{}</text>",
                    number + 1
                );
            }
            let _ = writeln!(out, "<text class=\"small\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(line));
            y += LINE;
        }
    }
    (out, Size { width, height: y + MARGIN - LINE })
}

fn title(report: &Report, out: &mut String) {
    let name = report.fleet.environment.as_deref().unwrap_or("the fleet");
    let deploying = report.deployment.is_some();
    let (class, said) = match (report.outlook(), deploying) {
        (Outlook::Fine, false) => ("good", "everything fits"),
        (Outlook::Fine, true) => ("good", "can be deployed"),
        (Outlook::Undecided, _) => ("text unsure", "not everything could be decided"),
        (Outlook::Drains, _) => ("text unsure", "a queue has to be drained first"),
        (Outlook::Breaks, false) => ("text bad", "not everything fits"),
        (Outlook::Breaks, true) => ("text bad", "can't be deployed like this"),
    };
    let name = escaped(&crate::support::paint::tame(name));
    let y = MARGIN + 8.0;
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{y:.1}\">{name}: <tspan class=\"{class}\">{said}</tspan></text>"
    );
}

/// Returns whether an arrow to a node is labelled with a group's name.
fn is_labelled(graph: &Graph, node: usize) -> bool {
    graph.arrows.iter().any(|it| it.to == node && it.label.is_some())
}

fn chars(text: &str) -> f64 {
    text.chars().count() as f64
}

fn size(graph: &Graph, id: usize, node: &Node) -> Size {
    match node {
        Node::Service { name, .. } => {
            let width = (chars(name) * CHAR).max(chars(&below(node)) * SMALL) + 28.0;
            let touching = graph.arrows.iter().filter(|it| it.from == id || it.to == id).count();
            let labelled = if is_labelled(graph, id) { LABELLED * touching as f64 } else { 0.0 };
            Size { width: width.max(96.0), height: labelled.max(46.0) }
        }
        Node::Subject { name, .. } => Size { width: chars(name) * SMALL + 26.0, height: 26.0 },
    }
}

/// Returns the text below a service's name.
fn below(node: &Node) -> String {
    let Node::Service { version, next, field, .. } = node else { return String::new() };
    let next = next.as_ref().map(|next| format!(" → {next}")).unwrap_or_default();
    format!("{version}{next}{}", if *field { ", in the field" } else { "" })
}

fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Fine => "fine",
        Mood::Unmatched => "loose",
        Mood::Ordered => "ordered",
        Mood::Unsure => "unsure",
        Mood::Bad => "bad",
    }
}

fn draw_node(node: &Node, size: Size, at: Point, out: &mut String) {
    let (x, y) = (at.x - size.width / 2.0, at.y - size.height / 2.0);
    let (kind, mood, radius) = match node {
        Node::Service { mood, .. } => ("service", mood, 8.0),
        Node::Subject { mood, is_method: true, .. } => ("subject", mood, 3.0),
        Node::Subject { mood, .. } => ("subject", mood, size.height / 2.0),
    };
    let (class, Size { width, height }) = (class(*mood), size);
    let _ = writeln!(
        out,
        "<rect class=\"box {kind} {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" rx=\"{radius}\"/>"
    );
    match node {
        Node::Service { name, turn, next, version, field, .. } => {
            draw_text("name", "middle", (at.x, at.y - 3.0), &escaped(name), out);
            let next = next.as_ref().map(|next| format!(" → <tspan class=\"new\">{}</tspan>", escaped(next)));
            let field = if *field { ", in the field" } else { "" };
            let versions = format!("{}{}{field}", escaped(version), next.unwrap_or_default());
            draw_text("small dim", "middle", (at.x, at.y + 14.0), &versions, out);
            if let Some(turn) = turn {
                let _ = writeln!(out, "<circle class=\"turn\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\"/>");
                draw_text("small turned", "middle", (x, y + 4.0), &turn.to_string(), out);
            }
        }
        Node::Subject { name, mood, .. } => {
            let dim = if *mood == Mood::Unmatched { " dim" } else { "" };
            draw_text(&format!("small{dim}"), "middle", (at.x, at.y + 4.0), &escaped(name), out);
        }
    }
}

/// Draws an escaped text at a point.
fn draw_text(class: &str, anchor: &str, (x, y): (f64, f64), text: &str, out: &mut String) {
    let _ = writeln!(out, "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

fn draw_arrow(graph: &Graph, sizes: &[Size], placed: &Placed, arrow: &Arrow, way: &[Point], out: &mut String) {
    let (from, to) = (placed.boxes[arrow.from], placed.boxes[arrow.to]);
    let right = if to.x >= from.x { 1.0 } else { -1.0 };
    let end = |node: usize, side: f64, other_end: bool| {
        let (at, size) = (placed.boxes[node], sizes[node]);
        Point { x: at.x + side * size.width / 2.0, y: at.y + port(graph, placed, arrow, node, other_end, size.height) }
    };
    let (start, tip) = (end(arrow.from, right, false), end(arrow.to, -right, true));
    let neck = Point { x: tip.x - right * 7.0, y: tip.y };
    let mut points = vec![start];
    points.extend(way);
    points.push(neck);
    let mut path = format!("M{:.1} {:.1}", start.x, start.y);
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let reach = ((b.x - a.x).abs() / 2.0).max(18.0) * right;
        let _ = write!(path, " C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}", a.x + reach, a.y, b.x - reach, b.y, b.x, b.y);
    }
    let class = class(arrow.mood);
    let _ = writeln!(out, "<path class=\"way {class}\" d=\"{path}\"/>");
    let (x, y) = (tip.x, tip.y);
    let _ = writeln!(
        out,
        "<path class=\"head {class}\" d=\"M{x:.1} {y:.1} L{:.1} {:.1} L{:.1} {:.1} Z\"/>",
        x - right * 9.0,
        y - 4.0,
        x - right * 9.0,
        y + 4.0
    );
    let middle = middle(&points);
    if let Some(label) = &arrow.label {
        let anchor = if right > 0.0 { "end" } else { "start" };
        draw_text("small dim group", anchor, (tip.x - right * 12.0, tip.y - 5.0), &escaped(label), out);
    }
    // draw the note's number on the arrow that leads to a service: the listener, or the server of a call
    let to_service = matches!(graph.nodes[arrow.to], Node::Service { .. });
    if to_service && !arrow.notes.is_empty() {
        let notes: Vec<String> = arrow.notes.iter().map(ToString::to_string).collect();
        let text = notes.join(",");
        let width = (chars(&text) * SMALL + 10.0).max(18.0);
        let _ = writeln!(
            out,
            "<rect class=\"mark {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"18\" rx=\"9\"/>",
            middle.x - width / 2.0,
            middle.y - 9.0
        );
        draw_text(&format!("small text {class}"), "middle", (middle.x, middle.y + 4.0), &text, out);
    }
}

/// Returns the middle of an arrow.
fn middle(points: &[Point]) -> Point {
    let i = (points.len() - 1) / 2;
    let (a, b) = (points[i], points[i + 1]);
    Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
}

/// Returns the vertical distance from a box's centre at which an arrow touches it. The arrows on one side are spread over it,
/// in the order of their other ends.
fn port(graph: &Graph, placed: &Placed, arrow: &Arrow, node: usize, arrives: bool, height: f64) -> f64 {
    let side = |it: &Arrow, arrives: bool| {
        let (from, to) = (placed.boxes[it.from], placed.boxes[it.to]);
        // whether the arrow touches the right side of the box
        (to.x >= from.x) != arrives
    };
    let mine = side(arrow, arrives);
    let mut there: Vec<(f64, usize, bool)> = Vec::new();
    for (i, (it, way)) in graph.arrows.iter().zip(&placed.ways).enumerate() {
        for ends in [false, true] {
            let at = if ends { it.to } else { it.from };
            if at == node && side(it, ends) == mine {
                let other = if ends { placed.boxes[it.from] } else { placed.boxes[it.to] };
                let near = if ends { way.last() } else { way.first() };
                there.push((near.unwrap_or(&other).y, i, ends));
            }
        }
    }
    there.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let own = there.iter().position(|(_, i, ends)| std::ptr::eq(&graph.arrows[*i], arrow) && *ends == arrives);
    let (count, place) = (there.len() as f64, own.unwrap_or(0) as f64);
    let apart = if is_labelled(graph, node) { LABELLED } else { APART };
    let spread = (height - 14.0).max(0.0).min(apart * (count - 1.0));
    if count > 1.0 { spread * (place / (count - 1.0) - 0.5) } else { 0.0 }
}

/// Wraps a text to lines of at most `most` characters, at spaces if it has some.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        while word.len() > most {
            let rest = word.split_off(most);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        let word: String = word.into_iter().collect();
        let room = lines.last().is_some_and(|line| line.chars().count() + word.chars().count() < most);
        match lines.last_mut().filter(|_| room) {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) => {
                line.push(' ');
                line.push_str(&word);
            }
            None => lines.push(word),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
