//! Reads a folder with the layout of the official suite: `tests/<draft>/**/*.json`, and `remotes/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::group::{Case, DRAFTS, Group, Kind, Prepared};

/// The base URI of the suite's own server.
const SERVED: &str = "http://localhost:1234/";

/// A group in the suite's format.
#[derive(Deserialize)]
struct Written {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Case>,
}

/// The suite's folder: `TWYLA_SUITE`, or the shared test data beside the repository.
pub(crate) fn folder() -> PathBuf {
    println!("cargo::rerun-if-env-changed=TWYLA_SUITE");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let folder = match env::var_os("TWYLA_SUITE") {
        Some(folder) => package.join(folder),
        None => package.join("../../../shared/json-schema-test-suite"),
    };
    let folder = folder.canonicalize().unwrap_or(folder);
    println!("cargo::rustc-env=TWYLA_SUITE_FOLDER={}", folder.display());
    if folder.is_dir() {
        println!("cargo::rerun-if-changed={}", folder.display());
    } else {
        println!("cargo::warning=the JSON Schema test suite is not at {}: none of it is run", folder.display());
    }
    folder
}

/// Every group of the suite for a draft.
pub(crate) fn read(suite: &Path, draft: &str) -> Prepared {
    let mut prepared = Prepared::default();
    let folder = [suite.join("tests").join(draft), suite.join(draft)].into_iter().find(|folder| folder.is_dir());
    let Some(folder) = folder else { return prepared };
    prepared.suite = Some(folder.display().to_string());
    for path in files(&folder) {
        let file = below(&folder, &path);
        let Some(file) = file.strip_suffix(".json") else { continue };
        let kind = match file {
            _ if file.starts_with("optional/format/") => Kind::Format,
            _ if file.contains('/') => Kind::Optional,
            _ => Kind::Required,
        };
        let text = fs::read_to_string(&path).map_err(|error| error.to_string());
        let groups = text.and_then(|text| serde_json::from_str::<Vec<Written>>(&text).map_err(|e| e.to_string()));
        match groups {
            Ok(groups) => {
                for Written { description, schema, tests } in groups {
                    let unserved = (kind == Kind::Optional).then(|| unserved(suite, schema.get())).flatten();
                    if let Some(uri) = unserved {
                        prepared.unserved.push(format!("{file} / {description} needs {uri}"));
                        continue;
                    }
                    prepared.groups.push(Group::new(kind, file, description, schema, tests));
                }
            }
            Err(error) => {
                prepared.unreadable.insert(file.to_owned(), error);
            }
        }
    }
    prepared
}

/// The documents that a group may refer to, with their URIs: those for every draft, for its own draft, and for another
/// draft that its schema names.
pub(crate) fn remotes(suite: &Path, draft: &str, schema: &str) -> Vec<(String, PathBuf)> {
    let root = suite.join("remotes");
    let mut remotes = Vec::new();
    for path in files(&root) {
        let name = below(&root, &path);
        let of = name.split('/').next().filter(|first| first.starts_with("draft"));
        let meant =
            of.is_none_or(|of| of == draft || (DRAFTS.contains(&of) && schema.contains(&format!("{SERVED}{of}/"))));
        if meant && name.ends_with(".json") && schema.contains(SERVED) {
            remotes.push((format!("{SERVED}{name}"), path));
        }
    }
    remotes
}

/// A missing document of another draft that a schema refers to: a folder may have some drafts only.
fn unserved(suite: &Path, schema: &str) -> Option<String> {
    let served = format!("{SERVED}draft");
    let mut uris = schema.match_indices(&served).filter_map(|(at, _)| schema[at..].split(['"', '#']).next());
    uris.find(|uri| !suite.join("remotes").join(&uri[SERVED.len()..]).is_file()).map(str::to_owned)
}

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
