//! What git knows of a folder: its commits from the newest on, what each changed, and what was in the files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// No more commits than these are looked at.
const MOST: usize = 2000;
/// A schema is smaller.
const LARGEST: u64 = 16 << 20;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) author: String,
    /// `2026-01-31`
    pub(crate) date: String,
    pub(crate) subject: String,
    /// How many commits came after it.
    pub(crate) order: usize,
}

/// What was done, by a commit or, where it has none, since the last one.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) commit: Option<Commit>,
    /// The files that it changed, below the folder, and the objects that they were before.
    pub(super) files: Vec<(String, Option<String>)>,
}

/// The steps that led to what a folder is now, the newest first; none where it is in no repository.
pub(super) fn steps(folder: &Path) -> Option<Vec<Step>> {
    let format = "--format=%x1e%H%x1f%an%x1f%as%x1f%s%x1f";
    let first_parent = ["log", "--first-parent", "-m", "--raw", "-z", "--no-renames", "--no-abbrev", "--relative"];
    let count = format!("--max-count={MOST}");
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

/// The files of a raw diff, with the objects that they were.
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

fn run<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Option<String> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false", "-c", "log.showSignature=false"])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    let output = output.ok().filter(|it| it.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads objects, and files as they are now, each once.
pub(super) struct Objects {
    folder: PathBuf,
    git: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
    known: HashMap<Blob, Option<serde_json::Value>>,
}

/// What a file is: an object of git's, or what lies there now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Blob {
    Object(String),
    Now(String),
}

impl Objects {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), git: None, known: HashMap::new() }
    }

    /// The JSON of a file; none where it is none.
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
        if self.git.is_none() {
            let mut git = Command::new("git")
                .args(["cat-file", "--batch"])
                .current_dir(&self.folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            let (asked, answers) = (git.stdin.take()?, git.stdout.take()?);
            self.git = Some((git, asked, BufReader::new(answers)));
        }
        let (_, asked, answers) = self.git.as_mut()?;
        writeln!(asked, "{id}").ok()?;
        let mut head = String::new();
        answers.read_line(&mut head).ok()?;
        let size: u64 = head.trim_end().strip_prefix(id)?.rsplit(' ').next()?.parse().ok()?;
        let mut text = Vec::new();
        answers.by_ref().take(size.min(LARGEST)).read_to_end(&mut text).ok()?;
        // and the end of its last line
        std::io::copy(&mut answers.by_ref().take(size.saturating_sub(LARGEST) + 1), &mut std::io::sink()).ok()?;
        Some(text)
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some((mut git, asked, _)) = self.git.take() {
            // it ends where nothing more is asked
            drop(asked);
            let _ = git.wait();
        }
    }
}
