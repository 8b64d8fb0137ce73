//! Asks cargo for its target folder, and for the packages and tests of the workspace.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// A failed query to cargo.
#[derive(Debug, thiserror::Error)]
#[error("cargo metadata failed: {0}")]
pub(crate) struct Error(String);

/// Returns the target folder, which the environment and configuration files may set.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let metadata = metadata()?;
    metadata["target_directory"].as_str().map(PathBuf::from).ok_or_else(|| Error("no `target_directory`".into()))
}

/// Returns the names of all test targets of some packages.
pub(crate) fn tests(packages: &[&str]) -> Result<Vec<String>, Error> {
    let metadata = metadata()?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let of = |name: &str| {
        let package = list(&metadata["packages"]).into_iter().find(|package| package["name"] == name);
        package.ok_or_else(|| Error(format!("no package `{name}`")))
    };
    let mut names = Vec::new();
    for package in packages {
        let tests =
            list(&of(package)?["targets"]).into_iter().filter(|target| list(&target["kind"]).contains(&"test".into()));
        names.extend(tests.filter_map(|target| target["name"].as_str().map(str::to_owned)));
    }
    Ok(names)
}

/// Returns the names of the workspace's programs, except those with the name of their package's library: rustdoc would write
/// the pages of both to the same place.
pub(crate) fn programs() -> Result<Vec<String>, Error> {
    let metadata = metadata()?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut names = Vec::new();
    for package in list(&metadata["packages"]) {
        let targets = list(&package["targets"]);
        let of_kind = |kind: &str| {
            let targets = targets.iter().filter(|target| list(&target["kind"]).contains(&kind.into()));
            targets.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let libraries = of_kind("lib");
        names.extend(of_kind("bin").into_iter().filter(|name| !libraries.contains(&name.replace('-', "_"))));
    }
    Ok(names)
}

/// A package of the workspace, and the files that its library and programs begin with.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) is_published: bool,
    /// The folder of its source files: `src`.
    pub(crate) source: PathBuf,
    pub(crate) roots: Vec<PathBuf>,
}

/// Returns the packages of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>, Error> {
    let metadata = metadata()?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]).into_iter().map(|package| {
        let targets = list(&package["targets"]);
        let product = targets.iter().filter(|target| {
            ["lib", "bin", "proc-macro"].iter().any(|kind| list(&target["kind"]).contains(&(*kind).into()))
        });
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        Package {
            name: text(&package["name"]),
            is_published: package["publish"].is_null(),
            source: manifest.with_file_name("src"),
            roots: product.map(|target| PathBuf::from(text(&target["src_path"]))).collect(),
        }
    });
    Ok(packages.collect())
}

fn metadata() -> Result<Value, Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().map_err(|error| Error(error.to_string()))?;
    serde_json::from_slice(&output.stdout).map_err(|_| Error(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn leaves_out_programs_named_like_their_library() {
        let programs = super::programs().unwrap();
        assert!(programs.contains(&"cargo-twyla".to_owned()));
        assert!(!programs.contains(&"twyla-compat".to_owned()));
    }

    #[test]
    fn finds_the_tests_of_a_package_and_reports_one_that_is_missing() {
        assert!(super::tests(&["twyla-compat", "xtask"]).unwrap().contains(&"left_behind".to_owned()));
        assert_eq!(
            super::tests(&["xtask", "nobody"]).unwrap_err().to_string(),
            "cargo metadata failed: no package `nobody`"
        );
    }
}
