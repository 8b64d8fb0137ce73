//! Compares the features of a contracts crate with the folders of its schemas. A crate that compiles by features has one
//! feature for each domain and each service.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use toml::de::DeTable;
use twyla_contract::Location;

use crate::support::contracts_crate::{below, package_around};
use crate::support::paint::tame;
use crate::support::schemas::Folder;

/// A difference between the features of a contracts crate and the folders of its schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeatureLag {
    /// The place of a difference in the crate's Cargo.toml.
    pub(super) place: Location,
    pub(super) kind: LagKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LagKind {
    /// A domain or a service without a feature: no build compiles its contracts.
    NoFeature(String),
    /// A feature without a domain or a service: it compiles nothing.
    NoFolder(String),
}

impl FeatureLag {
    /// Returns the name of the domain, the service or the feature.
    pub(super) fn name(&self) -> &str {
        match &self.kind {
            LagKind::NoFeature(name) | LagKind::NoFolder(name) => name,
        }
    }

    /// Describes the difference in one sentence.
    pub(super) fn headline(&self) -> String {
        let name = tame(self.name());
        match &self.kind {
            LagKind::NoFeature(_) => format!("`{name}` has no feature, so no build compiles its contracts"),
            LagKind::NoFolder(_) => {
                format!("the feature `{name}` compiles nothing: no domain or service has this name")
            }
        }
    }

    /// Describes how to remove the difference.
    pub(super) fn remedy(&self) -> String {
        let name = tame(self.name());
        match &self.kind {
            LagKind::NoFeature(_) => {
                format!("add `{name} = []` to `[features]`, and `{name}` to `default` if services have it by default")
            }
            LagKind::NoFolder(_) => format!("remove `{name}` from `[features]`, or give its domain the name"),
        }
    }
}

/// Compares the domains and services of a schemas folder with the features of the contracts crate around it. Returns nothing
/// if no such crate exists, or if its build script doesn't compile by features.
pub(super) fn lags(schemas: &Folder) -> Vec<FeatureLag> {
    let around = || package_around(&schemas.path.canonicalize().ok()?);
    let package = schemas.package.clone().or_else(around);
    let Some(package) = package.filter(compiles_by_features) else { return Vec::new() };
    let manifest = Manifest::read(&package);
    let folders = ["events", "rpc"].iter().filter_map(|folder| schemas.path.join(folder).read_dir().ok()).flatten();
    let folders = folders.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let names: BTreeSet<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let [folders, features] = [words(names.iter()), words(package.features.keys())];
    // features without a folder that are in order: `default`, groups of other features, and features that the sources name
    let is_idle = |(feature, of): &(&String, &Vec<String>)| {
        of.is_empty() && *feature != "default" && !folders.contains(&word(feature)) && !manifest.sources_name(feature)
    };
    let missing = names.iter().filter(|name| !features.contains(&word(name)));
    let missing = missing.map(|name| (manifest.features(), LagKind::NoFeature(name.clone())));
    let idle = package.features.iter().filter(is_idle);
    let idle = idle.map(|(feature, _)| (manifest.feature(feature), LagKind::NoFolder(feature.clone())));
    missing.chain(idle).map(|(place, kind)| FeatureLag { place, kind }).collect()
}

/// Returns a feature's name as cargo passes it to the build script.
fn word(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

fn words<'a>(names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    names.map(|name| word(name)).collect()
}

/// Returns whether the build script of a package calls `Builder::by_features`.
fn compiles_by_features(package: &Package) -> bool {
    let calls =
        |text: String| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("by_features"));
    let scripts = package.targets.iter().filter(|target| target.is_custom_build());
    scripts.into_iter().any(|script| std::fs::read_to_string(&script.src_path).is_ok_and(calls))
}

/// The text of a contracts crate's Cargo.toml, and its sources.
struct Manifest {
    path: PathBuf,
    text: String,
    sources: Vec<String>,
}

impl Manifest {
    fn read(package: &Package) -> Self {
        let path = package.manifest_path.as_std_path();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let roots = package.targets.iter().filter_map(|target| target.src_path.parent());
        let folders: BTreeSet<_> = roots.filter(|folder| Some(*folder) != package.manifest_path.parent()).collect();
        let roots = package.targets.iter().filter_map(|target| std::fs::read_to_string(&target.src_path).ok());
        let sources = roots.chain(folders.into_iter().flat_map(|folder| rust_files(folder.as_std_path()))).collect();
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
        let path = here.and_then(|here| below(path, &here)).unwrap_or_else(|| path.to_owned());
        Self { path, text, sources }
    }

    /// Returns whether the sources name a feature, as in `#[cfg(feature = "name")]`.
    fn sources_name(&self, feature: &str) -> bool {
        let name = format!("{feature:?}");
        self.sources.iter().any(|text| text.contains(&name))
    }

    fn at(&self, offset: usize) -> Location {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let from_one = |count: usize| u32::try_from(count).unwrap_or(u32::MAX - 1) + 1;
        let file = self.path.to_string_lossy().replace('\\', "/");
        Location { file, line: from_one(line), column: from_one(column) }
    }

    /// Returns the place of `[features]`, or the beginning of the file.
    fn features(&self) -> Location {
        let table = DeTable::parse(&self.text).ok();
        let span = table.and_then(|table| table.get_ref().get_key_value("features").map(|(key, _)| key.span()));
        self.at(span.map_or(0, |span| span.start))
    }

    /// Returns the place of a feature.
    fn feature(&self, name: &str) -> Location {
        let table = DeTable::parse(&self.text).ok();
        let span = table.and_then(|table| {
            let features = table.get_ref().get("features")?.get_ref().as_table()?;
            features.get_key_value(name).map(|(key, _)| key.span())
        });
        span.map_or_else(|| self.features(), |span| self.at(span.start))
    }
}

/// Returns the texts of the Rust files below a folder.
fn rust_files(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let texts = entries.flat_map(|path| match path.extension() {
        _ if path.is_dir() => rust_files(&path),
        Some(extension) if extension == "rs" => std::fs::read_to_string(&path).into_iter().collect(),
        _ => Vec::new(),
    });
    texts.collect()
}
