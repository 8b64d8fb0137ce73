//! The folder that cargo builds into.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// A target folder that cargo didn't name.
#[derive(Debug, thiserror::Error)]
#[error("cargo metadata did not name its target folder: {0}")]
pub(crate) struct Error(String);

/// Asks cargo for its target folder, which the environment and configuration files may set.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().map_err(|error| Error(error.to_string()))?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| Error(String::from_utf8_lossy(&output.stderr).trim().to_owned()))?;
    metadata["target_directory"].as_str().map(PathBuf::from).ok_or_else(|| Error("no `target_directory`".into()))
}
