//! `cargo xtask pages`: makes `docs/pages.png`, the book's picture of the contracts' pages, from the demo platform.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use twyla_browser::Browser;

use crate::machine::{self, CHROMIUM};

/// A picture that couldn't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Machine(#[from] machine::Error),
    #[error("cargo could not be run: {0}")]
    Cargo(io::Error),
    #[error("`{0}` has failed")]
    Step(String),
    #[error("{path} could not be written: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error("Chromium could not make the picture: {0}")]
    Browser(twyla_browser::Error),
}

/// One page in light and in dark, side by side: a page takes the colour scheme of its frame for the reader's.
const PICTURE: &str = r#"<!doctype html><meta charset="utf-8"><title>Pages</title>
<style>body { margin: 0; display: flex; background: #888; gap: 2px } iframe { border: 0; width: 999px; height: 880px }</style>
<iframe style="color-scheme: light" src="events/api.user_input.html"></iframe><iframe style="color-scheme: dark" src="rpc/navitaire-api.get_booking.html"></iframe>
"#;

/// Builds the demo platform, writes its manifests and its pages, and takes the picture.
pub(crate) fn run() -> Result<(), Error> {
    machine::provide(None)?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = workspace.join("target/pages");
    let fleet = workspace.join("target/pages-fleet");
    let write = |path: &Path, bytes: &[u8]| {
        let unwritable = |error| Error::Write { path: path.to_owned(), error };
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(unwritable)?;
        fs::write(path, bytes).map_err(unwritable)
    };
    for package in ["chat", "booking"] {
        let out = fleet.join(format!("{package}.contracts.json"));
        write(&fleet.join("README"), b"The manifests of the demo platform, for its pages.\n")?;
        // remove the manifest of an earlier run: it would become the previous version
        let _ = fs::remove_file(&out);
        let out = out.display().to_string();
        twyla(&workspace, &["manifest", "-p", package, "--bin", package, "-o", &out])?;
    }
    let (into, manifests) = (folder.display().to_string(), fleet.display().to_string());
    let docs = ["docs", "--title", "Demo platform", "--manifests", &manifests, "--out", &into];
    twyla(&workspace, &docs)?;
    let picture = folder.join("picture.html");
    write(&picture, PICTURE.as_bytes())?;
    let taken = || {
        let mut browser = Browser::start(CHROMIUM)?;
        let mut tab = browser.tab(2000, 880)?;
        tab.open_file(&picture)?;
        tab.picture()
    };
    let png = taken().map_err(Error::Browser)?;
    let path = workspace.join("docs/pages.png");
    write(&path, &png)?;
    println!("docs/pages.png, {:.0} kB, of the pages in target/pages", png.len() as f64 / 1e3);
    Ok(())
}

fn twyla(workspace: &Path, args: &[&str]) -> Result<(), Error> {
    let cargo = env::var_os("CARGO");
    let mut command = Command::new(cargo.as_deref().unwrap_or(OsStr::new("cargo")));
    command.args(["run", "--quiet", "-p", "cargo-twyla", "--", "twyla"]).args(args).current_dir(workspace);
    let status = command.status().map_err(Error::Cargo)?;
    if status.success() { Ok(()) } else { Err(Error::Step(format!("cargo twyla {}", args.join(" ")))) }
}
