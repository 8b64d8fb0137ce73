//! The imports of a crate's files, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

/// The imports of each file: the names of the imported items, by the file that defines them.
pub(super) type Files<F = String> = BTreeMap<F, BTreeMap<F, BTreeSet<String>>>;

/// Returns the files of each circle, sorted; the largest circle first.
pub(super) fn circles(files: &Files) -> Vec<Vec<String>> {
    let edges = files.iter().flat_map(|(from, imports)| imports.keys().map(move |to| (from, to)));
    let graph: DiGraphMap<&String, ()> = edges.collect();
    let circles = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1);
    let mut circles: Vec<Vec<String>> = circles.map(|circle| circle.into_iter().cloned().collect()).collect();
    circles.iter_mut().for_each(|circle| circle.sort());
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// Describes a circle by the imports that close it.
pub(super) fn describe(circle: &[String], files: &Files) -> String {
    let mut text = format!("a circle of {} files; the imports that close it:", circle.len());
    for file in circle {
        for (to, names) in files[file].iter().filter(|(to, _)| circle.contains(to)) {
            text += &format!("\n    {file} -> {to}: {}", list(names));
        }
    }
    text
}

pub(super) fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
