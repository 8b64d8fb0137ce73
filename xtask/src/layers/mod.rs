//! `cargo xtask layers`: checks that the files of each crate import each other in one direction only.
//!
//! It reports circles of files, and imports that go up a layer of the table that [`table`] reads. A file imports another if its
//! code, tests excluded, names an item that is defined there, by `use` or by a path. A re-export is followed to the definition.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::target;
use table::{Layers, Table};

mod imports;
mod modules;
mod table;

/// The file with the table of layers.
const MAP: &str = "ARCHITECTURE.md";

/// A failed check, or files that can't be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{path} could not be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("{path} is not Rust: {error}")]
    Syntax { path: PathBuf, error: syn::Error },
    #[error("{MAP}: {0}")]
    Table(#[from] table::Error),
    #[error("{0} problems in the layers of the crates, listed above")]
    Problems(usize),
}

/// Prints the problems of each crate; an error if there are any.
pub(crate) fn run() -> Result<(), Error> {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(MAP);
    let text = fs::read_to_string(&map).map_err(|error| Error::Read { path: map, error })?;
    let table = Table::parse(&text)?;
    let packages = target::packages()?;
    let mut count = 0;
    let mut report = |crate_: &str, problems: &[String]| {
        count += problems.len();
        problems.iter().for_each(|problem| println!("{crate_}: {problem}"));
    };
    for name in table.crates().filter(|name| !packages.iter().any(|package| package.name == *name)) {
        report(name, &[format!("{MAP} has layers of this crate, which is not in the workspace")]);
    }
    for package in &packages {
        let layers = table.of(&package.name);
        let (files, problems) = check(&package.source, &package.roots, layers)?;
        println!("{}: {files} files, {} problems", package.name, problems.len());
        report(&package.name, &problems);
    }
    if count == 0 { Ok(()) } else { Err(Error::Problems(count)) }
}

/// Returns the number of files of a package, and its problems.
fn check(source: &Path, roots: &[PathBuf], layers: Option<&Layers>) -> Result<(usize, Vec<String>), Error> {
    let mut files = Files::new();
    for root in roots {
        for (file, imports) in read(root)? {
            files
                .entry(module(source, &file))
                .or_default()
                .extend(imports.into_iter().map(|(to, names)| (module(source, &to), names)));
        }
    }
    let mut problems: Vec<String> = circles(&files).iter().map(|circle| describe(circle, &files)).collect();
    if let Some(layers) = layers {
        problems.extend(layers.check(&files));
    }
    Ok((files.len(), problems))
}

/// Returns a file's name in the table: its path below `src`, without `.rs`.
fn module(source: &Path, file: &Path) -> String {
    file.strip_prefix(source).unwrap_or(file).with_extension("").display().to_string()
}

/// The imports of each file: the file that defines the items, and their names.
type Files<F = String> = BTreeMap<F, BTreeMap<F, BTreeSet<String>>>;

/// Reads the files of a target and their imports.
fn read(root: &Path) -> Result<Files<PathBuf>, Error> {
    let modules = modules::read(root)?;
    let mut files: Files<PathBuf> = modules.files().map(|file| (file.to_owned(), BTreeMap::new())).collect();
    for (module, path) in imports::all(&modules) {
        let from = modules.file(module);
        for (to, name) in modules.resolve(module, &path) {
            if to != from {
                files.entry(from.to_owned()).or_default().entry(to.to_owned()).or_default().insert(name);
            }
        }
    }
    Ok(files)
}

/// Returns the files of each circle, sorted; the largest circle first.
fn circles(files: &Files) -> Vec<Vec<String>> {
    let edges = files.iter().flat_map(|(from, imports)| imports.keys().map(move |to| (from, to)));
    let graph: DiGraphMap<&String, ()> = edges.collect();
    let circles = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1);
    let mut circles: Vec<Vec<String>> = circles.map(|circle| circle.into_iter().cloned().collect()).collect();
    circles.iter_mut().for_each(|circle| circle.sort());
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

/// Describes a circle by the imports that close it.
fn describe(circle: &[String], files: &Files) -> String {
    let mut text = format!("a circle of {} files; the imports that close it:", circle.len());
    for file in circle {
        for (to, names) in files[file].iter().filter(|(to, _)| circle.contains(to)) {
            text += &format!("\n    {file} -> {to}: {}", list(names));
        }
    }
    text
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
