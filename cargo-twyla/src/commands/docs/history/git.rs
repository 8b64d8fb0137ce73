//! Reads the history of a folder from git: its commits, newest first, the files that each changed, and their contents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::support::git::{self, Objects};

/// The maximum number of commits that are read, newest first.
const MAX_COMMITS: usize = 2000;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) author: String,
    /// The date, such as `2026-01-31`.
    pub(crate) date: String,
    pub(crate) subject: String,
    /// The number of newer commits.
    pub(crate) order: usize,
}

/// A change of files: by a commit, or uncommitted.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) commit: Option<Commit>,
    /// The changed files, relative to the folder, each with the id of its object before the change; `None` if the file is new.
    pub(super) files: Vec<(String, Option<String>)>,
}

/// Returns the changes of a folder, newest first; `None` if the folder isn't in a repository.
pub(super) fn steps(folder: &Path) -> Option<Vec<Step>> {
    let format = "--format=%x1e%H%x1f%an%x1f%as%x1f%s%x1f";
    let first_parent = ["log", "--first-parent", "-m", "--raw", "-z", "--no-renames", "--no-abbrev", "--relative"];
    let count = format!("--max-count={MAX_COMMITS}");
    let log = run(folder, first_parent.iter().copied().chain([count.as_str(), format, "--", "."]))?;
    let mut steps = Vec::new();
    let mut dirty = Vec::new();
    let head = ["diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--relative", "HEAD", "--", "."];
    if let Some(diff) = run(folder, head) {
        dirty.extend(changed(&diff));
    }
    let untracked = run(folder, ["ls-files", "--others", "--exclude-standard", "-z", "--", "."]).unwrap_or_default();
    dirty.extend(untracked.split('\0').filter(|it| !it.is_empty()).map(|path| (path.to_owned(), None)));
    dirty.retain(|(path, _)| is_schema(path));
    if !dirty.is_empty() {
        steps.push(Step { commit: None, files: dirty });
    }
    for (order, entry) in log.split('\u{1e}').skip(1).enumerate() {
        let mut parts = entry.splitn(5, '\u{1f}');
        let (Some(id), Some(author), Some(date), Some(subject), Some(raw)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let mut files: Vec<(String, Option<String>)> = changed(raw);
        files.retain(|(path, _)| is_schema(path));
        let own = |text: &str| text.to_owned();
        if !files.is_empty() {
            let commit = Commit { id: own(id), author: own(author), date: own(date), subject: own(subject), order };
            steps.push(Step { commit: Some(commit), files });
        }
    }
    Some(steps)
}

fn is_schema(path: &str) -> bool {
    path.ends_with(".json")
}

/// Returns the files of a raw diff, each with the id of its object before the change; `None` if the file is new.
fn changed(raw: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut tokens = raw.split('\0').map(|it| it.trim_start_matches('\n'));
    while let Some(token) = tokens.next() {
        // `:100644 100644 <before> <after> M`, then the path
        let Some(about) = token.strip_prefix(':') else { continue };
        let Some(path) = tokens.next() else { break };
        let before = about.split(' ').nth(2).filter(|id| !id.bytes().all(|byte| byte == b'0'));
        found.push((path.to_owned(), before.map(str::to_owned)));
    }
    found
}

fn run<'a>(folder: &Path, args: impl IntoIterator<Item = &'a str>) -> Option<String> {
    git::run(folder, args).ok().map(|output| String::from_utf8_lossy(&output).into_owned())
}

/// Reads files of commits and of the working tree, each once.
pub(super) struct FileReader {
    folder: PathBuf,
    objects: Option<Objects>,
    known: HashMap<Blob, Option<serde_json::Value>>,
}

/// The content of a file: an object of git, or the file in the working tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Blob {
    Object(String),
    Now(String),
}

impl FileReader {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), objects: None, known: HashMap::new() }
    }

    /// Returns the JSON of a file; `None` if it can't be read or isn't JSON.
    pub(super) fn json(&mut self, blob: &Blob) -> Option<&serde_json::Value> {
        if !self.known.contains_key(blob) {
            let text = match blob {
                Blob::Object(id) => self.object(id),
                Blob::Now(path) => std::fs::read(self.folder.join(path)).ok(),
            };
            let value = text.and_then(|text| serde_json::from_slice(&text).ok());
            self.known.insert(blob.clone(), value);
        }
        self.known.get(blob).and_then(Option::as_ref)
    }

    fn object(&mut self, id: &str) -> Option<Vec<u8>> {
        if self.objects.is_none() {
            self.objects = Objects::open(&self.folder).ok();
        }
        self.objects.as_mut()?.read(id).ok().flatten()
    }
}
