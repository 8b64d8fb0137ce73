//! `cargo xtask layers`: the circles among the files of each crate, and how many files are in them.
//!
//! A file imports another if its code, tests aside, names an item that is defined there: by `use`, or by a path. A re-export is
//! followed to the definition, so that a module that only re-exports is in nobody's way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::target;

mod imports;
mod modules;

/// Files that couldn't be looked at, or circles that are new.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{path} could not be read: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} is not Rust: {error}")]
    Syntax { path: PathBuf, error: syn::Error },
    #[error("there are circles of files")]
    Circles,
}

/// Prints each circle of files, crate by crate; with one there it is an error.
pub(crate) fn run() -> Result<(), Error> {
    let mut any = false;
    for (name, roots) in target::roots()? {
        for root in roots {
            let files = files(&root)?;
            let shown = |path: &PathBuf| {
                path.strip_prefix(root.parent().unwrap_or(&root)).unwrap_or(path).display().to_string()
            };
            let circles = circles(&files);
            println!("{name}: {} files, {} in circles", files.len(), circles.iter().map(Vec::len).sum::<usize>());
            for circle in circles {
                any = true;
                println!("  a circle of {} files; the imports that close it:", circle.len());
                let members: BTreeSet<_> = circle.iter().collect();
                for file in &circle {
                    let inside = files[file].iter().filter(|(to, _)| members.contains(to));
                    for (to, names) in inside {
                        let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                        println!("    {} -> {}: {names}", shown(file), shown(to));
                    }
                }
            }
        }
    }
    if any { Err(Error::Circles) } else { Ok(()) }
}

/// What each file imports from others: the file, and the names.
type Files = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

fn files(root: &Path) -> Result<Files, Error> {
    let modules = modules::read(root)?;
    let mut files: Files = modules.files().map(|file| (file.to_owned(), BTreeMap::new())).collect();
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
fn circles(files: &Files) -> Vec<Vec<PathBuf>> {
    let edges = files.iter().flat_map(|(from, imports)| imports.keys().map(move |to| (from, to)));
    let graph: DiGraphMap<&PathBuf, ()> = edges.collect();
    let circles = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1);
    let mut circles: Vec<Vec<PathBuf>> = circles.map(|circle| circle.into_iter().cloned().collect()).collect();
    circles.iter_mut().for_each(|circle| circle.sort());
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a crate of these files, and returns its circles.
    fn circles_of(all: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in all {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let files = files(&folder.path().join("lib.rs")).unwrap();
        let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
        circles(&files).into_iter().map(|circle| circle.into_iter().map(name).collect()).collect()
    }

    #[test]
    fn finds_files_that_name_each_other() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { let _ = super::c::C; }"),
            ("c.rs", "pub struct C; fn g() { println!(\"{:?}\", crate::a::A); }"),
        ]);
        assert_eq!(found, [["a.rs", "b.rs", "c.rs"]]);
    }

    #[test]
    fn follows_a_re_export_to_its_definition() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;"),
            ("a.rs", "pub struct A;"),
            ("b/mod.rs", "mod inner; pub use inner::B;"),
            ("b/inner.rs", "use crate::A; pub struct B(A);"),
        ]);
        assert!(found.is_empty(), "{found:?}");
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; pub use b::*;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            ("b/mod.rs", "mod inner; pub use inner::B;"),
            ("b/inner.rs", "use crate::a::A; pub struct B(Box<A>);"),
        ]);
        assert_eq!(found, [["a.rs", "b/inner.rs"]]);
    }

    #[test]
    fn tests_and_generated_code_import_nothing() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { quote!(crate::a::A); } #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }
}
