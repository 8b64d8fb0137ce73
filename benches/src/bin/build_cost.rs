//! The cost of a build: generated code of 10, 100 and 1,000 events compared with typify's from the same schemas, and
//! clean builds of Twyla's own crates. `cargo run -p twyla-bench --bin build-cost [-- [--crates | --events] [COUNT
//! ..]]`.
//!
//! Unoptimized, as cargo runs every build script. The unit is CPU time of all processes involved.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use twyla_bench::command::seconds;
use twyla_bench::schemas;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The code generator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Maker {
    Twyla,
    Typify,
}

impl Maker {
    const ALL: [Self; 2] = [Self::Twyla, Self::Typify];

    fn name(self) -> &'static str {
        match self {
            Self::Twyla => "twyla",
            Self::Typify => "typify",
        }
    }

    fn dependencies(self, root: &Path) -> String {
        match self {
            Self::Twyla => {
                let runtime = root.join("twyla-runtime").display().to_string();
                format!("twyla-runtime = {{ path = {runtime:?}, default-features = false }}\n")
            }
            Self::Typify => "chrono = { version = \"0.4\", default-features = false, features = [\"serde\"] }\n\
                             regress = \"0.10\"\nserde = { version = \"1\", features = [\"derive\"] }\n\
                             serde_json = \"1\"\nuuid = { version = \"1\", features = [\"serde\"] }\n"
                .to_owned(),
        }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["generate", maker, folder, out] = *words {
        let maker = Maker::ALL.into_iter().find(|known| known.name() == maker).ok_or("twyla or typify")?;
        return generate(maker, Path::new(folder), Path::new(out));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package has a workspace")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let counts: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10, 100, 1_000] } else { counts };
    if !words.contains(&"--crates") {
        events(root, &target.join("build-cost"), &counts)?;
    }
    if !words.contains(&"--events") {
        crates(root, &target.join("build-cost-clean"))?;
    }
    Ok(())
}

/// The cost of one generator for a number of events.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    generate: f64,
    bytes: f64,
    debug: Compiled,
    release: Compiled,
}

/// The cost of compiling, and the size of the resulting library.
#[derive(Clone, Copy, Debug, Default)]
struct Compiled {
    seconds: f64,
    bytes: f64,
}

fn events(root: &Path, folder: &Path, counts: &[usize]) -> Result<()> {
    println!("| events | maker  | generate s | code kB | debug s | debug MB | release s | release MB |");
    println!("|-------:|--------|-----------:|--------:|--------:|---------:|----------:|-----------:|");
    let mut costs = Vec::new();
    for &count in counts {
        let own = folder.join(count.to_string());
        schemas::write(&own.join("schemas"), count)?;
        let [twyla, typify] = Maker::ALL.map(|maker| cost(root, folder, &own, maker));
        let (twyla, typify) = (twyla?, typify?);
        for (maker, Cost { generate, bytes, debug, release }) in [(Maker::Twyla, twyla), (Maker::Typify, typify)] {
            println!(
                "| {count:>6} | {:<6} | {generate:>10.2} | {:>7.0} | {:>7.2} | {:>8.1} | {:>9.2} | {:>10.1} |",
                maker.name(),
                bytes / 1e3,
                debug.seconds,
                debug.bytes / 1e6,
                release.seconds,
                release.bytes / 1e6
            );
        }
        println!(
            "| {count:>6} | ratio  | {:>10.2} | {:>7.2} | {:>7.2} | {:>8.2} | {:>9.2} | {:>10.2} |",
            twyla.generate / typify.generate,
            twyla.bytes / typify.bytes,
            twyla.debug.seconds / typify.debug.seconds,
            twyla.debug.bytes / typify.debug.bytes,
            twyla.release.seconds / typify.release.seconds,
            twyla.release.bytes / typify.release.bytes
        );
        costs.push((count, twyla));
    }
    println!("\nTwyla for one event, to see whether it is linear:");
    for (count, cost) in costs {
        let each = |seconds: f64| seconds * 1e3 / count as f64;
        let Cost { generate, bytes, debug, release } = cost;
        println!(
            "{count:>6} events: {:.2} ms to generate, {:.1} kB, {:.1} ms debug, {:.1} ms release",
            each(generate),
            bytes / 1e3 / count as f64,
            each(debug.seconds),
            each(release.seconds)
        );
    }
    println!(
        "bars: at most half of typify's, and linear. Of the code, what serde derives for typify's is not counted."
    );
    Ok(())
}

/// Generates the code, and compiles a crate with it whose dependencies are already built.
fn cost(root: &Path, folder: &Path, own: &Path, maker: Maker) -> Result<Cost> {
    let package = own.join(maker.name());
    fs::create_dir_all(package.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"made-by-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}",
        maker.name(),
        maker.dependencies(root)
    );
    fs::write(package.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))?;
    let code = package.join("src/lib.rs");
    let mut cost = Cost::default();

    let made = package.join("made.rs");
    let generating = || {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["generate", maker.name()]).args([&own.join("schemas"), &made]);
        seconds(&mut command)
    };
    cost.generate = generating()?.min(generating()?);
    let text = fs::read_to_string(&made)?;
    cost.bytes = text.len() as f64;

    for (profile, out, compiled) in [("dev", "debug", &mut cost.debug), ("release", "release", &mut cost.release)] {
        let build = || {
            let mut command = Command::new(env!("CARGO"));
            command.args(["build", "--quiet", "--profile", profile]).current_dir(&package);
            command
                .env("CARGO_TARGET_DIR", folder.join("target"))
                .env("CARGO_INCREMENTAL", "0")
                .env("RUSTFLAGS", "-Awarnings");
            seconds(&mut command)
        };
        // build the dependencies, and measure cargo's own cost without any work
        fs::write(&code, "")?;
        build()?;
        let idle = build()?;
        fs::write(&code, format!("{text}\n{}", schemas::uses(&own.join("schemas"), maker == Maker::Twyla)?))?;
        compiled.seconds = (build()? - idle).max(0.0);
        let library = folder.join("target").join(out).join(format!("libmade_by_{}.rlib", maker.name()));
        compiled.bytes = fs::metadata(library)?.len() as f64;
    }
    Ok(cost)
}

/// Runs the work of a build script.
fn generate(maker: Maker, folder: &Path, out: &Path) -> Result<()> {
    let code = match maker {
        Maker::Twyla => {
            // formatted, as in a build script
            let builder = twyla_build::Builder::new(folder).shown_as("schemas");
            builder.generate().map_err(|problems| format!("{problems:#?}"))?.code
        }
        Maker::Typify => {
            let mut code = String::new();
            for (module, file) in schemas::events(folder)? {
                let schema = fs::read_to_string(file)?.replace("$defs", "definitions");
                let mut space = typify::TypeSpace::new(&typify::TypeSpaceSettings::default());
                space.add_root_schema(serde_json::from_str(&schema)?)?;
                let made = prettyplease::unparse(&syn::parse2(space.to_stream())?);
                code.push_str(&format!("pub mod {module} {{\n{made}}}\n"));
            }
            code
        }
    };
    Ok(fs::write(out, code)?)
}

/// Builds the crates that every service needs, each from an empty target folder.
fn crates(root: &Path, target: &Path) -> Result<()> {
    println!("\n| crate, from clean | CPU s | bar |");
    println!("|-------------------|------:|-----|");
    for (package, more, bar) in [
        ("twyla-macros", &[][..], 5.0),
        ("twyla-build", &[][..], 25.0),
        ("twyla-runtime", &["--no-default-features"][..], 15.0),
    ] {
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--package", package]).args(more).current_dir(root);
        command.env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
        let seconds = seconds(&mut command)?;
        let reached = if seconds <= bar { "ok" } else { "MISSED" };
        println!("| {package:<17} | {seconds:>5.1} | <= {bar} s: {reached} |");
    }
    fs::remove_dir_all(target)?;
    Ok(())
}
