//! Finds the schemas folder of a contracts crate through `cargo metadata`: of a package in the workspace or of a dependency.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package};
use twyla_contract::similar;

use super::text::did_you_mean;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`cargo metadata` failed here: {0}")]
    Cargo(#[from] cargo_metadata::Error),
    #[error("there is no package {name} here or among the dependencies{}", did_you_mean(near.as_deref()))]
    NoPackage { name: String, near: Option<String> },
    #[error("the package {name} has no schemas: {} is not a folder; name it with `schemas = \"..\"` in [package.metadata.twyla]", folder.display())]
    NoSchemas { name: String, folder: PathBuf },
}

/// Returns a package and its schemas folder: `schemas`, or the one that its Cargo.toml names in `[package.metadata.twyla]`.
/// The folder is relative to `here` if it is below `here`.
pub(crate) fn find(name: &str, here: &Path) -> Result<(Package, PathBuf), Error> {
    let mut command = MetadataCommand::new();
    command.current_dir(here);
    // the dependencies of other platforms needn't be downloaded
    if let Some(host) = host() {
        command.other_options(["--filter-platform".to_owned(), host]);
    }
    let metadata = command.exec()?;
    let Some(package) = metadata.packages.iter().find(|package| package.name.as_str() == name) else {
        // suggest only packages with contracts: most dependencies have none
        let local = metadata.packages.iter().filter(|it| it.dependencies.iter().any(|it| it.name == "twyla-build"));
        let near = similar::nearest(name, local.map(|package| package.name.as_str())).map(str::to_owned);
        return Err(Error::NoPackage { name: name.to_owned(), near });
    };
    let named = package.metadata["twyla"]["schemas"].as_str().unwrap_or("schemas");
    let root = package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()).unwrap_or_default();
    let folder = root.join(named);
    let Some(folder) = folder.canonicalize().ok().filter(|folder| folder.is_dir()) else {
        return Err(Error::NoSchemas { name: name.to_owned(), folder });
    };
    let folder = here.canonicalize().ok().and_then(|here| below(&folder, &here)).unwrap_or(folder);
    Ok((package.clone(), folder))
}

/// Returns the platform that rustc compiles for by default.
fn host() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

/// Returns the path of `folder` relative to `here`; `None` if it isn't below `here`.
pub(crate) fn below(folder: &Path, here: &Path) -> Option<PathBuf> {
    folder.strip_prefix(here).ok().filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned)
}

/// Returns the package of the nearest Cargo.toml in a folder or above it; `None` if there is none or it has no package.
pub(crate) fn package_around(folder: &Path) -> Option<Package> {
    let manifest = folder.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file())?;
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec().ok()?;
    // compare canonical paths: the folder may be behind a symbolic link, and Windows has two forms of a path
    let manifest = manifest.canonicalize().ok();
    metadata.packages.into_iter().find(|package| package.manifest_path.as_std_path().canonicalize().ok() == manifest)
}
