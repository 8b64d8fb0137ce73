//! `cargo xtask book`: builds the book as HTML with mdBook, from `docs/book` and from the pages in the crates' own docs.
//!
//! A page of a crate is written for rustdoc: it links to items, and a listing without a language is Rust. [`page`] converts
//! it to a page of the book.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::target;

mod page;

/// The version that the book is known to work with.
const MDBOOK: &str = "0.5.4";

/// A book that couldn't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Target(#[from] target::Error),
    #[error("{path} could not be read: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("{path} could not be written: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error("mdBook is missing and could not be installed: cargo install mdbook --version {MDBOOK} --locked")]
    Missing,
    #[error("mdBook failed")]
    Failed,
}

/// Writes the book to `target/book/html`, or serves it until ctrl-C.
pub(crate) fn run(serve: bool) -> Result<(), Error> {
    let target = target::folder()?;
    let mdbook = provide(&target)?;
    let folder = target.join("book");
    write(&folder)?;
    let mut command = Command::new(mdbook);
    command.arg(if serve { "serve" } else { "build" }).arg(&folder);
    if !command.status().is_ok_and(|status| status.success()) {
        return Err(Error::Failed);
    }
    println!("the book is in {}", folder.join("html/index.html").display());
    Ok(())
}

/// Returns the path of mdBook; installs mdBook below the target folder if it is missing.
fn provide(target: &Path) -> Result<PathBuf, Error> {
    let root = target.join("mdbook");
    let program = root.join("bin/mdbook");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(MDBOOK)) {
        return Ok(program);
    }
    println!("missing on this machine: mdBook (builds the book); installing it with cargo in {}", root.display());
    let mut install = Command::new("cargo");
    install.args(["install", "mdbook", "--version", MDBOOK, "--locked", "--root"]).arg(&root);
    match install.status() {
        Ok(status) if status.success() => Ok(program),
        _ => Err(Error::Missing),
    }
}

/// Writes the sources that mdBook reads: pages with what they include, and pictures.
fn write(folder: &Path) -> Result<(), Error> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = repository.join("docs/book/src");
    let pages = read_pages(&sources)?;
    let included = pages.iter().filter_map(|(name, text)| {
        let file = page::included(text)?;
        Some((sources.join(file).canonicalize().ok()?, name.clone()))
    });
    let included: BTreeMap<PathBuf, String> = included.collect();
    let out = folder.join("src");
    fs::create_dir_all(&out).map_err(|error| Error::Write { path: out.clone(), error })?;
    copy(&repository.join("docs/book/book.toml"), &folder.join("book.toml"))?;
    for (name, text) in &pages {
        let mut pictures = Vec::new();
        let outer = page::rewrite(text, |link| place(&sources.join(name), link, &included, &mut pictures));
        let text = match page::included(text) {
            Some(file) => {
                let path = sources.join(file);
                let inner = page::rust(&read(&path)?);
                let inner = page::rewrite(&inner, |link| place(&path, link, &included, &mut pictures));
                outer.replace(&format!("{{{{#include {file}}}}}"), &inner)
            }
            None => outer,
        };
        for picture in pictures {
            copy(&picture, &out.join(picture.file_name().unwrap_or_default()))?;
        }
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| Error::Write { path, error })?;
    }
    Ok(())
}

fn read_pages(sources: &Path) -> Result<BTreeMap<String, String>, Error> {
    let unreadable = |error| Error::Read { path: sources.to_owned(), error };
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(sources).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        pages.insert(name, read(&path)?);
    }
    Ok(pages)
}

/// Returns the place in the book that a page's link leads to; `None` if the book doesn't have it.
fn place(page: &Path, link: &str, included: &BTreeMap<PathBuf, String>, pictures: &mut Vec<PathBuf>) -> Option<String> {
    if link.contains("://") || link.starts_with('#') {
        return Some(link.to_owned());
    }
    let (path, fragment) = link.find('#').map_or((link, ""), |at| link.split_at(at));
    let path = page.parent()?.join(path).canonicalize().ok()?;
    if let Some(name) = included.get(&path) {
        return Some(format!("{name}{fragment}"));
    }
    match path.extension()?.to_str()? {
        "svg" | "png" => {
            let name = path.file_name()?.to_string_lossy().into_owned();
            pictures.push(path);
            Some(name)
        }
        "md" if path.parent()?.ends_with("docs/book/src") => {
            Some(format!("{}{fragment}", path.file_name()?.to_string_lossy()))
        }
        _ => None,
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Read { path: path.to_owned(), error })
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map(drop).map_err(|error| Error::Write { path: to.to_owned(), error })
}
