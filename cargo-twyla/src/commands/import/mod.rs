//! `cargo twyla import`: a folder of loose schema files, or an AsyncAPI document, becomes a schemas folder.
//!
//! [`read`] reads the files, as JSON or [`yaml`], and [`references`] finds the targets of their references. [`plan`] decides
//! what each file becomes, by its path ([`names`], [`release`]), and moves [`definitions`] that several files use.
//! [`schemars`] converts schemas that were made from Rust types, and [`asyncapi`] reads the schemas of a document.
//! [`versions`] keeps earlier versions in the lock, [`tries`] leaves out files with errors, in each of the [`groups`] of
//! files separately, and [`proof`] compares each contract with its original file.

mod asyncapi;
mod definitions;
mod groups;
mod lines;
mod loose;
mod names;
mod plan;
mod proof;
mod read;
mod references;
mod release;
mod schemars;
mod tries;
mod versions;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use twyla_build::compare::{ContractKind, Sources};
use twyla_build::{Builder, Draft, Problem as SchemaProblem, Settings, settings};

use crate::support::json::Json;
use crate::support::output;
use crate::support::paint::{BAD, FAINT, GOOD, UNSURE, paint, say, tame};
use crate::support::run::{Outcome, Run};
use crate::support::schemas;
use crate::support::uri::relative;
use loose::{Loose, SkippedFile};
use plan::Plan;
use proof::Proof;
use references::Resources;

/// Make a schemas folder of loose JSON Schema files, or of an AsyncAPI document.
///
/// A file becomes an event by its path (`<domain>/<event_type>.json`, or `<domain>.<event_type>.json`), by its name in the --domain,
/// or by its $id; what other files refer to goes to shared/. JSON, YAML and files without an extension are read. Of several versions
/// (`order/1.0.0.json`, `order/jsonschema/1-0-0`, `order.v1.json`, `order-1.2.SNAPSHOT.json`) the newest is the contract, and the
/// lock keeps the earlier ones that fit it.
///
/// References are rewritten. What is written is compiled as a build script compiles it, and each contract is compared with its file:
/// it takes the same values, or the difference is shown. A file that can't be imported is listed at the end with what refers to it.
///
/// Rust types move in the same way: schemars writes a schema of each into a folder, and this makes contracts of them.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla import old-schemas/                      writes schemas/
  cargo twyla import old-schemas/ --domain shop        order_placed.json is the event shop.order_placed
  cargo twyla import old-schemas/ --dry-run            prints the result without writing it
  cargo twyla import schemas/ -o contracts \\
      --dialect https://example.com/meta/v1=7          with a meta-schema that extends draft 7
  cargo twyla import asyncapi.yaml                     the contracts of an AsyncAPI 3 document

Types with schemars::JsonSchema, from a test or a binary of the service that has them:
  let schema = serde_json::to_string_pretty(&schemars::schema_for!(OrderPlaced))?;
  std::fs::write(\"types/shop/order_placed.json\", schema)?;
then
  cargo twyla import types/")]
pub(crate) struct Args {
    /// The folder to import, or an AsyncAPI 3 document in JSON or YAML.
    #[arg(value_name = "DIR|FILE")]
    dir: PathBuf,
    /// The folder to write the contracts to.
    #[arg(short, long, alias = "into", value_name = "DIR", default_value = "schemas")]
    out: PathBuf,
    /// The domain of files whose path doesn't name one.
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The file of the context, which every event carries. Default: context.json.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// The draft that a custom $schema stands for; it is written to the folder's twyla.json.
    #[arg(long, value_name = "URI=DRAFT", value_parser = schemas::dialect)]
    dialect: Vec<(String, Draft)>,
    /// A document that schemas refer to by its URI; it is written to the folder's twyla.json.
    #[arg(long, value_name = "URI=FILE", value_parser = schemas::document)]
    document: Vec<(String, PathBuf)>,
    /// Print the result without writing anything.
    #[arg(long)]
    dry_run: bool,
    /// Overwrite existing files.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(
        "{path}: has only definitions, and no other file is an event: add one that refers to them, as <domain>/<event_type>.json with {{ \"$ref\": … }}"
    )]
    OnlyDefinitions { path: String },
    #[error("{} can't be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} has no schemas: no file in it is a JSON Schema in JSON or YAML", path.display())]
    Empty { path: PathBuf },
    #[error("\n{}", left.iter().map(|it| format!("error: {it}")).collect::<Vec<_>>().join("\n"))]
    Nothing { left: Vec<SkippedFile> },
    #[error("{}", overwriting(path, count - 1))]
    There { path: PathBuf, count: usize },
    #[error("{}: {why}", path.display())]
    NoDocument { path: PathBuf, why: String },
    #[error("{} is not in {}", context.display(), dir.display())]
    NoContext { context: PathBuf, dir: PathBuf },
}

/// Says that a file and `others` more would be overwritten.
fn overwriting(path: &Path, others: usize) -> String {
    let path = path.display();
    match others {
        0 => format!("{path} already exists; pass --force to overwrite it"),
        1 => format!("{path} and another file already exist; pass --force to overwrite them"),
        _ => format!("{path} and {others} more files already exist; pass --force to overwrite them"),
    }
}

/// The input that was read.
#[derive(Default)]
struct Input {
    files: Vec<Loose>,
    /// The files that can't be read.
    left: Vec<SkippedFile>,
    /// The original schemas folder, if the document was made from one.
    exact: Option<Plan>,
}

/// The result of the import: the files to write, and the report.
struct Import {
    plan: Plan,
    /// The independent groups of written files, by their paths.
    groups: Vec<BTreeSet<String>>,
    sources: Option<Sources>,
    problems: Vec<SchemaProblem>,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let trial = tempfile::tempdir()?;
        let Input { mut files, mut left, exact } = self.read()?;
        let is_exact = exact.is_some();
        // nothing is converted for a document made from a schemas folder: its files are in `exact`
        let numbers: usize = files.iter_mut().map(|file| schemars::numbers(&mut file.json)).sum();
        let Import { mut plan, groups, sources, problems } = match exact {
            Some(plan) => {
                write(trial.path(), &plan.files)?;
                let (sources, problems) = self.compiled(trial.path());
                Import { plan, groups: Vec::new(), sources, problems }
            }
            None => {
                let import = self.import(&files, &mut left, trial.path())?;
                let Plan { files, left, .. } = &import.plan;
                if !files.keys().any(|place| is_contract(place)) && !left.is_empty() {
                    let mut left = left.clone();
                    left.sort_by(|a, b| a.path.cmp(&b.path));
                    return Err(Error::Nothing { left }.into());
                }
                if let Some(path) = import.plan.shared_only() {
                    return Err(Error::OnlyDefinitions { path: path.to_owned() }.into());
                }
                import
            }
        };
        if numbers > 0 {
            let s = if numbers == 1 { "" } else { "s" };
            plan.notes.push(format!("{numbers} format{s} of Rust's numbers, such as uint32, became bounds"));
        }
        let versions = match &sources {
            Some(sources) => versions::versions(&files, &plan, &groups, sources, &|folder| self.builder(folder))?,
            None => versions::Versions::default(),
        };
        plan.left.extend(versions.left);
        plan.left.sort_by(|a, b| a.path.cmp(&b.path));
        let mut texts: BTreeMap<String, String> =
            plan.files.iter().map(|(place, json)| (place.clone(), json.text())).collect();
        texts.extend(versions.lock.iter().flat_map(versions::file));
        texts.extend(self.settings().map(|json| (settings::FILE_NAME.to_owned(), json.text())));

        let there: Vec<PathBuf> = texts.keys().map(|path| self.out.join(path)).filter(|path| path.exists()).collect();
        if let Some(path) = there.first().filter(|_| !self.force && !self.dry_run) {
            return Err(Error::There { path: path.clone(), count: there.len() }.into());
        }
        self.show(&plan, &texts, &versions.kept);
        if !self.dry_run {
            for (place, text) in &texts {
                output::write(&self.out.join(place), text)?;
            }
        }
        let errors = print_problems(&problems);
        let unproven = match &sources {
            Some(sources) if !is_exact => self.proofs(&files, &plan, sources)?,
            _ => 0,
        };
        for left in &plan.left {
            say!("{}: {}", paint(BAD, "left out"), tame(&left.to_string()));
        }
        let events = plan.files.keys().filter(|path| path.starts_with("events/")).count();
        let said = format!("{events} event{}", if events == 1 { "" } else { "s" });
        let dry = if self.dry_run { ", if it were not for --dry-run" } else { "" };
        if errors > 0 {
            let s = if errors == 1 { "" } else { "s" };
            say!("{said}, with {errors} error{s} to fix before they compile{dry}");
            return Ok(Outcome::Found);
        }
        let proven = match (is_exact, unproven) {
            (true, _) => "",
            (false, 0) => ": each contract accepts exactly what its file accepted",
            (false, _) => ": the differences are shown above",
        };
        let left = match plan.left.len() {
            0 => String::new(),
            1 => "; 1 file was left out".to_owned(),
            count => format!("; {count} files were left out"),
        };
        say!("{}{proven}{left}{dry}", paint(GOOD, format!("{said}, ready to compile")));
        Ok(if plan.left.is_empty() && unproven == 0 { Outcome::Fine } else { Outcome::Found })
    }
}

impl Args {
    /// Reads the folder or the document.
    fn read(&self) -> Result<Input, Error> {
        if !self.dir.is_file() {
            let unreadable = |(path, error)| Error::Unreadable { path, error };
            let read::SchemaFiles { files, left } = read::folder(&self.dir).map_err(unreadable)?;
            return match files.is_empty() && left.is_empty() {
                true => Err(Error::Empty { path: self.dir.clone() }),
                false => Ok(Input { files, left, exact: None }),
            };
        }
        let path = &self.dir;
        let bytes = fs::read(path).map_err(|error| Error::Unreadable { path: path.clone(), error })?;
        let is_yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        let parse = |text: String| if is_yaml { yaml::parse(&text) } else { Json::parse(&text) };
        let read = read::decoded(bytes).and_then(parse);
        let read = read.and_then(|json| asyncapi::read(&json, self.domain.as_deref()));
        match read.map_err(|why| Error::NoDocument { path: path.clone(), why })? {
            asyncapi::Read::Exact(plan) => Ok(Input { exact: Some(plan), ..Input::default() }),
            asyncapi::Read::Loose(files) => Ok(Input { files, ..Input::default() }),
        }
    }

    /// Compares each contract with its original file, and prints the differences and the undecided comparisons. Returns
    /// the number of contracts that aren't proven to equal their original files.
    fn proofs(
        &self,
        files: &[Loose],
        plan: &Plan,
        contracts: &Sources,
    ) -> Result<usize, Box<dyn StdError + Send + Sync>> {
        let mut documents = Vec::new();
        for (uri, path) in &self.document {
            let unreadable = |error| Error::Unreadable { path: path.clone(), error };
            let text = fs::read(path).map_err(unreadable)?;
            let json = read::decoded(text).and_then(|text| Json::parse(&text));
            documents.push((uri.clone(), json.map_err(|why| Error::NoDocument { path: path.clone(), why })?));
        }
        let known = Settings::default();
        let dialect = |uri: &str| {
            let own = self.dialect.iter().find(|(asked, _)| references::plain(asked) == references::plain(uri));
            own.map(|(_, draft)| *draft).or_else(|| known.dialect(uri))
        };
        let sources = proof::Sources { files, resources: Resources::of(files), documents, dialect: Box::new(dialect) };
        let mut unproven = 0;
        for contract in &contracts.contracts {
            let Some(path) = plan.moved.get(contract.bundle.root()) else { continue };
            let name = match contract.kind {
                ContractKind::Event | ContractKind::Context => contract.name.clone(),
                _ => twyla_build::lock::Subject::of(contract).to_string(),
            };
            match sources.proof(path, contract) {
                Proof::Same => continue,
                Proof::Differs(how) => say!("{}: {name}: {}", paint(BAD, "differs"), tame(&how)),
                Proof::Undecided(why) => say!("{}: {name}: {}", paint(UNSURE, "undecided"), tame(&why)),
            }
            unproven += 1;
        }
        Ok(unproven)
    }

    /// Prints the origin of each written file, the versions that the lock keeps, and the notes.
    fn show(&self, plan: &Plan, texts: &BTreeMap<String, String>, kept: &[(String, String, String)]) {
        let paths = plan.moved.values().chain(kept.iter().map(|(path, ..)| path));
        let width = paths.map(|path| path.chars().count()).max().unwrap_or(0).max(7);
        for place in texts.keys() {
            let from = match plan.moved.get(place) {
                Some(path) => path,
                None if plan.shared.contains(place) => "several",
                None => "new",
            };
            let from = format!("{from:width$}");
            say!("{} → {}", paint(FAINT, tame(&from)), self.out.join(place).display());
        }
        for (path, version, name) in kept {
            let lock = self.out.join(twyla_build::lock::FILE_NAME);
            say!("{} → {}, as version {version} of {name}", paint(FAINT, format!("{path:width$}")), lock.display());
        }
        for note in &plan.notes {
            say!("{}: {}", paint(UNSURE, "note"), tame(note));
        }
    }

    /// Returns the path of an imported file below the folder; an error if the file isn't imported.
    fn below(&self, path: &Path, files: &[Loose]) -> Result<String, Error> {
        let below = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let no_context = || Error::NoContext { context: path.to_owned(), dir: self.dir.clone() };
        files.iter().any(|it| it.path == below).then_some(below).ok_or_else(no_context)
    }

    /// Returns the output folder as messages show it.
    fn shown(&self) -> String {
        self.out.to_string_lossy().replace('\\', "/").trim_end_matches('/').to_owned()
    }

    fn builder(&self, folder: &Path) -> Builder {
        let builder = Builder::new(folder).shown_as(self.shown());
        let builder = self.dialect.iter().fold(builder, |builder, (uri, draft)| builder.dialect(uri, *draft));
        self.document.iter().fold(builder, |builder, (uri, file)| builder.document(uri, file))
    }

    /// Compiles the contracts as a build script does; returns them and the problems.
    fn compiled(&self, folder: &Path) -> (Option<Sources>, Vec<SchemaProblem>) {
        let builder = self.builder(folder);
        match builder.generate() {
            Ok(generated) => (builder.contracts().ok(), generated.warnings),
            Err(problems) => (None, problems.0),
        }
    }

    /// Returns the settings that the folder needs; `None` if it needs none.
    fn settings(&self) -> Option<Json> {
        let object = |members: Vec<(String, Json)>| Json::Object(members);
        let dialects = self.dialect.iter().map(|(uri, draft)| (uri.clone(), Json::String(draft.name().to_owned())));
        let documents = self.document.iter().map(|(uri, file)| (uri.clone(), Json::String(self.way_to(file))));
        let (dialects, documents): (Vec<_>, Vec<_>) = (dialects.collect(), documents.collect());
        let mut members = Vec::new();
        if !dialects.is_empty() {
            members.push(("dialects".to_owned(), object(dialects)));
        }
        if !documents.is_empty() {
            members.push(("documents".to_owned(), object(documents)));
        }
        (!members.is_empty()).then(|| object(members))
    }

    /// Returns the path of a file relative to the schemas folder.
    fn way_to(&self, file: &Path) -> String {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let [from, to] = [absolute(&self.out.join(settings::FILE_NAME)), absolute(file)];
        relative(&from.to_string_lossy().replace('\\', "/"), &to.to_string_lossy().replace('\\', "/"))
    }
}

/// Returns whether a path in the schemas folder is that of an event or an RPC.
fn is_contract(place: &str) -> bool {
    place.starts_with("events/") || place.starts_with("rpc/")
}

/// Prints the problems, and returns the number of errors.
fn print_problems(problems: &[SchemaProblem]) -> usize {
    let mut seen = BTreeSet::new();
    for problem in problems {
        let (style, word) = if problem.is_error() { (BAD, "error") } else { (UNSURE, "warning") };
        let text = problem.to_string();
        if seen.insert(text.clone()) {
            say!("{}: {text}", paint(style, word));
        }
    }
    problems.iter().filter(|it| it.is_error()).count()
}

fn write(folder: &Path, files: &BTreeMap<String, Json>) -> Result<(), output::Unwritable> {
    for (place, json) in files {
        output::write(&folder.join(place), json.text())?;
    }
    Ok(())
}
