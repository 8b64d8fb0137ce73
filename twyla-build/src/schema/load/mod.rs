//! Loads a schemas folder: each file with the role that its path gives it, and its JSON with the place of every value and key.

mod node;
mod text;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use twyla_contract::{EventName, Location, RpcName, name};

pub use self::node::At;
pub(crate) use self::node::{Json, Member, Members, Node, quote, quoted, size, step, steps};
pub(crate) use self::text::{MAX_NESTING, parse};
use crate::schema::problem::{Problem, ProblemKind};
use crate::schema::uri;

/// The file with the settings of a folder.
pub(crate) const SETTINGS_FILE: &str = "twyla.json";

/// The role of a file, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileRole {
    Context,
    Event(EventName),
    Shared,
    /// A message of an RPC.
    Rpc(RpcName, RpcMessage),
    /// A file below `rpc/` that others refer to.
    BesideRpc,
    /// A document given with its URI, which is its path.
    Document,
    /// The built-in meta-schema of a draft.
    MetaSchema,
    /// A file of the folder that isn't compiled unless something refers to it, with its role in the folder.
    LeftOut(Box<FileRole>),
}

impl FileRole {
    /// Returns the role that the file's path determines, on which the names of the file's types depend.
    pub(crate) fn by_path(&self) -> &Self {
        match self {
            Self::LeftOut(role) => role.by_path(),
            role => role,
        }
    }
}

/// The messages of an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RpcMessage {
    Request,
    Response,
    Error,
}

impl RpcMessage {
    pub(crate) const ALL: [Self; 3] = [Self::Request, Self::Response, Self::Error];

    /// Returns the name of the message's file without `.json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Error => "error",
        }
    }
}

/// A file of the folder, or a document.
#[derive(Debug)]
pub(crate) struct File {
    /// The path below the folder, with `/`; the URI of a document.
    pub(crate) path: String,
    /// The path as messages show it.
    pub(crate) shown: String,
    pub(crate) role: FileRole,
    pub(crate) root: Node,
    /// Whether the file isn't JSON or couldn't be read. This is reported already, so references to the file aren't
    /// reported.
    pub(crate) unread: bool,
}

impl File {
    /// Creates a file that exists; `read` is `None` if it couldn't be read.
    fn of(path: String, shown: String, role: FileRole, read: Option<Node>) -> Self {
        let unread = read.is_none();
        let root = read.unwrap_or(Node { at: At { line: 1, column: 1 }, json: Json::Bool(true) });
        Self { path, shown, role, root, unread }
    }

    pub(crate) fn place(&self, at: At) -> Location {
        Location { file: self.shown.clone(), line: at.line, column: at.column }
    }

    pub(crate) fn problem(&self, at: At, kind: ProblemKind) -> Problem {
        Problem { file: self.shown.clone(), at: Some(at), kind }
    }
}

/// Reads the folder. Unreadable files become problems, and the others are still read.
pub(crate) fn folder(root: &Path, shown: &str, problems: &mut Vec<Problem>) -> Vec<File> {
    let whole = |kind| Problem { file: shown.to_owned(), at: None, kind };
    let mut paths = Vec::new();
    match std::fs::read_dir(root) {
        Ok(_) => walk(root, "", shown, &mut paths, problems),
        Err(error) => {
            problems.push(whole(ProblemKind::NoFolder { error: error.to_string() }));
            return Vec::new();
        }
    }
    paths.sort();
    if !paths.iter().any(|path| path == "context.json") {
        problems.push(whole(ProblemKind::NoContext));
    }
    let mut events = false;
    let mut files = Vec::new();
    for path in paths {
        let shown = format!("{shown}/{path}");
        let problem = |kind| Problem { file: shown.clone(), at: None, kind };
        let role = match role(&path) {
            Ok(Some(role)) => Some(role),
            Ok(None) => {
                problems.push(problem(ProblemKind::NothingBelongsHere));
                continue;
            }
            Err(error) => {
                problems.push(problem(ProblemKind::BadName { error: error.to_string() }));
                None
            }
        };
        events |= path.starts_with("events/") || path.starts_with("rpc/");
        let read = match std::fs::read(root.join(&path)) {
            Ok(bytes) => parse(&shown, bytes, problems),
            Err(error) => {
                problems.push(problem(ProblemKind::Unreadable { error: error.to_string() }));
                None
            }
        };
        if let Some(role) = role {
            files.push(File::of(path, shown, role, read));
        }
    }
    if !events {
        problems.push(whole(ProblemKind::NoEvents));
    }
    files
}

/// Reads the documents that are given by URI. Unreadable files become problems, and the others are still read.
pub(crate) fn documents(given: &[(String, PathBuf)], problems: &mut Vec<Problem>) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut seen: HashMap<String, &Path> = HashMap::new();
    for (uri, path) in given {
        let shown = path.to_string_lossy().replace('\\', "/");
        let mut problem = |kind| problems.push(Problem { file: shown.clone(), at: None, kind });
        let Some(uri) = uri::of_document(uri) else {
            problem(ProblemKind::BadDocumentUri { uri: uri.clone() });
            continue;
        };
        if let Some(other) = seen.get(&uri) {
            problem(ProblemKind::DocumentTwice { uri, other: other.to_string_lossy().replace('\\', "/") });
            continue;
        }
        seen.insert(uri.clone(), path);
        let read = match std::fs::read(path) {
            Ok(bytes) => parse(&shown, bytes, problems),
            Err(error) => {
                problem(ProblemKind::Unreadable { error: error.to_string() });
                None
            }
        };
        files.push(File::of(uri, shown, FileRole::Document, read));
    }
    files
}

fn walk(folder: &Path, prefix: &str, shown: &str, out: &mut Vec<String>, problems: &mut Vec<Problem>) {
    let place = |path: &str| format!("{shown}{}{path}", if path.is_empty() { "" } else { "/" });
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(Problem {
                file: place(prefix),
                at: None,
                kind: ProblemKind::Unreadable { error: error.to_string() },
            });
            return;
        }
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let path = format!("{}/{}", place(prefix), name.to_string_lossy());
            problems.push(Problem { file: path, at: None, kind: ProblemKind::NotUtf8Path });
            continue;
        };
        // files of editors and version control are ignored
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let problem = |kind| Problem { file: place(&path), at: None, kind };
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() => problems.push(problem(ProblemKind::Symlink)),
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &path, shown, out, problems),
            Ok(_) if path == SETTINGS_FILE => {}
            Ok(_) if name.ends_with(".json") => out.push(path),
            Ok(_) if path == "contracts.lock" || name.ends_with(".md") => {}
            Ok(_) => problems.push(problem(ProblemKind::NotAJsonFile)),
            Err(error) => problems.push(problem(ProblemKind::Unreadable { error: error.to_string() })),
        }
    }
}

/// Returns the role of a file by its path below the folder; `None` if no role has such a path.
pub(crate) fn role(path: &str) -> Result<Option<FileRole>, twyla_contract::NameError> {
    let Some(stem) = path.strip_suffix(".json") else { return Ok(None) };
    Ok(match stem.split('/').collect::<Vec<_>>()[..] {
        ["context"] => Some(FileRole::Context),
        ["events", domain, event_type] => {
            name::domain(domain)?;
            name::event_type(event_type)?;
            Some(FileRole::Event(EventName::parse(&format!("{domain}.{event_type}"))?))
        }
        ["shared", ..] => Some(FileRole::Shared),
        ["rpc", service, method, file] => match RpcMessage::ALL.into_iter().find(|way| way.name() == file) {
            Some(way) => {
                name::service(service)?;
                name::method(method)?;
                Some(FileRole::Rpc(RpcName::parse(&format!("{service}.{method}"))?, way))
            }
            None => Some(FileRole::BesideRpc),
        },
        ["rpc", ..] => Some(FileRole::BesideRpc),
        _ => None,
    })
}
