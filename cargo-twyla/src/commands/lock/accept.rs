//! `cargo twyla accept`: makes the next lock.

use std::error::Error as StdError;
use std::path::Path;
use std::{fs, io};

use similar::{ChangeTag, TextDiff};
use twyla_build::lock::{
    self, Accepted, Act, Date, Direction, FILE_NAME, Keep, Lock, Refused, Request, Sides, Subject,
};

use super::revision::Error;
use super::show;
use crate::support::paint::{BAD, FAINT, GOOD, HEAD, NAME, paint, print_text, say};
use crate::support::progress::Progress;
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;

/// Accept the contracts as they are now, and write them to the lock.
///
/// New contracts and additive changes are accepted without options. A breaking change is accepted by its contract's name, with a
/// reason, a direction and a last day, as the build's error shows; reviewers see it in the lock. Exits with 1 if a change is
/// left that isn't accepted.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla accept                                  # accept all new and additive contracts
  cargo twyla accept --dry-run                        # show what would be accepted
  cargo twyla accept api.user_input --direction new-to-old --until 2026-04-30 --reason \"all listeners are at 2.3 by then\"
  cargo twyla accept api.user_input --keep \"mobile app 3.1\" --sides producers
  cargo twyla accept api.user_input --retire 9ab31c --reason \"the store refuses 3.1 since March\"
  cargo twyla accept bot.reply --removed --reason \"no listener since 2024\"")]
pub(crate) struct Args {
    /// The contracts to accept: events, `context`, or `booking.get/request` of an RPC. Default: all.
    #[arg(value_name = "CONTRACT")]
    contracts: Vec<String>,
    /// Accept that old and new versions don't fit in this direction: old-to-new (new listeners may refuse events of old
    /// producers), new-to-old (old listeners may refuse events of new producers), or both.
    #[arg(long, value_name = "DIRECTION", value_parser = ["old-to-new", "new-to-old", "both"], requires_all = ["reason", "until", "contracts"])]
    direction: Option<String>,
    /// The last day on which builds accept that the versions don't fit, for example 2026-04-30.
    #[arg(long, value_name = "DAY", requires = "direction")]
    until: Option<Date>,
    /// The reason why accepting the change is safe; the lock keeps it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Keep the version that was accepted until now, because of what still uses it in the field: an app, a service.
    #[arg(long, value_name = "TEXT", requires = "contracts", conflicts_with_all = ["removed", "retire"])]
    keep: Option<String>,
    /// The sides that still use the kept version.
    #[arg(long, value_name = "SIDES", default_value = "both", requires = "keep")]
    sides: Sides,
    /// Retire the version whose digest begins with this text, because it is no longer in the field.
    #[arg(long, value_name = "DIGEST", requires_all = ["reason", "contracts"], conflicts_with_all = ["direction", "removed"])]
    retire: Option<String>,
    /// Accept that the schema was removed.
    #[arg(long, requires_all = ["reason", "contracts"], conflicts_with = "direction")]
    removed: bool,
    /// Show the changes to the lock without writing it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    schemas: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("`{name}` is not the name of a contract: {error}")]
    NoSubject { name: String, error: String },
    #[error("--reason needs --direction, --removed or --retire: additive changes need no reason")]
    Idle,
    #[error("{path} can't be written: {error}")]
    Unwritable { path: String, error: io::Error },
    #[error("the new lock can't be read back, so it was not written\n{0}")]
    Unreadable(twyla_build::Problems),
}

impl Args {
    fn request(&self) -> Result<Request, Failed> {
        let subject = |name: &String| {
            let parsed = name.parse::<Subject>();
            parsed.map_err(|error| Failed::NoSubject { name: name.clone(), error: error.to_string() })
        };
        let subjects = self.contracts.iter().map(subject).collect::<Result<Vec<_>, _>>()?;
        let reason = self.reason.clone().unwrap_or_default();
        let act = match (&self.direction, self.until, &self.retire, self.removed) {
            (Some(direction), Some(until), ..) => {
                let directions = direction.parse().map_or_else(|_| Direction::ALL.to_vec(), |one| vec![one]);
                Act::Waive { directions, reason, until }
            }
            (_, _, Some(digest), _) => Act::Retire { digest: digest.clone(), reason },
            (_, _, _, true) => Act::Remove { reason },
            _ if self.reason.is_some() => return Err(Failed::Idle),
            _ => Act::Fitting,
        };
        let keep = self.keep.clone().map(|because| Keep { because, sides: self.sides });
        Ok(Request { subjects, act, keep })
    }
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let request = self.request()?;
        let folder = self.schemas.find()?;
        let progress = Progress::reading();
        let shown = format!("{}/{FILE_NAME}", folder.shown);
        let before = folder.lock()?;
        let sources = folder.builder(before.as_ref()).contracts().map_err(Error::Problems)?;
        let old = before.clone().unwrap_or_default();
        let Accepted { lock, done, left } =
            lock::accept(&sources, &old, &request, &folder.how(&progress)).map_err(Failed::from)?;
        drop(progress);
        let text = lock.to_string();
        let changed = before.is_none() || lock != old;
        if changed {
            let read = Lock::parse(&shown, text.as_bytes()).and_then(|read| read.verify(&shown));
            read.map_err(Failed::Unreadable)?;
        }
        if self.dry_run {
            let old = before.map(|lock| lock.to_string()).unwrap_or_default();
            print_difference(&shown, &old, &text);
        } else if changed {
            write(&folder.path.join(FILE_NAME), &text)
                .map_err(|error| Failed::Unwritable { path: shown.clone(), error })?;
        }
        let word = if self.dry_run { "would be accepted" } else { "accepted" };
        done.iter().for_each(|line| say!("{}: {line}", paint(GOOD, word)));
        print_text(format_args!("{}", show::text(&lock::messages(&left), false)));
        match (done.is_empty(), left.len()) {
            (true, 0) => say!("{}: all contracts are as accepted", paint(HEAD, "nothing to do")),
            (false, 0) if self.dry_run => say!("nothing was written"),
            (false, 0) => say!("{shown} was written"),
            (_, left) => say!("{}: {left}, see above", paint(BAD, "not accepted")),
        }
        Ok(if left.is_empty() { Outcome::Fine } else { Outcome::Found })
    }
}

/// Writes a file atomically.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_file_name(format!(".{FILE_NAME}.new"));
    fs::write(&beside, text)?;
    fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
}

fn print_difference(name: &str, old: &str, new: &str) {
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        say!("{} {}", paint(NAME, name), paint(FAINT, hunk.header().to_string().trim_end()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            match change.tag() {
                ChangeTag::Delete => say!("{}", paint(BAD, format!("-{line}"))),
                ChangeTag::Insert => say!("{}", paint(GOOD, format!("+{line}"))),
                ChangeTag::Equal => say!(" {line}"),
            }
        }
    }
}
