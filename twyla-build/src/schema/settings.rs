//! The settings of a schemas folder: its own `twyla.json`, and the options of a build script or a command.
//!
//! The build script and the command line both read the file, so its settings apply to both.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use twyla_contract::similar;

use crate::schema::draft::{Dialects, Draft};
use crate::schema::format;
use crate::schema::load::{self, At, File, FileRole, Json, Node};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::warning::{self, Allowed};

/// The name of the file in the schemas folder.
pub const FILE_NAME: &str = load::SETTINGS_FILE;

/// The settings of a folder, as in its `twyla.json`.
///
/// ```json
/// {
///   "default-draft": "7",
///   "formats": true,
///   "assert-formats": ["uuid"],
///   "null-is-absent": ["shop::OrderPlaced.note"],
///   "dialects": { "https://schemas.example.com/meta/v1": "7" },
///   "documents": { "https://schemas.example.com/money.json": "../vendor/money.json" },
///   "allow": { "unknown-keyword": ["example", "tsAdditionalProperties"], "unused-file": true }
/// }
/// ```
///
/// Every member is optional. Paths of documents are relative to the folder. Options of the [`Builder`](crate::Builder) and
/// arguments of a command override the file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub(crate) draft: Option<Draft>,
    pub(crate) formats: Option<bool>,
    pub(crate) asserted: BTreeSet<String>,
    pub(crate) null_is_absent: Vec<String>,
    pub(crate) allowed: Allowed,
    pub(crate) dialects: Dialects,
    pub(crate) documents: Vec<(String, PathBuf)>,
}

/// The members of the file, for a did-you-mean.
const MEMBERS: [&str; 7] =
    ["default-draft", "formats", "assert-formats", "null-is-absent", "dialects", "documents", "allow"];

impl Settings {
    /// Returns the draft of schemas without `$schema`; `None` if it isn't set.
    #[must_use]
    pub fn default_draft(&self) -> Option<Draft> {
        self.draft
    }

    /// Returns whether `format` is a rule; `None` if that isn't set.
    #[must_use]
    pub fn formats(&self) -> Option<bool> {
        self.formats
    }

    /// Returns the documents: their URIs, and their paths relative to the working directory.
    #[must_use]
    pub fn documents(&self) -> &[(String, PathBuf)] {
        &self.documents
    }

    /// Returns the draft of a custom `$schema`; `None` if it is neither set nor built in.
    #[must_use]
    pub fn dialect(&self, uri: &str) -> Option<Draft> {
        self.dialects.set(uri).or_else(|| Dialects::known(uri))
    }

    /// Returns a problem for each unknown name of a format or warning.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = ProblemKind> {
        let formats = self.asserted.iter().filter_map(|name| no_format(name));
        formats.chain(self.allowed.unknown())
    }

    /// Returns these settings combined with `other`: single values of `other` count only if they aren't set here, and
    /// entries of lists are added.
    pub(crate) fn or(&self, other: Self) -> Self {
        let mut documents = self.documents.clone();
        documents
            .extend(other.documents.into_iter().filter(|(uri, _)| !self.documents.iter().any(|(own, _)| own == uri)));
        Self {
            draft: self.draft.or(other.draft),
            formats: self.formats.or(other.formats),
            asserted: self.asserted.iter().cloned().chain(other.asserted).collect(),
            null_is_absent: self.null_is_absent.iter().cloned().chain(other.null_is_absent).collect(),
            allowed: self.allowed.or(other.allowed),
            dialects: self.dialects.or(other.dialects),
            documents,
        }
    }

    /// Reads the settings file of a folder; without a file, the settings are empty.
    pub(crate) fn read(folder: &Path, shown: &str, problems: &mut Vec<Problem>) -> Self {
        let shown = format!("{shown}/{FILE_NAME}");
        match std::fs::read(folder.join(FILE_NAME)) {
            Ok(text) => {
                let node = load::parse(&shown, text, problems);
                node.map(|node| SettingsReader { folder, shown, problems }.settings(&node)).unwrap_or_default()
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::default(),
            Err(error) => {
                problems.push(Problem {
                    file: shown,
                    at: None,
                    kind: ProblemKind::Unreadable { error: error.to_string() },
                });
                Self::default()
            }
        }
    }
}

/// Returns the problem of an unknown format; `None` for a known one.
fn no_format(name: &str) -> Option<ProblemKind> {
    let near = || similar::nearest(name, format::names()).map(str::to_owned);
    (!format::names().any(|known| known == name)).then(|| ProblemKind::NoFormat { name: name.to_owned(), near: near() })
}

/// Returns the name of the settings file in the folder of these files, as messages show it.
pub(crate) fn shown(files: &[File]) -> String {
    let folder = files.iter().filter(|file| !matches!(file.role, FileRole::Document | FileRole::MetaSchema));
    let folder = folder.filter_map(|file| file.shown.strip_suffix(&*file.path)).next();
    format!("{}{FILE_NAME}", folder.unwrap_or_default())
}

/// Reads the members of a settings file, and reports their problems.
struct SettingsReader<'a> {
    folder: &'a Path,
    shown: String,
    problems: &'a mut Vec<Problem>,
}

impl SettingsReader<'_> {
    fn settings(mut self, node: &Node) -> Settings {
        let mut settings = Settings::default();
        if !node.is_object() {
            self.wrong(node, "the file", "an object");
        }
        for member in node.members() {
            let value = &member.value;
            match member.key.as_str() {
                "default-draft" => settings.draft = self.draft(value, "default-draft"),
                "formats" => match value.json {
                    Json::Bool(on) => settings.formats = Some(on),
                    _ => self.wrong(value, "formats", "a boolean"),
                },
                "assert-formats" => {
                    for item in value.items() {
                        if let Some(kind) = item.str().and_then(no_format) {
                            self.report(item.at, kind);
                        }
                    }
                    for name in self.words(value, "assert-formats", "an array of formats") {
                        settings.asserted.insert(name.to_owned());
                    }
                }
                "null-is-absent" => {
                    let patterns = self.words(value, "null-is-absent", "an array of patterns");
                    settings.null_is_absent.extend(patterns.into_iter().map(|pattern| pattern.to_owned()));
                }
                "allow" => {
                    for member in value.members() {
                        if let Some(kind) = warning::unknown(&member.key) {
                            self.report(member.key_at, kind);
                        }
                    }
                    for (name, value) in self.named(value, "allow", "an object with the names of warnings as keys") {
                        if matches!(value.json, Json::Bool(true)) {
                            settings.allowed.allow(name, []);
                            continue;
                        }
                        let about = self.words(value, name, "an array of names, or true");
                        if !about.is_empty() {
                            settings.allowed.allow(name, about.iter().map(|word| (*word).to_owned()));
                        }
                    }
                }
                "dialects" => {
                    for (uri, value) in
                        self.named(value, "dialects", "an object with URIs as keys and drafts as values")
                    {
                        if let Some(draft) = self.draft(value, uri) {
                            settings.dialects.insert(uri, draft);
                        }
                    }
                }
                "documents" => {
                    for (uri, value) in
                        self.named(value, "documents", "an object with URIs as keys and files as values")
                    {
                        match value.str() {
                            Some(path) => settings.documents.push((uri.to_owned(), self.folder.join(path))),
                            None => self.wrong(value, uri, "the path of a file, relative to this folder"),
                        }
                    }
                }
                // editors use these members
                "$schema" | "$comment" => {}
                name => {
                    let near = similar::nearest(name, MEMBERS).map(str::to_owned);
                    self.report(member.key_at, ProblemKind::UnknownSetting { name: name.to_owned(), near });
                }
            }
        }
        settings
    }

    fn named<'n>(&mut self, node: &'n Node, name: &str, wanted: &'static str) -> Vec<(&'n str, &'n Node)> {
        if !node.is_object() {
            self.wrong(node, name, wanted);
        }
        node.members().iter().map(|member| (member.key.as_str(), &member.value)).collect()
    }

    fn words<'n>(&mut self, node: &'n Node, name: &str, wanted: &'static str) -> Vec<&'n str> {
        let words: Vec<&str> = node.items().iter().filter_map(Node::str).collect();
        if !matches!(node.json, Json::Array(_)) || words.len() < node.items().len() {
            self.wrong(node, name, wanted);
        }
        words
    }

    fn draft(&mut self, node: &Node, name: &str) -> Option<Draft> {
        let draft = node.str().and_then(Draft::named);
        if draft.is_none() {
            self.wrong(node, name, "a draft: \"4\", \"6\", \"7\", \"2019-09\" or \"2020-12\"");
        }
        draft
    }

    fn wrong(&mut self, node: &Node, name: &str, wanted: &str) {
        let (keyword, wanted, found) = (name.to_owned(), wanted.to_owned(), node.described());
        self.report(node.at, ProblemKind::WrongKeyword { keyword, wanted, found });
    }

    fn report(&mut self, at: At, kind: ProblemKind) {
        self.problems.push(Problem { file: self.shown.clone(), at: Some(at), kind });
    }
}
