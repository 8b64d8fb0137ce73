//! What the pages of a thousand contracts cost: `cargo bench -p cargo-twyla --bench pages`.
//!
//! Writing is measured as CPU time of the command's process. The browser's times need Chromium: `TWYLA_TEST_CHROMIUM`, or
//! Debian's.
#![forbid(unsafe_code)]

#[path = "../tests/docs/thousand.rs"]
mod thousand;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use twyla_browser::Browser;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Seconds of CPU to write, bytes of the first page, and milliseconds for an answer.
const BARS: (f64, u64, f64) = (2.0, 300_000, 50.0);

fn main() -> Result<()> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let folder = target.join("bench-pages");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    thousand::write(&folder)?;
    println!("| 1,000 contracts | | bar |\n|---|--:|---|");
    let met = |is: bool| if is { "ok" } else { "missed" };
    let write = |what: &str| -> Result<()> {
        let seconds = written(&folder)?;
        println!("| {what} | {seconds:.2} s CPU | < {} s: {} |", BARS.0, met(seconds < BARS.0));
        Ok(())
    };
    write("written, in no repository")?;
    git(&folder, &["init", "-q"])?;
    git(&folder, &["add", "schemas"])?;
    git(&folder, &["commit", "-q", "-m", "Begin"])?;
    write("written again, with a history of one commit")?;
    let program = std::env::var("TWYLA_TEST_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if !Path::new(&program).exists() {
        println!("there is no {program}: nothing was measured in a browser");
        return Ok(());
    }
    let measured = thousand::measure(&mut Browser::start(&program)?, &folder.join("site"))?;
    let (first, list) = (measured.first_page as f64 / 1e3, measured.list as f64 / 1e3);
    println!(
        "| the first page with all that it loads | {first:.0} kB | < 300 kB: {} |",
        met(measured.first_page < BARS.1)
    );
    println!("| the list that a search loads | {list:.0} kB, {:.0} ms | |", measured.loaded);
    let (median, slowest) = (measured.median, measured.slowest);
    println!("| an answer of the search, in the middle | {median:.1} ms | |");
    println!("| the slowest of {} | {slowest:.1} ms | < {} ms: {} |", measured.answers, BARS.2, met(slowest < BARS.2));
    println!("\n{} are found in all; the console has {} complaints", measured.found, measured.complaints.len());
    Ok(())
}

fn written(folder: &Path) -> Result<f64> {
    let before = cpu()?;
    let args = ["twyla", "docs", "--out", "site"];
    let status = Command::new(env!("CARGO_BIN_EXE_cargo-twyla")).args(args).current_dir(folder).output()?.status;
    if !status.success() {
        return Err("the pages could not be written".into());
    }
    Ok(cpu()? - before)
}

fn git(folder: &Path, args: &[&str]) -> Result<()> {
    let who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").args(who).args(args).current_dir(folder).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {args:?} has failed").into()) }
}

/// Of the processes that were waited for.
fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}
