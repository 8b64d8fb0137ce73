//! Reads the files of pairs: one JSON object per line.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use twyla_build::Draft;

/// A pair of schemas, with the labels of its source.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// The name of the pair.
    pub id: String,
    /// The draft of schemas without `$schema`, as the files write it.
    pub draft: String,
    /// The older schema, or the left one.
    pub old: Box<RawValue>,
    /// The newer schema, or the right one.
    pub new: Box<RawValue>,
    /// The source's labels.
    #[serde(default)]
    pub norm: Norm,
}

/// A source's labels for both directions; either may be missing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Norm {
    /// Whether the newer schema accepts every value of the older.
    pub old_in_new: Option<bool>,
    /// Whether the older schema accepts every value of the newer.
    pub new_in_old: Option<bool>,
}

/// One direction of a pair: does the outer schema accept every value of the inner one?
#[derive(Clone, Copy, Debug)]
pub struct Direction<'a> {
    /// The pair's id.
    pub id: &'a str,
    /// `old_in_new` or `new_in_old`.
    pub name: &'static str,
    /// The draft of schemas without `$schema`.
    pub draft: &'a str,
    /// The inner schema.
    pub inner: &'a str,
    /// The outer schema.
    pub outer: &'a str,
    /// The source's label.
    pub label: Option<bool>,
}

impl Case {
    /// Both directions.
    #[must_use]
    pub fn directions(&self) -> [Direction<'_>; 2] {
        let direction =
            |name, inner, outer, label| Direction { id: &self.id, name, draft: &self.draft, inner, outer, label };
        let (old, new) = (self.old.get(), self.new.get());
        [
            direction("old_in_new", old, new, self.norm.old_in_new),
            direction("new_in_old", new, old, self.norm.new_in_old),
        ]
    }
}

/// The draft of this name, in the spelling of the files or of the official suite.
#[must_use]
pub fn draft(name: &str) -> Draft {
    match name.trim_start_matches("draft").trim_start_matches('-').trim_start_matches('0') {
        "4" => Draft::Draft4,
        "6" => Draft::Draft6,
        "7" => Draft::Draft7,
        "2019-09" => Draft::Draft201909,
        _ => Draft::Draft202012,
    }
}

/// The folder of shared test data beside the repository.
#[must_use]
pub fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema-compat")
}

/// The shared files of pairs, in the order in which their README lists them.
///
/// If one of them is missing.
/// Where one of them isn't there.
pub fn files() -> io::Result<Vec<PathBuf>> {
    let named = ["apicurio", "haggholm", "ibm", "wikimedia", "sentry-kafka"];
    named.iter().map(|name| shared().join(format!("{name}.jsonl")).canonicalize()).collect()
}

/// The pairs of a file.
///
/// # Errors
/// If it can't be read, or if a line isn't a pair.
pub fn read(path: &Path) -> io::Result<Vec<Case>> {
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
}

/// The directions that a known value refutes, because the inner schema accepts it and the outer doesn't: `(id,
/// direction)` each.
///
/// # Errors
/// If the shared file can't be read.
pub fn refuted() -> io::Result<HashMap<(String, String), Value>> {
    let text = fs::read_to_string(shared().join("oracle.jsonl"))?;
    let mut out = HashMap::new();
    for line in text.lines() {
        let line: BTreeMap<String, Value> = serde_json::from_str(line)?;
        let name = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if line.get("refuted") == Some(&Value::Bool(true)) {
            out.insert((name("id"), name("dir")), line.get("witness").cloned().unwrap_or_default());
        }
    }
    Ok(out)
}
