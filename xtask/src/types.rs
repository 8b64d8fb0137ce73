//! `cargo xtask types`: counts the types that schemas become, and the warnings of rustc, clippy and rustdoc over them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Deserializer, Value};

/// The package that counts, and whose library is the compiled contracts.
const PACKAGE: &str = "twyla-shapes";

/// A run that couldn't be made, or that misses a bar (the limit of a count).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("a limit is exceeded: see above")]
    Missed,
    #[error("cargo could not be run: {0}")]
    Cargo(std::io::Error),
    #[error("{}: {}", .0.display(), .1)]
    Folder(std::path::PathBuf, std::io::Error),
}

/// The options of a count.
pub(crate) struct Options<'a> {
    /// The folder of schemas; `None` for generated schemas.
    pub(crate) schemas: Option<&'a Path>,
    /// Whether each untyped field is listed.
    pub(crate) fields: bool,
    /// Whether the contracts are compiled, to count warnings.
    pub(crate) warnings: bool,
}

/// Prints the counts; returns an error if they miss a bar.
pub(crate) fn run(options: &Options<'_>) -> Result<(), Error> {
    let folder =
        options.schemas.map(|folder| folder.canonicalize().map_err(|error| Error::Folder(folder.to_owned(), error)));
    let folder = folder.transpose()?;
    let mut counts = cargo();
    counts.args(["run", "--quiet", "--package", PACKAGE, "--"]);
    folder.iter().for_each(|folder| {
        counts.arg("--schemas").arg(folder);
    });
    counts.args(options.fields.then_some("--fields"));
    let mut kept = counts.status().map_err(Error::Cargo)?.success();
    if options.warnings {
        for (name, args) in [("rustc and clippy", &["clippy"][..]), ("rustdoc", &["doc", "--no-deps"])] {
            let (succeeded, found) = warnings(args, folder.as_deref())?;
            let count: usize = found.values().map(Vec::len).sum();
            let is_kept = succeeded && count == 0;
            let verdict = if is_kept { "ok" } else { "MISSED" };
            println!("warnings of {name}: {count} (limit: 0: {verdict})");
            for (lint, messages) in &found {
                println!("{:>6}  {lint}", messages.len());
                messages.iter().take(if options.fields { messages.len() } else { 1 }).for_each(|it| println!("{it}"));
            }
            kept &= is_kept;
        }
    }
    if kept { Ok(()) } else { Err(Error::Missed) }
}

fn cargo() -> Command {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

/// Compiles the contracts, and returns whether that succeeded, with the messages of each lint.
fn warnings(args: &[&str], folder: Option<&Path>) -> Result<(bool, BTreeMap<String, Vec<String>>), Error> {
    let mut command = cargo();
    command.args(args).args(["--package", PACKAGE, "--lib", "--message-format=json"]);
    folder.iter().for_each(|folder| {
        command.env("TWYLA_SHAPES", folder);
    });
    let output = command.stderr(Stdio::inherit()).output().map_err(Error::Cargo)?;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in Deserializer::from_slice(&output.stdout).into_iter::<Value>().map_while(Result::ok) {
        let (message, target) = (&line["message"], &line["target"]["name"]);
        let Some(lint) = message["code"]["code"].as_str().filter(|_| target == "twyla_shapes") else { continue };
        let text = message["rendered"].as_str().unwrap_or_default().to_owned();
        found.entry(lint.to_owned()).or_default().push(text);
    }
    Ok((output.status.success(), found))
}
