//! A report in the formats of code review: annotations of [`github`], a comment in [`markdown`], and [`sarif`] for code
//! scanning.
//!
//! A command makes a [`Report`] of the notes of [`note`], and each form writes all of it. Texts come from schemas and manifests,
//! which anyone may have written, so each form escapes all of them.

mod github;
mod markdown;
mod note;
mod sarif;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::git;
pub(crate) use note::{Level, Note, Report, Rule, Way, Witnessed};

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a terminal.
    Text,
    /// JSON for programs.
    Json,
    /// Workflow commands of GitHub Actions, which annotate the schema's line.
    Github,
    /// A comment for a pull request.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// The forms that a [`Report`] is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Github,
    Markdown,
    Sarif,
}

impl Format {
    /// Returns the form of a report; `None` for text and JSON, which each command writes itself.
    pub(crate) fn form(self) -> Option<Form> {
        match self {
            Self::Text | Self::Json => None,
            Self::Github => Some(Form::Github),
            Self::Markdown => Some(Form::Markdown),
            Self::Sarif => Some(Form::Sarif),
        }
    }
}

impl Report {
    /// Writes the report, with places relative to the root of the repository that `folder` is in.
    pub(crate) fn write(mut self, form: Form, folder: &Path) -> String {
        self.notes.sort_by_key(|note| note.level);
        let root = RepositoryRoot::of(folder);
        for note in &mut self.notes {
            let places = note.witnesses.iter_mut().filter_map(|it| it.place.as_mut()).chain(&mut note.place);
            places.for_each(|place| place.file = root.relative(&place.file));
        }
        match form {
            Form::Github => github::write(&self),
            Form::Markdown => markdown::write(&self),
            Form::Sarif => sarif::write(&self),
        }
    }
}

/// A repository's root, and the path from it to the current folder.
struct RepositoryRoot {
    /// The root; `None` outside a repository.
    root: Option<PathBuf>,
    /// The path from the root to the current folder, such as `services/bot`; empty in the root, and outside a repository.
    prefix: String,
}

impl RepositoryRoot {
    fn of(folder: &Path) -> Self {
        let prefix = || {
            let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
            let folder = if folder.is_dir() { folder } else { Path::new(".") };
            let root = git::run(folder, ["rev-parse", "--show-toplevel"]).ok()?;
            let root = Path::new(String::from_utf8_lossy(&root).trim_end()).canonicalize().ok()?;
            let prefix = here.strip_prefix(&root).ok()?.to_string_lossy().replace('\\', "/");
            Some((root, prefix))
        };
        let (root, prefix) = prefix().unzip();
        Self { root, prefix: prefix.unwrap_or_default() }
    }

    /// Returns the path of a file relative to the root. `file` is absolute, or relative to the current folder; a file outside
    /// the repository keeps its path.
    fn relative(&self, file: &str) -> String {
        if Path::new(file).is_absolute() {
            let inside = self.root.as_deref().and_then(|root| Path::new(file).strip_prefix(root).ok());
            return inside.map_or_else(|| file.to_owned(), |inside| inside.to_string_lossy().replace('\\', "/"));
        }
        let mut steps: Vec<&str> = Vec::new();
        for step in self.prefix.split('/').chain(file.split('/')) {
            match step {
                "" | "." => {}
                ".." if steps.pop().is_none() => return file.to_owned(),
                ".." => {}
                step => steps.push(step),
            }
        }
        steps.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_root_of_the_repository() {
        let root = |prefix: &str| RepositoryRoot { root: Some("/repository".into()), prefix: prefix.to_owned() };
        assert_eq!(root("").relative("schemas/a.json"), "schemas/a.json");
        assert_eq!(root("").relative("./schemas//a.json"), "schemas/a.json");
        assert_eq!(root("services/bot").relative("../../schemas/a.json"), "schemas/a.json");
        assert_eq!(root("services/bot").relative("schemas/a.json"), "services/bot/schemas/a.json");
        assert_eq!(root("services").relative("../../elsewhere/a.json"), "../../elsewhere/a.json");
        assert_eq!(root("services").relative("/schemas/a.json"), "/schemas/a.json");
        assert_eq!(root("services").relative("/repository/schemas/a.json"), "schemas/a.json");
    }
}
