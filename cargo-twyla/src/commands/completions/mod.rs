//! `cargo twyla completions`: completes commands, options, files and events in a shell. The scripts are small and run this program
//! at each tab, so that they know the events of the current folder.

use std::error::Error as StdError;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::{CommandFactory, ValueEnum};
use clap_complete::CompletionCandidate;
use twyla_build::compare::ContractKind;
use twyla_contract::text::is_invisible;
use twyla_contract::{EventName, RpcName};

use crate::support::run::{Outcome, Run};

/// The variable in which the scripts set the index of the word to complete, among the words after `--`.
const VARIABLE: &str = "CARGO_TWYLA_COMPLETE";

/// Print the script that makes a shell complete commands, options and events.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  echo 'source <(cargo twyla completions bash)' >> ~/.bashrc
  cargo twyla completions zsh > ~/.zfunc/_cargo-twyla    a folder in $fpath
  cargo twyla completions fish > ~/.config/fish/conf.d/cargo-twyla.fish")]
pub(crate) struct Args {
    /// The shell to print the script for.
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let script = match self.shell {
            Shell::Bash => include_str!("cargo-twyla.bash"),
            Shell::Zsh => include_str!("cargo-twyla.zsh"),
            Shell::Fish => include_str!("cargo-twyla.fish"),
        };
        io::stdout().write_all(script.as_bytes())?;
        Ok(Outcome::Fine)
    }
}

/// If a completion script runs this program, prints a line for each candidate, with its help after a tab; `None` otherwise.
pub(crate) fn answer<C: CommandFactory>() -> Option<io::Result<()>> {
    let index: usize = std::env::var(VARIABLE).ok()?.parse().ok()?;
    let mut words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    // candidates are found for `cargo twyla …`: a command line that begins with `twyla` gets `cargo` in front of it
    let index = if words.first().is_some_and(|word| word == "twyla") {
        words.insert(0, "cargo".into());
        index + 1
    } else {
        index
    };
    words.resize(words.len().max(index + 1), OsString::new());
    let here = std::env::current_dir().ok();
    Some(clap_complete::engine::complete(&mut C::command(), words, index, here.as_deref()).and_then(|candidates| {
        let mut out = io::stdout().lock();
        for candidate in candidates.iter().filter(|it| !it.is_hide_set()) {
            let value = candidate.get_value().to_string_lossy();
            let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            let help = help.lines().next().unwrap_or_default();
            // a line feed in a file's name would begin another candidate
            if !value.contains(is_invisible) {
                writeln!(out, "{value}\t{help}")?;
            }
        }
        Ok(())
    }))
}

/// Returns the contracts of the nearest schemas folder whose names begin with `typed`. They come from the names of the files;
/// the schemas are not read. A file whose name isn't a valid event name is left out, because a shell could read it as
/// something other than a word.
pub(crate) fn events(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let here = std::env::current_dir().unwrap_or_default();
    let Some(folder) = here.ancestors().map(|it| it.join("schemas")).find(|it| it.is_dir()) else { return Vec::new() };
    let mut names = vec!["context".to_owned()];
    for domain in folders(&folder.join("events")) {
        let types = stems(&folder.join("events").join(&domain)).into_iter();
        let events = types.map(|event_type| format!("{domain}.{event_type}"));
        names.extend(events.filter(|name| EventName::parse(name).is_ok()));
    }
    for service in folders(&folder.join("rpc")) {
        for method in folders(&folder.join("rpc").join(&service)) {
            if RpcName::parse(&format!("{service}.{method}")).is_err() {
                continue;
            }
            let of_it = folder.join("rpc").join(&service).join(&method);
            let ways = stems(&of_it).into_iter().filter(|stem| ContractKind::of_way(stem).is_some());
            names.extend(ways.map(|way| format!("{service}.{method}/{way}")));
        }
    }
    names.sort();
    names.into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// Returns the names of a folder's schemas, without `.json`.
fn stems(path: &Path) -> Vec<String> {
    let files = std::fs::read_dir(path).into_iter().flatten().flatten();
    files.filter_map(|it| it.file_name().to_str()?.strip_suffix(".json").map(str::to_owned)).collect()
}

fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|it| it.path().is_dir()).filter_map(|it| it.file_name().into_string().ok()).collect()
}
