//! `cargo xtask layers`: checks that the files of each crate import each other in one direction only.
//!
//! It reports circles of files, and imports that go up a layer of the table that [`table`] reads. A file imports another if its
//! code, tests excluded, names an item that is defined there, by `use` or by a path. A re-export is followed to the definition.

mod error;
mod graph;
mod imports;
mod modules;
mod table;

pub(crate) use error::Error;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::target;
use error::MAP;
use graph::{Files, circles, describe};
use table::{Layers, Table};

/// Prints the problems of each crate; returns an error if it found any.
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
        let (files, mut problems) = check(&package.source, &package.roots, layers)?;
        if package.is_published && layers.is_none() {
            problems.push(format!("the table of layers in {MAP} has no row of this crate"));
        }
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

#[cfg(test)]
mod tests;
