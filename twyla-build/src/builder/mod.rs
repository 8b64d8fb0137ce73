//! A schemas folder and how to read it: the entry point of build scripts and of the command line.

mod additions;
mod build_script;
mod lock;
mod replacements;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use twyla_contract::{Context, Contracts, index};

use crate::codegen::emit;
use crate::compare;
use crate::lock::{Date, Roles};
use crate::model::{self, Options, explain};
use crate::schema::draft::Draft;
use crate::schema::load::FileRole;
use crate::schema::only::Only;
use crate::schema::problem::{Problem, ProblemKind, Problems};
use crate::schema::schemas::Schemas;
use crate::schema::settings::Settings;
use crate::schema::{check, load, null, register, warning};
use crate::stack;

/// A folder of schemas and how to read it.
#[derive(Clone, Debug)]
pub struct Builder {
    folder: PathBuf,
    shown: String,
    settings: Settings,
    only: Option<Only>,
    runtime: Option<String>,
    roles: Roles,
    today: Option<Date>,
    options: Options,
}

impl Builder {
    /// Creates a builder for a folder. A relative path starts at the working directory, which is the package's folder in a
    /// build script.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        let shown = folder.to_string_lossy().replace('\\', "/");
        let shown = shown.trim_end_matches('/').to_owned();
        Self {
            folder,
            shown,
            settings: Settings::default(),
            only: None,
            runtime: None,
            roles: Roles::default(),
            today: None,
            options: Options::default(),
        }
    }

    /// Sets the draft of schemas without `$schema`. Default: the draft in the folder's [`twyla.json`](Settings), or 2020-12.
    #[must_use]
    pub fn default_draft(mut self, draft: Draft) -> Self {
        self.settings.draft = Some(draft);
        self
    }

    /// Sets the draft of a custom `$schema`: a meta-schema of your own that adds annotations to a draft.
    ///
    /// Snowplow's Iglu is built in, and a meta-schema that is given with [`document`](Self::document) names its draft itself.
    /// Prefer the folder's [`twyla.json`](Settings), which `cargo twyla` reads too.
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

    /// Adds a document that schemas may refer to by its URI, from a file. Nothing is ever fetched.
    ///
    /// The document isn't a contract: types are generated only for the schemas in it that contracts refer to.
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

    /// Sets whether `format` is a rule, which is the default, or an annotation.
    #[must_use]
    pub fn formats(mut self, formats: bool) -> Self {
        self.settings.formats = Some(formats);
        self
    }

    /// Adds formats that are rules in every draft, also in drafts that lack them: `uuid` and `duration` exist from 2019-09 on,
    /// and many schemas of earlier drafts use them. It has no effect if [`formats`](Self::formats) is false.
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

    /// Reads `null` as absence: the fields of optional properties that may be `null` are an `Option` instead of a
    /// [`Nullable`](https://docs.rs/twyla-runtime/latest/twyla_runtime/enum.Nullable.html). `None` is written as an absent
    /// property.
    ///
    /// The pattern is a path below the module that includes the contracts: `*` for all properties, a module (`shop`), a
    /// type (`shop::OrderPlaced`), or a property by its name in Rust (`shop::OrderPlaced.note`). In a path, `*` stands for
    /// any text: `*.note`. The type in a path is that of the schema that declares the property: `shared::Address` for a
    /// property that `shared/address.json` declares. Prefer `"null-is-absent"` in the folder's [`twyla.json`](Settings),
    /// which `cargo twyla` reads too, or `"x-null-is-absent": true` in the schema of the property.
    ///
    /// A property stays a `Nullable` if a rule of its object, such as `if` or `minProperties`, could distinguish `null`
    /// from absence. The [`lock`](crate::lock) knows that such a property is never sent as `null`.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.null_is_absent("shop").null_is_absent("*::Address.street");
    /// ```
    ///
    /// # Errors
    /// Compiling fails if a pattern matches no property.
    #[must_use]
    pub fn null_is_absent(mut self, pattern: impl Into<String>) -> Self {
        self.settings.null_is_absent.push(pattern.into());
        self
    }

    /// Allows a warning, by the name in brackets at its end: for the given keywords, formats, properties or files, or for
    /// everything if none are given. An unknown name is an error.
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

    /// Compiles only the contracts whose names match a pattern, and what they refer to. In a pattern, `*` matches any characters.
    /// The default is all contracts.
    ///
    /// The types, and the records that a program embeds, are the same as in a build of the whole folder. Errors in the rest
    /// of the folder, and its changes since the lock, don't affect this build. A pattern that matches no event and no RPC
    /// is an error. Patterns of several calls add up.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.only(["api.*", "bot.reply", "navitaire-api.get_booking"]);
    /// ```
    #[must_use]
    pub fn only<T: Into<String>>(mut self, contracts: impl IntoIterator<Item = T>) -> Self {
        self.only.get_or_insert_default().extend(Only::new(contracts));
        self
    }

    /// Compiles only the contracts of domains and services whose Cargo feature is enabled, and what they refer to: for a crate that
    /// many services depend on, each with the features that it needs.
    ///
    /// A feature has the name of the domain (`events/<domain>`) or of the service (`rpc/<service>`); if a domain and a
    /// service have the same name, one feature enables both.
    ///
    /// ```no_run
    /// twyla_build::Builder::new("schemas").by_features().compile_or_exit();
    /// ```
    #[must_use]
    pub fn by_features(self) -> Self {
        let enabled = |name: &str| {
            let word = name.to_ascii_uppercase().replace('-', "_");
            std::env::var_os(format!("CARGO_FEATURE_{word}")).is_some()
        };
        // a folder that can't be read is reported when the schemas are read
        let entries = ["events", "rpc"].iter().filter_map(|folder| self.folder.join(folder).read_dir().ok()).flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let patterns: BTreeSet<_> = names.filter(|name| enabled(name)).map(|name| format!("{name}.*")).collect();
        self.only(patterns)
    }

    /// Sets the path of `twyla-runtime` in the crate that includes the generated code: for a crate that uses it through a
    /// re-export or under another name. The default is `twyla_runtime`. The attributes take the same path:
    /// `#[listener(crate = kit::twyla)]`.
    ///
    /// A crate that only declares contracts for services names `twyla_codec`, the only crate that generated code needs.
    ///
    /// ```no_run
    /// # let builder = twyla_build::Builder::new("schemas");
    /// let builder = builder.runtime("kit::twyla");
    /// ```
    #[must_use]
    pub fn runtime(mut self, path: impl Into<String>) -> Self {
        self.runtime = Some(path.into());
        self
    }

    /// Returns the runtime's path as tokens. It begins with `crate`, or with `::` and the name of a crate. `None` for the
    /// default path.
    fn runtime_tokens(&self) -> Option<TokenStream> {
        let path = self.runtime.as_deref()?.trim_start_matches("::");
        let from_root = if path == "crate" || path.starts_with("crate::") { "" } else { "::" };
        format!("{from_root}{path}").parse().ok()
    }

    /// Returns a problem if the runtime's path is invalid.
    fn bad_runtime(&self) -> Option<ProblemKind> {
        let path = self.runtime.as_deref()?;
        let is_word = |word: &str| {
            let mut chars = word.chars();
            let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let bad = !path.strip_prefix("::").unwrap_or(path).split("::").all(is_word);
        bad.then(|| ProblemKind::BadRuntime { path: path.to_owned() })
    }

    /// Reads the folder's `twyla.json`; without one the settings are empty.
    ///
    /// # Errors
    /// [`Problems`] with all errors in the file.
    pub fn settings(&self) -> Result<Settings, Problems> {
        let mut problems = Vec::new();
        let settings = Settings::read(&self.folder, &self.shown, &mut problems);
        if problems.is_empty() { Ok(settings) } else { Err(Problems(problems)) }
    }

    /// Sets how messages and generated docs show the folder. The default is the path passed to [`new`](Self::new).
    #[must_use]
    pub fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }

    /// Generates the code and the index, without writing them to files.
    ///
    /// # Errors
    /// [`Problems`] with all errors and warnings, if there is at least one error.
    pub fn generate(&self) -> Result<Generated, Problems> {
        self.on_stack(|builder| {
            let (schemas, problems) = builder.read();
            builder.generated(&schemas, problems)
        })
    }

    /// Explains how the contracts of the folder are compiled: the context first, then the events and the messages of RPCs,
    /// each sorted by name.
    ///
    /// # Errors
    /// [`Problems`] with all errors and warnings, if there is at least one error.
    pub fn explain(&self) -> Result<Vec<explain::ContractExplanation>, Problems> {
        self.on_stack(|builder| {
            let (schemas, mut problems) = builder.read();
            let sound = !problems.iter().any(Problem::is_error);
            let model = if sound { model::read(&schemas, &builder.options, &mut problems) } else { None };
            let model = model.filter(|_| !problems.iter().any(Problem::is_error));
            model.map(|model| explain::all(&model)).ok_or(Problems(problems))
        })
    }

    /// Reads the contracts of the folder, one bundle each, without generating code.
    ///
    /// # Errors
    /// [`Problems`] with all errors and warnings of the schemas, if there is at least one error.
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

    /// Runs the work on a stack that is large enough for deeply nested schemas.
    fn on_stack<T: Send>(&self, work: impl FnOnce(&Self) -> Result<T, Problems> + Send) -> Result<T, Problems> {
        stack::large(|| work(self)).unwrap_or_else(|error| {
            let kind = ProblemKind::Uncompilable { error: format!("a thread can't be started: {error}") };
            Err(Problems(vec![Problem { file: self.shown.clone(), at: None, kind }]))
        })
    }

    /// Reads the folder's schemas and finds their problems.
    fn read(&self) -> (Schemas, Vec<Problem>) {
        let mut problems = Vec::new();
        let settings = self.settings.or(Settings::read(&self.folder, &self.shown, &mut problems));
        let mut files = load::folder(&self.folder, &self.shown, &mut problems);
        let late = match &self.only {
            Some(only) => only.leave_out(&self.shown, &mut files, &mut problems),
            None => Vec::new(),
        };
        files.append(&mut load::documents(&settings.documents, &mut problems));
        problems.extend(self.bad_runtime().map(|kind| Problem { file: self.shown.clone(), at: None, kind }));
        problems.extend(self.settings.unknown().map(|kind| Problem { file: self.shown.clone(), at: None, kind }));
        let draft = settings.draft.unwrap_or_default();
        let schemas = register::schemas(files, draft, settings.dialects, &mut problems)
            .with_formats(settings.formats.unwrap_or(true))
            .with_asserted(settings.asserted)
            .with_null_is_absent(settings.null_is_absent);
        problems.extend(late.into_iter().filter(|problem| schemas.reads(&problem.file)));
        if self.only.is_none() {
            let unmatched = null::unmatched(&schemas).into_iter().map(|pattern| ProblemKind::NoNullable { pattern });
            problems.extend(unmatched.map(|kind| Problem { file: self.shown.clone(), at: None, kind }));
        }
        check::all(&schemas, &mut problems);
        if !problems.iter().any(Problem::is_error) {
            check::defaults::check(&schemas, &mut problems);
        }
        (schemas, warning::settled(problems, &settings.allowed))
    }

    fn generated(&self, schemas: &Schemas, mut problems: Vec<Problem>) -> Result<Generated, Problems> {
        let mut generated = None;
        // the model of broken schemas would only repeat the errors
        if !problems.iter().any(Problem::is_error)
            && let Some(model) = model::read(schemas, &self.options, &mut problems)
        {
            let code = emit::code(schemas, &model, self.runtime_tokens().as_ref());
            let context = &model.types[model.context];
            let events = model.events.iter().map(|(name, id)| model.event(name, *id));
            let contracts = Contracts {
                root: self.shown.clone(),
                context: Context { place: context.place.clone(), rust_path: context.path() },
                events: events.collect(),
                rpcs: model.rpcs.iter().map(|method| model.rpc(method)).collect(),
                left_out: left_out(schemas),
            };
            generated = Some((code, contracts, emit::trees(&model)));
        }
        problems.sort_by_cached_key(Problem::order);
        problems.dedup();
        // derives, attributes and types that the build script adds are checked with the model
        match generated.filter(|_| !problems.iter().any(Problem::is_error)) {
            Some((code, contracts, trees)) => {
                let index = index::write(&contracts);
                Ok(Generated { code, index, contracts, warnings: problems, trees })
            }
            None => Err(Problems(problems)),
        }
    }
}

/// Returns the names of the events and RPCs that aren't compiled, sorted.
fn left_out(schemas: &Schemas) -> Vec<String> {
    let names = schemas.files.iter().filter_map(|file| match &file.role {
        FileRole::LeftOut(role) => match &**role {
            FileRole::Event(name) => Some(name.to_string()),
            FileRole::Rpc(name, _) => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    });
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The result of generating code from a schemas folder.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The Rust code, for `twyla.rs`.
    pub code: String,
    /// The index that the macros read.
    pub index: String,
    /// The content of the index.
    pub contracts: Contracts,
    /// The warnings, about parts of schemas that are valid but probably a mistake.
    pub warnings: Vec<Problem>,
    /// The contracts with rules that types and checks of single values can't express. Each comes with these rules, which are
    /// evaluated as trees over the typed values.
    pub trees: Vec<(String, Vec<String>)>,
}
