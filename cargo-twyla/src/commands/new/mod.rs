//! `cargo twyla new`: creates a service that compiles, runs and passes its test, or a contracts crate, from the files in `template/`.

use std::error::Error as StdError;
use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};
use twyla_contract::rust::field_name;
use twyla_contract::{EventName, Group};

use crate::support::output;
use crate::support::paint::{GOOD, HEAD, paint, say};
use crate::support::run::{Outcome, Run};

/// Create a service that compiles, runs and passes its test, or a crate with contracts.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla new greeter
  cd greeter && cargo test && cargo run

Contracts in a crate of their own, and a service on it:
  cargo twyla new --contracts-crate platform-contracts
  cargo twyla new greeter --contracts platform-contracts=../platform-contracts
  cargo twyla new greeter --contracts platform-contracts=https://git.example.com/platform/contracts

Inside a workspace, add the service to its members:
  cargo twyla new greeter -o services/greeter")]
pub(crate) struct Args {
    /// The name of the service, also used for its package, group and domain; or the name of the contracts crate.
    #[arg(value_name = "NAME")]
    service: String,
    /// Creates a contracts crate, on which services depend, instead of a service.
    #[arg(long, conflicts_with = "contracts")]
    contracts_crate: bool,
    /// The contracts crate of the service: its package, and a folder or the URL of a git repository. Default: a schemas
    /// folder in the service.
    #[arg(long, value_name = "PACKAGE=PATH|GIT", value_parser = contracts)]
    contracts: Option<(String, String)>,
    /// The folder to create. Default: the service's name.
    #[arg(short, long, alias = "path", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Twyla's sources. Default: the sources that this command was built from, or the registry if they no longer exist.
    #[arg(long, value_name = "DIR")]
    twyla: Option<PathBuf>,
}

/// Parses `--contracts`.
fn contracts(text: &str) -> Result<(String, String), String> {
    let (package, source) = text
        .split_once('=')
        .ok_or("expected PACKAGE=PATH or PACKAGE=GIT, as in platform-contracts=../platform-contracts")?;
    if !is_package(package) {
        return Err(format!("{package:?} is not a valid name of a package: {PACKAGE_NAME}"));
    }
    if field_name(package) != package.replace('-', "_") || DEPENDENCIES.contains(&package) {
        return Err(format!("a contracts crate can't be named {package}"));
    }
    Ok((package.to_owned(), source.to_owned()))
}

const PACKAGE_NAME: &str = "a name has ASCII letters, digits, `-` and `_`, and begins with a letter";

fn is_package(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("a service can't be named {name}: {why}")]
    Name { name: String, why: String },
    #[error("a contracts crate can't be named {name}: {why}")]
    CrateName { name: String, why: String },
    #[error("there is no contracts crate in {}: {why}", path.display())]
    NoContracts { path: PathBuf, why: String },
    #[error("the package in {path} is {found}, not {package}: write `--contracts {found}={path}`")]
    OtherPackage { path: String, found: String, package: String },
    #[error("{path} already exists and is not empty")]
    There { path: PathBuf },
    #[error("{path} doesn't contain Twyla's sources: it has no folder twyla-runtime")]
    NoSources { path: PathBuf },
}

/// The files of a service: the path, which may contain `{{domain}}`, and the text.
const TEMPLATE: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("template/Cargo.toml")),
    ("build.rs", include_str!("template/build.rs")),
    ("src/main.rs", include_str!("template/src/main.rs")),
    ("schemas/context.json", include_str!("template/schemas/context.json")),
    ("schemas/events/{{domain}}/asked.json", include_str!("template/schemas/asked.json")),
    ("schemas/events/{{domain}}/answered.json", include_str!("template/schemas/answered.json")),
    ("README.md", include_str!("template/README.md")),
];

/// The files of a service on a contracts crate.
const ON_CONTRACTS: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("template/on_contracts/Cargo.toml")),
    ("src/main.rs", include_str!("template/on_contracts/src/main.rs")),
    ("README.md", include_str!("template/on_contracts/README.md")),
];

/// The files of a contracts crate.
const CONTRACTS_CRATE: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("template/contracts_crate/Cargo.toml")),
    ("build.rs", include_str!("template/contracts_crate/build.rs")),
    ("src/lib.rs", include_str!("template/contracts_crate/src/lib.rs")),
    ("schemas/context.json", include_str!("template/schemas/context.json")),
    ("schemas/events/example/asked.json", include_str!("template/schemas/asked.json")),
    ("schemas/events/example/answered.json", include_str!("template/schemas/answered.json")),
    ("README.md", include_str!("template/contracts_crate/README.md")),
];

/// Names that are valid for a package, but not for a service: its group and its domain would have the name of another part of
/// the contracts.
const CONTRACTS_NAMES: [&str; 3] = ["context", "rpc", "shared"];
/// The dependencies of each service.
const DEPENDENCIES: [&str; 3] = ["tokio", "twyla-build", "twyla-runtime"];
/// Names that cargo accepts for a package and then can't build.
const TAKEN: [(&[&str], &str); 2] = [
    (&["build", "deps", "examples", "incremental"], "cargo writes a folder with this name beside the built program"),
    (&DEPENDENCIES, "it would depend on a package of its own name"),
];

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let name = self.service.as_str();
        if let Some(why) = self.refused() {
            let name = name.to_owned();
            return Err(match self.contracts_crate {
                true => Error::CrateName { name, why },
                false => Error::Name { name, why },
            }
            .into());
        }
        let folder = self.out.clone().unwrap_or_else(|| name.into());
        if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
            return Err(Error::There { path: folder }.into());
        }
        let sources = self.sources();
        let dependency = |name, features| dependency(sources.as_deref(), name, features);
        let (runtime, build) = (dependency("twyla-runtime", "")?, dependency("twyla-build", "")?);
        let codec = dependency("twyla-codec", "")?;
        let testing = dependency("twyla-runtime", ", features = [\"testing\"]")?;
        let (package, source) = match &self.contracts {
            Some((package, source)) => (package.as_str(), contracts_source(&folder, package, source)?),
            None => ("", String::new()),
        };
        let filled = |text: &str| {
            text.replace("{{service}}", name)
                .replace("{{domain}}", name)
                .replace("{{group}}", name)
                .replace("{{module}}", &field_name(name))
                .replace("{{runtime}}", &runtime)
                .replace("{{build}}", &build)
                .replace("{{codec}}", &codec)
                .replace("{{contracts}}", package)
                .replace("{{contracts-module}}", &package.replace('-', "_"))
                .replace("{{source}}", &source)
                .replace("{{testing}}", &testing)
        };
        let (what, files): (_, &[_]) = match (self.contracts_crate, &self.contracts) {
            (true, _) => ("contracts crate", &CONTRACTS_CRATE),
            (false, Some(_)) => ("service", &ON_CONTRACTS),
            (false, None) => ("service", &TEMPLATE),
        };
        for (place, text) in files {
            output::write(&folder.join(filled(place)), filled(text))?;
        }
        output::write(&folder.join(".gitignore"), "/target\n")?;
        let shown = folder.display();
        say!("{} the {what} {} in {shown}", paint(GOOD, "made"), paint(HEAD, name));
        if let Some(workspace) = workspace_of(&folder) {
            say!("to build it, add it to `members` in {}", workspace.display());
        }
        if let (None, Some(sources)) = (&self.twyla, &sources) {
            let sources = sources.display();
            say!("its Cargo.toml uses Twyla from {sources}, from which this command was built");
        }
        match self.contracts_crate {
            true => say!("next: cd {shown} && cargo check && cargo twyla accept"),
            false => say!("next: cd {shown} && cargo test && cargo run"),
        }
        Ok(Outcome::Fine)
    }
}

impl Args {
    /// Returns why a service or a contracts crate can't have this name.
    fn refused(&self) -> Option<String> {
        let name = self.service.as_str();
        // a package's name is also the name of its crate
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Some("a name has ASCII letters, digits, `-` and `_`".to_owned());
        }
        if self.contracts_crate {
            if !is_package(name) {
                return Some(PACKAGE_NAME.to_owned());
            }
        } else {
            let error = EventName::parse(&format!("{name}.answered")).err().or_else(|| Group::parse(name).err());
            if let Some(error) = error {
                return Some(error.to_string());
            }
            if CONTRACTS_NAMES.contains(&name) {
                return Some("generated code of contracts uses this name for something else".to_owned());
            }
            if self.contracts.as_ref().is_some_and(|(package, _)| package == name) {
                return Some("its contracts crate has this name".to_owned());
            }
        }
        if field_name(name) != name.replace('-', "_") {
            return Some("its module in Rust can't have this name".to_owned());
        }
        TAKEN.iter().find(|(names, _)| names.contains(&name)).map(|(_, why)| (*why).to_owned())
    }

    /// Returns the folder of Twyla's sources; `None` for the registry.
    fn sources(&self) -> Option<PathBuf> {
        // a package from a registry has no workspace around it
        let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
        self.twyla.clone().or_else(|| built_from().filter(|it| it.join("twyla-runtime/Cargo.toml").is_file()))
    }
}

/// Returns the dependency on one of Twyla's crates; `features` is appended to it.
fn dependency(sources: Option<&Path>, name: &str, features: &str) -> Result<String, Error> {
    let version = env!("CARGO_PKG_VERSION");
    let Some(sources) = sources else { return Ok(format!("{{ version = \"{version}\"{features} }}")) };
    let path = sources.join(name).canonicalize().map_err(|_| Error::NoSources { path: sources.to_owned() })?;
    let path = path.to_string_lossy().replace('\\', "/");
    Ok(format!("{{ version = \"{version}\", path = {}{features} }}", toml_string(&path)))
}

/// Writes a string of TOML. JSON's string is also one of TOML, except for DEL.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Returns the dependency of the package in `folder` on a contracts crate: in a folder, or in a git repository.
fn contracts_source(folder: &Path, package: &str, source: &str) -> Result<String, Error> {
    if source.contains("://") {
        return Ok(format!("{{ git = {} }}", toml_string(source)));
    }
    // the short form of SSH, which git knows and cargo doesn't: git@example.com:platform/contracts
    if let Some((host, path)) = source.split_once(':').filter(|(host, _)| host.contains('@')) {
        return Ok(format!("{{ git = {} }}", toml_string(&format!("ssh://{host}/{path}"))));
    }
    let path = Path::new(source);
    let refused = |why: String| Error::NoContracts { path: path.to_owned(), why };
    let manifest =
        fs::read_to_string(path.join("Cargo.toml")).map_err(|error| refused(format!("Cargo.toml: {error}")))?;
    let manifest = DeTable::parse(&manifest).map_err(|_| refused("its Cargo.toml is not valid TOML".to_owned()))?;
    let found = manifest.get_ref().get("package").and_then(|it| it.get_ref().get("name")).map(|it| it.get_ref());
    let found = found.and_then(DeValue::as_str).ok_or_else(|| refused("its Cargo.toml has no package".to_owned()))?;
    if found != package {
        let (found, package) = (found.to_owned(), package.to_owned());
        return Err(Error::OtherPackage { path: source.to_owned(), found, package });
    }
    let path = path.canonicalize().map_err(|error| refused(error.to_string()))?;
    let path = relative(folder, &path).unwrap_or(path);
    Ok(format!("{{ path = {} }}", toml_string(&path.to_string_lossy().replace('\\', "/"))))
}

/// Returns a path from a folder, which may not exist yet, to another one; `None` if only the root contains both.
fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let from = std::path::absolute(from).ok()?;
    let (existing, base) = from.ancestors().find_map(|it| Some((it, it.canonicalize().ok()?)))?;
    let from = base.join(from.strip_prefix(existing).ok()?);
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    (shared > 1).then(|| up.chain(to.components().skip(shared)).collect())
}

/// Returns the Cargo.toml of the nearest workspace above a folder. Doesn't check whether the folder is a member of the
/// workspace.
fn workspace_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let mut manifests = folder.ancestors().skip(1).map(|it| it.join("Cargo.toml"));
    manifests.find(|it| fs::read_to_string(it).is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]")))
}
