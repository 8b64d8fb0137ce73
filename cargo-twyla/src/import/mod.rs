//! `cargo twyla import`: a folder of loose schema files, or an AsyncAPI document, becomes a schemas folder. [`json`] reads and
//! writes files as they are, [`plan`] finds what each is and rewrites what refers to it, [`schemars`] makes contracts of what Rust
//! types write of themselves, and [`asyncapi`] reads the schemas of a document.

mod asyncapi;
pub(crate) mod json;
mod plan;
mod schemars;

use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use twyla_build::{Builder, Problem as SchemaProblem};

use crate::command::{Outcome, Run};
use crate::output;
use crate::paint::{FAINT, GOOD, UNSURE, paint, say};
use crate::schemas;
use json::Json;
use plan::{Asked, Loose, Plan, Problem};

pub(crate) use plan::way;

/// Make a schemas folder of loose JSON Schema files, or of an AsyncAPI document.
///
/// A file becomes an event by its path (`<domain>/<event_type>.json`, or `<domain>.<event_type>.json`), by its $id, or by its name in
/// the --domain; what other files refer to goes to shared/. References are rewritten, and what is written is checked as a build
/// script checks it.
///
/// Rust types move in the same way: schemars writes a schema of each into a folder, and this makes contracts of them.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla import old-schemas/                      writes schemas/
  cargo twyla import old-schemas/ --domain shop        order_placed.json is the event shop.order_placed
  cargo twyla import old-schemas/ --dry-run            what would become of them
  cargo twyla import asyncapi.json                     the contracts of an AsyncAPI 3 document

Types with schemars::JsonSchema, from a test or a binary of the service that has them:
  let schema = serde_json::to_string_pretty(&schemars::schema_for!(OrderPlaced))?;
  std::fs::write(\"types/shop/order_placed.json\", schema)?;
then
  cargo twyla import types/")]
pub(crate) struct Args {
    /// The folder, or an AsyncAPI 3 document in JSON.
    #[arg(value_name = "DIR|FILE")]
    dir: PathBuf,
    /// Where the contracts go.
    #[arg(long, value_name = "DIR", default_value = "schemas")]
    into: PathBuf,
    /// The domain of files whose path names none.
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The file that is the context, which every event carries; else context.json.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// A document that schemas refer to by its URI, as build.rs has it.
    #[arg(long, value_name = "URI=FILE", value_parser = schemas::document)]
    document: Vec<(String, PathBuf)>,
    /// Only tell.
    #[arg(long)]
    dry_run: bool,
    /// Write over files that are there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{path} can't be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}", list(.0))]
    NoJson(Vec<String>),
    #[error("{path} has no schemas: no file in it ends with .json")]
    Empty { path: PathBuf },
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
    #[error("{}: {}; say --force to write over it", path.display(), if *count == 1 { "is there already".to_owned() } else { format!("is there already, and {} more", count - 1) })]
    There { path: PathBuf, count: usize },
    #[error("{}: {why}", path.display())]
    NoDocument { path: PathBuf, why: String },
    #[error("{context} is not in {dir}")]
    NoContext { context: PathBuf, dir: PathBuf },
}

fn list<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let (files, exact) = match self.dir.is_file() {
            true => self.document()?,
            false => (self.files()?, None),
        };
        let is_exact = exact.is_some();
        let Plan { mut files, moved, mut notes } = match exact {
            Some(plan) => plan,
            None => {
                let context = self.context.as_deref().map(|path| self.below(path, &files)).transpose()?;
                let known = self.document.iter().map(|(uri, _)| uri.clone()).collect();
                plan::plan(&files, &Asked { domain: self.domain.clone(), context, known }).map_err(Error::Problems)?
            }
        };
        // what was a schemas folder is one again, as it was
        let numbers: usize = if is_exact { 0 } else { files.values_mut().map(schemars::numbers).sum() };
        if numbers > 0 {
            let s = if numbers == 1 { "" } else { "s" };
            notes.push(format!("{numbers} format{s} of Rust's numbers, such as uint32, became bounds"));
        }
        let shared = if is_exact { Vec::new() } else { schemars::share(&mut files) };

        let there: Vec<PathBuf> = files.keys().map(|path| self.into.join(path)).filter(|path| path.exists()).collect();
        if let Some(path) = there.first().filter(|_| !self.force && !self.dry_run) {
            return Err(Error::There { path: path.clone(), count: there.len() }.into());
        }
        let width = moved.values().map(|path| path.chars().count()).max().unwrap_or(0).max(7);
        for place in files.keys() {
            let from = match moved.get(place) {
                Some(path) => format!("{path:width$}"),
                None if shared.contains(place) => format!("{:width$}", "several"),
                None => format!("{:width$}", "new"),
            };
            say!("{} → {}", paint(FAINT, from), self.into.join(place).display());
        }
        for note in &notes {
            say!("{}: {note}", paint(UNSURE, "note"));
        }
        // what is written is checked before it is: in a place of its own
        let trial = tempfile::tempdir()?;
        write(trial.path(), &files)?;
        let problems = self.problems(trial.path());
        if !self.dry_run {
            write(&self.into, &files)?;
        }
        let wrong = problems.iter().filter(|it| it.is_error()).count();
        for problem in &problems {
            let style = if problem.is_error() { crate::paint::BAD } else { UNSURE };
            let word = if problem.is_error() { "error" } else { "warning" };
            let told = problem.to_string();
            let told = told.strip_prefix(&format!("{word}: ")).unwrap_or(&told).to_owned();
            say!("{}: {told}", paint(style, word));
        }
        let events = files.keys().filter(|path| path.starts_with("events/")).count();
        let said = format!("{events} event{}", if events == 1 { "" } else { "s" });
        let dry = if self.dry_run { ", if it were not for --dry-run" } else { "" };
        if wrong > 0 {
            let s = if wrong == 1 { "" } else { "s" };
            say!("{said}, with {wrong} error{s} to be mended before they compile{dry}");
            return Ok(Outcome::Found);
        }
        say!("{}{dry}", paint(GOOD, format!("{said}, ready to compile")));
        Ok(Outcome::Fine)
    }
}

impl Args {
    /// The schemas of an AsyncAPI document: as loose files, or what is made of them where a schemas folder has been written so.
    fn document(&self) -> Result<(Vec<Loose>, Option<Plan>), Error> {
        let path = &self.dir;
        let text = fs::read_to_string(path).map_err(|error| Error::Unreadable { path: path.clone(), error })?;
        let read = Json::parse(&text).and_then(|json| asyncapi::read(&json, self.domain.as_deref()));
        match read.map_err(|why| Error::NoDocument { path: path.clone(), why })? {
            asyncapi::Read::Exact(plan) => Ok((Vec::new(), Some(plan))),
            asyncapi::Read::Loose(files) => Ok((files, None)),
        }
    }

    /// Every schema file of the folder.
    fn files(&self) -> Result<Vec<Loose>, Error> {
        let mut found = Vec::new();
        let mut wrong = Vec::new();
        let mut open = vec![self.dir.clone()];
        while let Some(folder) = open.pop() {
            let unreadable = |error| Error::Unreadable { path: folder.clone(), error };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                if path.is_dir() && !hidden && !path.is_symlink() {
                    open.push(path);
                } else if path.extension().is_some_and(|it| it == "json") {
                    let text = fs::read(&path).map_err(|error| Error::Unreadable { path: path.clone(), error })?;
                    let shown = path.strip_prefix(&self.dir).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    match String::from_utf8(text).map_err(|_| "is no UTF-8".to_owned()).and_then(|it| Json::parse(&it))
                    {
                        Ok(json) => found.push(Loose { path: shown, json }),
                        Err(why) => wrong.push(format!("{shown}: {why}")),
                    }
                }
            }
        }
        wrong.sort();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        match (wrong.is_empty(), found.is_empty()) {
            (false, _) => Err(Error::NoJson(wrong)),
            (true, true) => Err(Error::Empty { path: self.dir.clone() }),
            (true, false) => Ok(found),
        }
    }

    /// A file's path below the folder, however it is named.
    fn below(&self, path: &Path, files: &[Loose]) -> Result<String, Error> {
        let below = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let no_context = || Error::NoContext { context: path.to_owned(), dir: self.dir.clone() };
        files.iter().any(|it| it.path == below).then_some(below).ok_or_else(no_context)
    }

    /// What a build script says to them.
    fn problems(&self, folder: &Path) -> Vec<SchemaProblem> {
        let builder = Builder::new(folder).shown_as(self.into.to_string_lossy().replace('\\', "/"));
        let builder = self.document.iter().fold(builder, |builder, (uri, file)| builder.document(uri, file));
        match builder.generate() {
            Ok(generated) => generated.warnings,
            Err(problems) => problems.0,
        }
    }
}

fn write(folder: &Path, files: &std::collections::BTreeMap<String, Json>) -> Result<(), output::Unwritable> {
    for (place, json) in files {
        output::write(&folder.join(place), json.text())?;
    }
    Ok(())
}
