//! The cost of building a platform: services that use 20 of 1,000 contracts each, by the way in which they get them.
//! `cargo run -p twyla-bench --bin platform-cost [-- SERVICES [CONTRACTS [BUILT]]]`.
//!
//! Each way is a workspace of services, built for debugging with cargo's defaults from an empty target folder. What doesn't depend on
//! the contracts is not counted: the dependencies, and the same services without a handler. The unit is CPU time of all
//! processes involved. Services that compile all contracts cost the same each: BUILT of them are built, and the cost is that of all.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use twyla_bench::command::seconds;
use twyla_bench::schemas;
use twyla_build::Builder;
use twyla_build::lock::{FILE_NAME, Lock};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The events of a domain in the folder, and the domains of a service.
const DOMAIN: usize = 10;
const DOMAINS: usize = 2;

/// How a service gets its contracts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// Each service compiles all.
    All,
    /// Each service compiles what it uses, with `Builder::only`.
    Only,
    /// A contracts crate compiles all.
    Crate,
    /// A contracts crate compiles the domains whose features the services enable.
    Features,
}

impl Way {
    const ALL: [Self; 4] = [Self::All, Self::Only, Self::Crate, Self::Features];

    fn name(self) -> &'static str {
        match self {
            Self::All => "all in each service",
            Self::Only => "`Builder::only`",
            Self::Crate => "a contracts crate",
            Self::Features => "a contracts crate, a feature for each domain",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Only => "only",
            Self::Crate => "crate",
            Self::Features => "features",
        }
    }

    fn has_crate(self) -> bool {
        matches!(self, Self::Crate | Self::Features)
    }

    /// The largest cost of a clean build, as a multiple of [`Way::All`].
    fn bar(self) -> Option<f64> {
        match self {
            Self::Only => Some(0.1),
            Self::Crate => Some(0.15),
            Self::All | Self::Features => None,
        }
    }

    /// The largest cost of a check after an edit, in CPU seconds.
    fn loop_bar(self) -> Option<f64> {
        matches!(self, Self::Only | Self::Features).then_some(5.0)
    }

    /// The edits that are measured.
    fn edits(self) -> usize {
        if self.loop_bar().is_some() { 3 } else { 1 }
    }
}

/// The cost of one way.
#[derive(Debug)]
struct Cost {
    clean: f64,
    megabytes: f64,
    edit: f64,
}

/// The workspaces of all ways, and what they have in common.
struct Bench {
    /// Twyla's own workspace.
    root: PathBuf,
    folder: PathBuf,
    services: usize,
    contracts: usize,
    /// How many of the services are built if each compiles all contracts.
    built: usize,
}

fn main() -> Result<()> {
    let numbers: Vec<usize> =
        std::env::args().skip(1).map(|word| word.parse()).collect::<std::result::Result<_, _>>()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package has a workspace")?.to_owned();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let services = numbers.first().copied().unwrap_or(10);
    let contracts = numbers.get(1).copied().unwrap_or(1_000);
    if contracts < services * DOMAINS * DOMAIN {
        return Err(format!("{services} services need {} contracts", services * DOMAINS * DOMAIN).into());
    }
    let folder = target.join("platform-cost");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let built = numbers.get(2).copied().unwrap_or(services).clamp(1, services);
    let bench = Bench { root, folder, services, contracts, built };
    println!("{services} services, each with {} of {contracts} contracts", DOMAINS * DOMAIN);
    let mut first = None;
    for way in Way::ALL {
        bench.write(way, false)?;
        let (build, check) = (bench.cargo(way, &["build"])?, bench.cargo(way, &["check", "--package", "service0"])?);
        if way == Way::All {
            println!("the dependencies, built once: {build:.1} s; checked: {check:.1} s");
            println!("of the services that compile all contracts, {built} are built\n");
            println!(
                "| contracts | clean build, CPU s | by the first | bar | debug MB | check after an edit, CPU s | bar |"
            );
            println!("|---|--:|--:|---|--:|--:|---|");
        }
        let cost = bench.cost(way)?;
        print(way, &cost, *first.get_or_insert(cost.clean));
    }
    fs::remove_dir_all(&bench.folder)?;
    Ok(())
}

fn print(way: Way, Cost { clean, megabytes, edit }: &Cost, first: f64) {
    let met = |is_met: bool| if is_met { "ok" } else { "MISSED" };
    let ratio = clean / first;
    let bar = way.bar().map(|bar| format!("<= {bar}x: {}", met(ratio <= bar))).unwrap_or_default();
    let loop_bar = way.loop_bar().map(|bar| format!("<= {bar} s: {}", met(*edit <= bar))).unwrap_or_default();
    println!("| {} | {clean:.1} | {ratio:.3} | {bar} | {megabytes:.0} | {edit:.1} | {loop_bar} |", way.name());
}

impl Bench {
    fn cost(&self, way: Way) -> Result<Cost> {
        let workspace = self.folder.join(way.folder());
        let built = if way == Way::All { self.built } else { self.services };
        let scale = self.services as f64 / built as f64;
        let packages: Vec<String> =
            (0..built).flat_map(|it| ["--package".to_owned(), format!("service{it}")]).collect();
        let build: Vec<&str> = ["build"].into_iter().chain(packages.iter().map(String::as_str)).collect();
        // the services without handlers are compiled and linked again
        let clean: Vec<&str> = ["clean"].into_iter().chain(packages.iter().map(String::as_str)).collect();
        self.cargo(way, &clean)?;
        let without = self.cargo(way, &build)?;
        let before = size(&self.folder.join("target"))?;
        self.write(way, true)?;
        let clean = (self.cargo(way, &build)? - without) * scale;
        let megabytes = (size(&self.folder.join("target"))? - before) as f64 / 1e6 * scale;
        let check = ["check", "--package", "service0"];
        self.cargo(way, &check)?;
        let file = open_event(&workspace.join("schemas"))?;
        let mut schema: Value = serde_json::from_slice(&fs::read(&file)?)?;
        let mut edits = Vec::new();
        for edit in 0..way.edits() {
            schema["properties"][format!("edited{edit}")] = json!({ "type": "string", "maxLength": 40 });
            fs::write(&file, format!("{schema:#}"))?;
            edits.push(self.cargo(way, &check)?);
        }
        edits.sort_by(f64::total_cmp);
        Ok(Cost { clean, megabytes, edit: edits[edits.len() / 2] })
    }

    /// Runs cargo in the workspace of a way; returns its CPU seconds.
    fn cargo(&self, way: Way, args: &[&str]) -> Result<f64> {
        let mut command = Command::new(env!("CARGO"));
        command.args(args).arg("--quiet").current_dir(self.folder.join(way.folder()));
        // the dependencies are the same ones in all workspaces
        command.env("CARGO_TARGET_DIR", self.folder.join("target"));
        // an edit that the lock doesn't have yet isn't an error
        command.env("TWYLA_LOCK", "warn");
        Ok(seconds(&mut command)?)
    }

    /// Writes the workspace of a way: with its sources, or with empty ones.
    fn write(&self, way: Way, full: bool) -> Result<()> {
        let workspace = self.folder.join(way.folder());
        fs::create_dir_all(&workspace)?;
        let names: Vec<String> = (0..self.services).map(|service| format!("service{service}")).collect();
        let members: Vec<&str> =
            names.iter().map(String::as_str).chain(way.has_crate().then_some("platform-contracts")).collect();
        // as `cargo twyla new --contracts` has it
        let profile = match way.has_crate() {
            true => "\n[profile.dev.package.platform-contracts]\ndebug = false\n",
            false => "",
        };
        put(
            &workspace.join("Cargo.toml"),
            &format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n{profile}"),
        )?;
        let schemas = workspace.join("schemas");
        if !schemas.exists() {
            fs::copy(self.root.join("Cargo.lock"), workspace.join("Cargo.lock"))?;
            schemas::write(&schemas, self.contracts)?;
            let lock = Lock::of(&Builder::new(&schemas).contracts()?);
            fs::write(schemas.join(FILE_NAME), lock.to_string())?;
        }
        for (service, name) in names.iter().enumerate() {
            let folder = workspace.join(name);
            put(&folder.join("Cargo.toml"), &self.manifest(way, service))?;
            let main = if full { service_source(way, service) } else { main_source("") };
            put(&folder.join("src/main.rs"), &main)?;
            if !way.has_crate() {
                let builder = match way {
                    Way::Only => format!("Builder::new(\"../schemas\").only({:?})", domains(service, ".*")),
                    _ => "Builder::new(\"../schemas\")".to_owned(),
                };
                put(&folder.join("build.rs"), &build_script(full.then_some(&*builder)))?;
            }
        }
        if way.has_crate() {
            let folder = workspace.join("platform-contracts");
            put(&folder.join("Cargo.toml"), &self.contracts_manifest(way))?;
            let builder = match way {
                Way::Features => "Builder::new(\"../schemas\").by_features()",
                _ => "Builder::new(\"../schemas\")",
            };
            put(&folder.join("build.rs"), &build_script(full.then_some(builder)))?;
            put(&folder.join("src/lib.rs"), if full { "twyla_runtime::include_contracts!();\n" } else { "" })?;
        }
        Ok(())
    }

    fn manifest(&self, way: Way, service: usize) -> String {
        let contracts = match way {
            Way::Crate => "platform-contracts = { path = \"../platform-contracts\" }\n".to_owned(),
            Way::Features => format!(
                "platform-contracts = {{ path = \"../platform-contracts\", features = {:?} }}\n",
                domains(service, "")
            ),
            Way::All | Way::Only => format!("\n[build-dependencies]\n{}", self.twyla_build()),
        };
        format!(
            "[package]\nname = \"service{service}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n{contracts}",
            self.twyla_runtime()
        )
    }

    fn contracts_manifest(&self, way: Way) -> String {
        let features: String = match way {
            Way::Features => (0..self.contracts / DOMAIN).map(|domain| format!("domain{domain} = []\n")).collect(),
            _ => String::new(),
        };
        format!(
            "[package]\nname = \"platform-contracts\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[features]\n{features}\n\
             [dependencies]\n{}\n[build-dependencies]\n{}",
            self.twyla_runtime(),
            self.twyla_build()
        )
    }

    fn twyla_runtime(&self) -> String {
        format!("twyla-runtime = {{ path = {:?}, default-features = false }}\n", self.root.join("twyla-runtime"))
    }

    fn twyla_build(&self) -> String {
        format!("twyla-build = {{ path = {:?} }}\n", self.root.join("twyla-build"))
    }
}

/// An event of the first service that may have more properties than it declares, so that one more breaks nothing.
fn open_event(schemas: &Path) -> Result<PathBuf> {
    for event in 0..DOMAINS * DOMAIN {
        let file = schemas.join(format!("events/domain{}/event{event}.json", event / DOMAIN));
        let schema: Value = serde_json::from_slice(&fs::read(&file)?)?;
        if schema["additionalProperties"] == true {
            return Ok(file);
        }
    }
    Err("no event of the first service is open".into())
}

/// The domains of a service, each with an ending.
fn domains(service: usize, end: &str) -> Vec<String> {
    (0..DOMAINS).map(|domain| format!("domain{}{end}", service * DOMAINS + domain)).collect()
}

fn build_script(builder: Option<&str>) -> String {
    match builder {
        Some(builder) => format!("fn main() {{\n    twyla_build::{builder}.compile_or_exit();\n}}\n"),
        None => "fn main() {}\n".to_owned(),
    }
}

/// A service that listens to each of its events, and emits each of them.
fn service_source(way: Way, service: usize) -> String {
    let mut code = match way.has_crate() {
        true => "use platform_contracts as contracts;\n",
        false => "mod contracts {\n    twyla_runtime::include_contracts!();\n}\n",
    }
    .to_owned();
    code.push_str("use contracts::Context;\nuse twyla_runtime::{Bus, Error, listener, listeners};\n\n");
    let events: Vec<usize> = (0..DOMAINS * DOMAIN).map(|event| service * DOMAINS * DOMAIN + event).collect();
    for event in &events {
        let domain = event / DOMAIN;
        code.push_str(&format!(
            "#[listener(\"domain{domain}.event{event}\", group = \"service{service}\")]\n\
             async fn on{event}(event: contracts::domain{domain}::Event{event}, context: Context, bus: Bus) -> Result<(), Error> {{\n    \
             bus.emit(event, context).await\n}}\n\n"
        ));
    }
    let handlers = events.iter().map(|event| format!("on{event}")).collect::<Vec<_>>().join(", ");
    code.push_str(&main_source(&format!(".listeners(listeners![{handlers}])")));
    code
}

/// The program of a service with these handlers.
fn main_source(handlers: &str) -> String {
    format!(
        "#[tokio::main]\nasync fn main() -> Result<(), twyla_runtime::Error> {{\n    \
         twyla_runtime::Bus::in_memory().service(){handlers}.run().await\n}}\n"
    )
}

/// Writes a file, with its folder.
fn put(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
