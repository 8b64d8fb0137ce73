//! Compiles a folder of JSON Schema files into typed events: the build script of a service is one line.
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     twyla_build::compile("schemas")
//! }
//! ```
//!
//! The generated code is included with `mod contracts { twyla_runtime::include_contracts!(); }`. Every problem of the
//! folder is told at once, with file, line and column, and nothing is written where one of them is an error.
//!
//! The rooms, in the order in which data walks through them: `load` (files, JSON with places; [`settings`] says how they are
//! read), `resolve` (every schema
//! under its URI, every `$ref` to its schema), `check` (what is wrong, with `values` a keyword may have and `rpcs`, the
//! folders of RPCs), `model` (shapes, checks of single values, and the rules that are left to trees), then the generated
//! file: `types` (structs and enums), `codec` (how they are read and written), `checks` (how they are held to their rules),
//! `trees` (the rules that need more than one value), `methods` (RPCs), `compiled` (what a program carries of its
//! schemas), `markdown` (their docs), `emit` (all of it in modules) and `layout` (its
//! lines). [`compare`] holds contracts against each other, and [`lock`] holds them to what was accepted; [`about`] tells
//! people how they are compiled; [`problem`] is the catalogue of everything that can be wrong, with its wording. With the
//! feature `schemars`, `assert_contract` holds a type of one's own to a contract, in a test.
//!
//! Integers become `u64` where the schema allows no negative number, else `i64`; numbers become `f64`; a place that no
//! Rust type can stand for becomes `serde_json::Value`.
#![forbid(unsafe_code)]
#![allow(clippy::needless_doctest_main, reason = "a build script is its `main`")]

pub mod about;
mod check;
mod checks;
mod circles;
mod codec;
pub mod compare;
mod compiled;
mod defaults;
mod draft;
mod emit;
mod format;
mod layout;
mod load;
pub mod lock;
mod markdown;
mod meta;
mod methods;
mod model;
mod names;
mod number;
#[cfg(test)]
mod order;
mod pattern;
pub mod problem;
#[cfg(test)]
mod references;
mod register;
mod resolve;
mod rpcs;
pub mod settings;
mod stack;
mod trees;
#[cfg(feature = "schemars")]
mod typed;
mod types;
mod uri;
mod values;
mod warning;

use std::path::{Path, PathBuf};

use twyla_contract::{Context, Contracts, index};

pub use draft::{Draft, NoDraft};
pub use load::At;
pub use problem::{Problem, Problems, What};
pub use settings::Settings;
#[cfg(feature = "schemars")]
pub use typed::{Holds, Misfits, NotHeld, assert_contract, assert_emits, assert_reads};

/// Compiles the schemas of a folder for `twyla_runtime::include_contracts!()`: to be called from `build.rs`.
///
/// Prints problems for cargo, and ends the process where contracts can't be compiled: then cargo stops behind it.
///
/// Messages show the folder as rustc shows its files: from the workspace, where that holds it.
pub fn compile(folder: impl AsRef<Path>) {
    let builder = Builder::new(&folder);
    let builder = match from_workspace(folder.as_ref()) {
        Some(shown) => builder.shown_as(shown),
        None => builder,
    };
    builder.compile_or_exit();
}

/// The folder's path below the workspace, which is where cargo keeps its lock file.
fn from_workspace(folder: &Path) -> Option<String> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).canonicalize().ok()?;
    let workspace = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file())?;
    let folder = folder.canonicalize().ok()?;
    let shown = folder.strip_prefix(workspace).ok()?.to_str()?.replace('\\', "/");
    (!shown.is_empty()).then_some(shown)
}

/// A folder of schemas and how to read it.
#[derive(Clone, Debug)]
pub struct Builder {
    folder: PathBuf,
    shown: String,
    settings: Settings,
    roles: lock::Roles,
    today: Option<lock::Date>,
}

impl Builder {
    /// The folder, relative to where the program runs: for a build script, the package.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        let shown = folder.to_string_lossy().replace('\\', "/");
        let shown = shown.trim_end_matches('/').to_owned();
        Self { folder, shown, settings: Settings::default(), roles: lock::Roles::default(), today: None }
    }

    /// The draft of schemas that name none with `$schema`; 2020-12 unless it is set here or in the folder's
    /// [`twyla.json`](Settings).
    #[must_use]
    pub fn default_draft(mut self, draft: Draft) -> Self {
        self.settings.draft = Some(draft);
        self
    }

    /// The draft that a custom `$schema` stands for: a meta-schema of one's own that adds annotations to a draft.
    ///
    /// That of Snowplow's Iglu is known without this, and a meta-schema that is given with [`document`](Self::document) names
    /// its draft itself. Better said in the folder's [`twyla.json`](Settings), which `cargo twyla` reads too.
    ///
    /// ```no_run
    /// # use twyla_build::Draft;
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.dialect("https://schemas.example.com/meta/v1", Draft::Draft7);
    /// ```
    #[must_use]
    pub fn dialect(mut self, uri: impl AsRef<str>, draft: Draft) -> Self {
        self.settings.dialects.insert(uri.as_ref(), draft);
        self
    }

    /// A document that schemas may refer to by its URI: nothing is ever fetched, so it is given with a file that has it.
    ///
    /// It is no contract; of what is referred to in it, types are generated.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.document("https://schemas.example.com/money.json", "vendor/money.json");
    /// ```
    #[must_use]
    pub fn document(mut self, uri: impl Into<String>, file: impl AsRef<Path>) -> Self {
        self.settings.documents.push((uri.into(), file.as_ref().to_owned()));
        self
    }

    /// Whether `format` is a rule, as it is unless this is set to false: then it only tells something.
    #[must_use]
    pub fn formats(mut self, formats: bool) -> Self {
        self.settings.formats = Some(formats);
        self
    }

    /// Formats that are rules in every draft, also in those that lack them: `uuid` and `duration` exist from 2019-09 on, and
    /// many schemas of earlier drafts mean them. They are none where [`formats`](Self::formats) is false.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.assert_formats(["uuid"]);
    /// ```
    #[must_use]
    pub fn assert_formats<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.settings.asserted.extend(names.into_iter().map(Into::into));
        self
    }

    /// A warning that isn't reported, by the name that it ends with in brackets: for the keywords, formats, properties or files
    /// that are named, or for everything where none are. A name that no warning has is an error.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.allow("unknown-keyword", ["example", "tsAdditionalProperties"]);
    /// ```
    #[must_use]
    pub fn allow<T: Into<String>>(mut self, warning: &str, about: impl IntoIterator<Item = T>) -> Self {
        self.settings.allowed.allow(warning, about.into_iter().map(Into::into));
        self
    }

    /// What the folder's own `twyla.json` says; nothing where it has none.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong in the file.
    pub fn settings(&self) -> Result<Settings, Problems> {
        let mut problems = Vec::new();
        let settings = Settings::read(&self.folder, &self.shown, &mut problems);
        if problems.is_empty() { Ok(settings) } else { Err(Problems(problems)) }
    }

    /// How messages and generated docs show the folder, where that isn't how it was given.
    #[must_use]
    pub fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }

    /// Generates the code and the index, and writes nothing.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong, where at least one thing is an error.
    pub fn generate(&self) -> Result<Generated, Problems> {
        self.on_stack(|builder| {
            let (schemas, problems) = builder.read();
            builder.generated(&schemas, problems)
        })
    }

    /// How the contracts of the folder are compiled, for people: the context first, then the events sorted by name.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong, where at least one thing is an error.
    pub fn about(&self) -> Result<Vec<about::About>, Problems> {
        self.on_stack(|builder| {
            let (schemas, mut problems) = builder.read();
            let sound = !problems.iter().any(Problem::is_error);
            let model = if sound { model::read(&schemas, &mut problems) } else { None };
            model.map(|model| about::all(&model)).ok_or(Problems(problems))
        })
    }

    /// The contracts of the folder, each by itself and ready to be compared, without generating anything.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong with the schemas, where at least one thing is an error.
    pub fn contracts(&self) -> Result<compare::Sources, Problems> {
        self.on_stack(|builder| {
            let (schemas, mut problems) = builder.read();
            problems.sort_by_cached_key(Problem::order);
            problems.dedup();
            if problems.iter().any(Problem::is_error) {
                return Err(Problems(problems));
            }
            Ok(compare::contracts(&schemas, problems))
        })
    }

    /// Does the work where schemas that lead to one another have room, whatever thread this is.
    fn on_stack<T: Send>(&self, work: impl FnOnce(&Self) -> Result<T, Problems> + Send) -> Result<T, Problems> {
        stack::large(|| work(self)).unwrap_or_else(|error| {
            let what = What::Uncompilable { error: format!("no thread can be started: {error}") };
            Err(Problems(vec![Problem { file: self.shown.clone(), at: None, what }]))
        })
    }

    /// The folder's schemas, and what is wrong with them.
    fn read(&self) -> (resolve::Schemas, Vec<Problem>) {
        let mut problems = Vec::new();
        let settings = self.settings.or(Settings::read(&self.folder, &self.shown, &mut problems));
        let mut files = load::folder(&self.folder, &self.shown, &mut problems);
        files.append(&mut load::documents(&settings.documents, &mut problems));
        problems.extend(self.settings.unknown().map(|what| Problem { file: self.shown.clone(), at: None, what }));
        let draft = settings.draft.unwrap_or_default();
        let schemas = resolve::Schemas::with_dialects(files, draft, settings.dialects, &mut problems)
            .with_formats(settings.formats.unwrap_or(true))
            .with_asserted(settings.asserted);
        check::all(&schemas, &mut problems);
        if !problems.iter().any(Problem::is_error) {
            check::defaults::check(&schemas, &mut problems);
        }
        (schemas, warning::settled(problems, &settings.allowed))
    }

    fn generated(&self, schemas: &resolve::Schemas, mut problems: Vec<Problem>) -> Result<Generated, Problems> {
        let mut generated = None;
        // the model of broken schemas would only say the same in other words
        if !problems.iter().any(Problem::is_error)
            && let Some(model) = model::read(schemas, &mut problems)
        {
            let code = emit::code(schemas, &model);
            let context = &model.types[model.context];
            let events = model.events.iter().map(|(name, id)| model.event(name, *id));
            let contracts = Contracts {
                root: self.shown.clone(),
                context: Context { place: context.place.clone(), rust_path: context.path() },
                events: events.collect(),
                rpcs: model.rpcs.iter().map(|method| model.rpc(method)).collect(),
            };
            generated = Some((code, contracts, emit::trees(&model)));
        }
        problems.sort_by_cached_key(Problem::order);
        problems.dedup();
        match generated {
            Some((code, contracts, trees)) => {
                let index = index::write(&contracts);
                Ok(Generated { code, index, contracts, warnings: problems, trees })
            }
            None => Err(Problems(problems)),
        }
    }

    /// The same as [`compile`](Self::compile), and ends the process where that couldn't: then cargo stops behind it.
    pub fn compile_or_exit(&self) {
        if !self.compile() {
            // cargo was told of errors and stops; with a code that isn't 0 it would print all of it once more
            std::process::exit(0);
        }
    }

    /// Generates and writes the files to `OUT_DIR`, and holds the contracts to their [`lock`], telling cargo; false where it
    /// couldn't, or where a contract doesn't fit what was accepted.
    #[must_use]
    pub fn compile(&self) -> bool {
        // a mistake in the file is reported with those of the schemas
        let settings = self.settings.or(Settings::read(&self.folder, &self.shown, &mut Vec::new()));
        let documents = settings.documents.iter().map(|(_, file)| file);
        for path in std::iter::once(&self.folder).chain(documents) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let made = self.on_stack(|builder| {
            let (schemas, problems) = builder.read();
            let locked = builder.is_locked() && !problems.iter().any(Problem::is_error);
            let sources = locked.then(|| compare::contracts(&schemas, Vec::new()));
            Ok((builder.generated(&schemas, problems)?, sources))
        });
        let (generated, sources) = match made {
            Ok(made) => made,
            Err(problems) => return problems.told(),
        };
        for warning in &generated.warnings {
            println!("cargo::warning={warning}");
        }
        match sources.map_or(Ok(true), |sources| self.held(&sources)) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(problems) => return problems.told(),
        }
        let Some(out) = std::env::var_os("OUT_DIR").map(PathBuf::from) else {
            println!("cargo::error=twyla_build::compile is for build.rs: cargo has set no OUT_DIR");
            return false;
        };
        for (name, text) in [("twyla.rs", &generated.code), (index::FILE_NAME, &generated.index)] {
            let path = out.join(name);
            // a file that is written anew makes cargo compile anew
            if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
                continue;
            }
            if let Err(error) = std::fs::write(&path, text) {
                println!("cargo::error={} can't be written: {error}", path.display());
                return false;
            }
        }
        true
    }
}

/// What was made of a folder of schemas.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The Rust code, for `twyla.rs`.
    pub code: String,
    /// The index that the macros read.
    pub index: String,
    /// The same as a model.
    pub contracts: Contracts,
    /// What is legal and probably a mistake.
    pub warnings: Vec<Problem>,
    /// The contracts that have rules beyond what their types tell and a look at single values does: each with those rules,
    /// which are held by trees over the typed values.
    pub trees: Vec<(String, Vec<String>)>,
}
