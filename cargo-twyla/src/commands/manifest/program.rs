//! The program of a manifest: built by cargo, or given as a file.

use std::ffi::OsString;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, Metadata, MetadataCommand, Package, Target};
use twyla_contract::similar;

use crate::support::text::did_you_mean;

/// The program to build.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct BuildArgs {
    /// The package to build, if the folder has several.
    #[arg(short, long, value_name = "PACKAGE")]
    package: Option<String>,
    /// The program to build, if the package has several.
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,
    /// Build with optimizations.
    #[arg(short, long)]
    release: bool,
    /// The Cargo.toml of the package. Default: the one of the current folder.
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Arguments for cargo build, after `--`: features, a target, a profile.
    #[arg(last = true, value_name = "CARGO_ARGS")]
    cargo: Vec<OsString>,
}

/// A program, with the name and version of its package.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A program that can't be built or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`cargo metadata` failed: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("the workspace has no package {name}{}", did_you_mean(near.as_deref()))]
    NoPackage { name: String, near: Option<String> },
    #[error("{whose} has no program {name}{}", did_you_mean(near.as_deref()))]
    NoBin { whose: String, name: String, near: Option<String> },
    #[error("{whose} has no program: a manifest describes a service, which has a main.rs")]
    NoProgram { whose: String },
    #[error("there are several programs: name one with {with}: {}", list.join(", "))]
    Several { with: &'static str, list: Vec<String> },
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
    #[error("{package} does not build: cargo's own errors are above")]
    DoesNotBuild { package: String },
    #[error("cargo built {package} but reported no program {bin}")]
    NotBuilt { package: String, bin: String },
}

impl BuildArgs {
    /// Builds the program. Cargo's messages go to standard error.
    pub(crate) fn build(&self) -> Result<Program, Error> {
        let metadata = self.metadata()?;
        let (package, target) = self.target(&metadata)?;
        let (package_name, bin) = (package.name.to_string(), target.name.clone());
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--message-format=json-render-diagnostics", "--package", &package.id.repr]);
        command.args(["--bin", &bin]).args(self.release.then_some("--release"));
        if let Some(path) = &self.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        let mut child = command.args(&self.cargo).stdout(Stdio::piped()).spawn().map_err(Error::Cargo)?;
        let out = child.stdout.take().map(BufReader::new);
        let mut built = None;
        for message in out.into_iter().flat_map(Message::parse_stream) {
            if let Message::CompilerArtifact(artifact) = message.map_err(Error::Cargo)?
                && let Some(path) = program_of(&artifact, package, &bin)
            {
                built = Some(path);
            }
        }
        if !child.wait().map_err(Error::Cargo)?.success() {
            return Err(Error::DoesNotBuild { package: package_name });
        }
        match built {
            Some(path) => Ok(Program { path, name: bin, version: package.version.to_string() }),
            None => Err(Error::NotBuilt { package: package_name, bin }),
        }
    }

    fn metadata(&self) -> Result<Metadata, Error> {
        let mut command = MetadataCommand::new();
        if let Some(path) = &self.manifest_path {
            command.manifest_path(path);
        }
        Ok(command.no_deps().exec()?)
    }

    /// Returns the package of the current folder, or of the given Cargo.toml; `None` in the root of a workspace that isn't a
    /// package.
    fn around<'a>(&self, members: &[&'a Package]) -> Option<&'a Package> {
        let folder = match &self.manifest_path {
            Some(path) => path.canonicalize().ok()?.parent()?.to_owned(),
            None => std::env::current_dir().ok()?.canonicalize().ok()?,
        };
        let of = |it: &Package| it.manifest_path.parent().and_then(|of| of.as_std_path().canonicalize().ok());
        folder.ancestors().find_map(|folder| members.iter().copied().find(|it| of(it).as_deref() == Some(folder)))
    }

    /// Returns the program to build: of the package in the current folder, or of the only package with programs.
    fn target<'a>(&self, metadata: &'a Metadata) -> Result<(&'a Package, &'a Target), Error> {
        let members = metadata.workspace_packages();
        let packages: Vec<&Package> = match &self.package {
            Some(name) => {
                let found: Vec<_> = members.iter().copied().filter(|it| it.name.as_str() == name).collect();
                if found.is_empty() {
                    let near = similar::nearest(name, members.iter().map(|it| it.name.as_str())).map(str::to_owned);
                    return Err(Error::NoPackage { name: name.clone(), near });
                }
                found
            }
            None => match self.around(&members) {
                Some(package) => vec![package],
                None => members,
            },
        };
        let programs: Vec<(&Package, &Target)> = packages
            .iter()
            .flat_map(|it| it.targets.iter().filter(|target| target.is_bin()).map(|t| (*it, t)))
            .collect();
        let whose = || {
            packages
                .first()
                .filter(|_| packages.len() == 1)
                .map_or("the workspace".to_owned(), |it| format!("the package {}", it.name))
        };
        let named: Vec<(&Package, &Target)> = match &self.bin {
            Some(name) => {
                let found: Vec<_> = programs.iter().copied().filter(|(_, target)| target.name == *name).collect();
                if found.is_empty() && !programs.is_empty() {
                    let near = similar::nearest(name, programs.iter().map(|(_, it)| it.name.as_str()));
                    let near = near.map(str::to_owned);
                    return Err(Error::NoBin { whose: whose(), name: name.clone(), near });
                }
                found
            }
            None => programs,
        };
        match named.as_slice() {
            [] => Err(Error::NoProgram { whose: whose() }),
            [one] => Ok(*one),
            several => {
                let one_package = several.iter().all(|(package, _)| package.id == several[0].0.id);
                let default = several[0].0.default_run.as_ref().filter(|_| one_package);
                if let Some(one) = several.iter().find(|(_, target)| Some(&target.name) == default) {
                    return Ok(*one);
                }
                let name = |(package, target): &(&Package, &Target)| {
                    if one_package { target.name.clone() } else { package.name.to_string() }
                };
                let mut list: Vec<String> = several.iter().map(name).collect();
                let with = if one_package { "--bin" } else { "--package" };
                list.dedup();
                Err(Error::Several { with, list })
            }
        }
    }
}

fn program_of(artifact: &Artifact, package: &Package, bin: &str) -> Option<PathBuf> {
    let is = artifact.package_id == package.id && artifact.target.is_bin() && artifact.target.name == bin;
    artifact.executable.as_ref().filter(|_| is).map(|path| path.clone().into_std_path_buf())
}
