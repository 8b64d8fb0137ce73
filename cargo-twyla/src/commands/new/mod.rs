//! `cargo twyla new`: creates a service that compiles, runs and passes its test, from the files in `template/`.

use std::error::Error as StdError;
use std::fs;
use std::path::{Path, PathBuf};

use twyla_contract::rust::field_name;
use twyla_contract::{EventName, Group};

use crate::support::output;
use crate::support::paint::{GOOD, HEAD, paint, say};
use crate::support::run::{Outcome, Run};

/// Create a service that compiles, runs and passes its test.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla new greeter
  cd greeter && cargo test && cargo run

Within a workspace, cargo wants it among the members:
  cargo twyla new greeter -o services/greeter")]
pub(crate) struct Args {
    /// The name of the service, its package, its group and its domain.
    service: String,
    /// The folder to create. Default: the service's name.
    #[arg(short, long, alias = "path", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Twyla's sources. Default: those that this command was built from, or the registry if they are gone.
    #[arg(long, value_name = "DIR")]
    twyla: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("a service can't be named {name}: {why}")]
    Name { name: String, why: String },
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

/// Names that are valid for a package, a group and a domain, but not for all of them at once.
const TAKEN: [(&[&str], &str); 3] = [
    (&["context", "rpc", "shared"], "it names something else among the contracts"),
    (&["build", "deps", "examples", "incremental"], "cargo has a folder of that name beside the built program"),
    (&["tokio", "twyla-build", "twyla-runtime"], "it would depend on a package of its own name"),
];

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let name = self.service.as_str();
        let bad = |why: String| Error::Name { name: name.to_owned(), why };
        // a package's name is also the name of its crate
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(bad("it takes ASCII letters, digits, `-` and `_`".to_owned()).into());
        }
        EventName::parse(&format!("{name}.answered")).map_err(|error| bad(error.to_string()))?;
        Group::parse(name).map_err(|error| bad(error.to_string()))?;
        if field_name(name) != name.replace('-', "_") {
            return Err(bad("its module in Rust would have another name".to_owned()).into());
        }
        if let Some((_, why)) = TAKEN.iter().find(|(names, _)| names.contains(&name)) {
            return Err(bad((*why).to_owned()).into());
        }
        let folder = self.out.clone().unwrap_or_else(|| name.into());
        if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
            return Err(Error::There { path: folder }.into());
        }
        let sources = self.sources();
        let dependency = |name, features| dependency(sources.as_deref(), name, features);
        let (runtime, build) = (dependency("twyla-runtime", "")?, dependency("twyla-build", "")?);
        let testing = dependency("twyla-runtime", ", features = [\"testing\"]")?;
        let filled = |text: &str| {
            text.replace("{{service}}", name)
                .replace("{{domain}}", name)
                .replace("{{group}}", name)
                .replace("{{module}}", &field_name(name))
                .replace("{{runtime}}", &runtime)
                .replace("{{build}}", &build)
                .replace("{{testing}}", &testing)
        };
        for (place, text) in TEMPLATE {
            output::write(&folder.join(filled(place)), filled(text))?;
        }
        output::write(&folder.join(".gitignore"), "/target\n")?;
        let shown = folder.display();
        say!("{} the service {} in {shown}", paint(GOOD, "made"), paint(HEAD, name));
        if let Some(workspace) = workspace_of(&folder) {
            say!("cargo builds it once {} has it among its members", workspace.display());
        }
        if let (None, Some(sources)) = (&self.twyla, &sources) {
            let sources = sources.display();
            say!("it takes Twyla from {sources}, which this command was built from: its Cargo.toml says so");
        }
        say!("next: cd {shown} && cargo test && cargo run");
        Ok(Outcome::Fine)
    }
}

impl Args {
    /// The folder of Twyla's sources; `None` for the registry.
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
    Ok(format!("{{ version = \"{version}\", path = {path:?}{features} }}"))
}

/// Returns the Cargo.toml of the workspace around a folder that isn't a member of it yet.
fn workspace_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let mut manifests = folder.ancestors().skip(1).map(|it| it.join("Cargo.toml"));
    manifests.find(|it| fs::read_to_string(it).is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]")))
}
