//! A folder of schemas and how to read it: what a build script and the command line begin with.

mod build_script;
mod lock;

use std::path::{Path, PathBuf};

use twyla_contract::{Context, Contracts, index};

use crate::codegen::emit;
use crate::compare;
use crate::lock::{Date, Roles};
use crate::model::{self, about};
use crate::schema::draft::Draft;
use crate::schema::problem::{Problem, Problems, What};
use crate::schema::schemas::Schemas;
use crate::schema::settings::Settings;
use crate::schema::{check, load, register, warning};
use crate::stack;

/// A folder of schemas and how to read it.
#[derive(Clone, Debug)]
pub struct Builder {
    folder: PathBuf,
    shown: String,
    settings: Settings,
    roles: Roles,
    today: Option<Date>,
}

impl Builder {
    /// The folder, relative to where the program runs: for a build script, the package.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        let shown = folder.to_string_lossy().replace('\\', "/");
        let shown = shown.trim_end_matches('/').to_owned();
        Self { folder, shown, settings: Settings::default(), roles: Roles::default(), today: None }
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
    fn read(&self) -> (Schemas, Vec<Problem>) {
        let mut problems = Vec::new();
        let settings = self.settings.or(Settings::read(&self.folder, &self.shown, &mut problems));
        let mut files = load::folder(&self.folder, &self.shown, &mut problems);
        files.append(&mut load::documents(&settings.documents, &mut problems));
        problems.extend(self.settings.unknown().map(|what| Problem { file: self.shown.clone(), at: None, what }));
        let draft = settings.draft.unwrap_or_default();
        let schemas = register::schemas(files, draft, settings.dialects, &mut problems)
            .with_formats(settings.formats.unwrap_or(true))
            .with_asserted(settings.asserted);
        check::all(&schemas, &mut problems);
        if !problems.iter().any(Problem::is_error) {
            check::defaults::check(&schemas, &mut problems);
        }
        (schemas, warning::settled(problems, &settings.allowed))
    }

    fn generated(&self, schemas: &Schemas, mut problems: Vec<Problem>) -> Result<Generated, Problems> {
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
