//! `cargo twyla dead`: lists, shows, replays and drops the dead letters of a group. [`filter`] selects them, [`mod@print`] formats
//! them.

mod filter;
mod print;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use twyla_runtime::{Bus, Config, ConfigError, Sort};

use crate::support::confirm::{self, confirm};
use crate::support::options::FormatArgs;
use crate::support::run::{Outcome, Run};
use filter::Filter;

/// List, show, replay or drop the dead letters of a group.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// The action on dead letters.
#[derive(Subcommand)]
enum Command {
    /// List the dead letters, one per line.
    #[command(after_help = "For example: cargo twyla dead list api.user_input bot --reason handler --older 10m")]
    List {
        #[command(flatten)]
        place: QueueArgs,
        #[command(flatten)]
        filter: Filter,
        /// The maximum number of dead letters to read.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        #[command(flatten)]
        format: FormatArgs,
        /// Show sensitive values (`x-sensitive`) too, in the bodies of `--format json`.
        #[arg(long)]
        reveal: bool,
    },
    /// Show one dead letter with its headers and its body.
    #[command(after_help = "For example: cargo twyla dead show api.user_input bot 0192f0c1-…")]
    Show {
        #[command(flatten)]
        place: QueueArgs,
        /// The message id, as `list` shows it; `-` for the first letter without an id.
        id: String,
        #[command(flatten)]
        format: FormatArgs,
        /// Show sensitive values (`x-sensitive`) too.
        #[arg(long)]
        reveal: bool,
    },
    /// Send dead letters to their group again, with the same message ids. Ctrl-C stops after the current letter.
    #[command(after_help = "For example: cargo twyla dead replay api.user_input bot --error \"no database\"")]
    Replay(TriageArgs),
    /// Delete dead letters. This can't be undone.
    #[command(after_help = "For example: cargo twyla dead drop api.user_input bot --reason contract --older 7d")]
    Drop(TriageArgs),
}

#[derive(clap::Args)]
struct QueueArgs {
    /// The event whose dead letters to use, for example api.user_input.
    event: String,
    /// The group whose dead letters to use, for example bot.
    group: String,
    /// The prefix of the variables for RabbitMQ: `<PREFIX>_AMQP_HOST` and so on, as for the services.
    #[arg(long, default_value = "EVENT_BUS", value_name = "PREFIX")]
    prefix: String,
}

#[derive(clap::Args)]
struct TriageArgs {
    #[command(flatten)]
    place: QueueArgs,
    #[command(flatten)]
    filter: Filter,
    /// The maximum number of dead letters to replay or drop.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Don't ask for confirmation.
    #[arg(long)]
    yes: bool,
}

/// The errors of the command.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Bus(#[from] twyla_runtime::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "{prefix}_AMQP_HOST is not set: set it, {prefix}_AMQP_USER and {prefix}_AMQP_PASS to the values that the services use"
    )]
    NoBroker { prefix: String },
    #[error("no dead letter of {event} in the group {group} has the message id {id}")]
    NoSuch { event: String, group: String, id: String },
    #[error("--reveal shows values in bodies, which only --format json prints")]
    NothingToReveal,
    #[error(transparent)]
    Refused(#[from] confirm::Refused),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn std::error::Error + Send + Sync>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                Command::List { place, filter, limit, format, reveal } => {
                    if reveal && !format.is_json() {
                        return Err(Error::NothingToReveal);
                    }
                    list(&place, &filter, limit, format.is_json().then_some(reveal)).await
                }
                Command::Show { place, id, format, reveal } => show(&place, &id, format.is_json(), reveal).await,
                Command::Replay(sorting) => sort(sorting, Sort::Replay).await,
                Command::Drop(sorting) => sort(sorting, Sort::Drop).await,
            }
        })?;
        Ok(Outcome::Fine)
    }
}

impl QueueArgs {
    async fn connect(&self) -> Result<Bus, Error> {
        let config = Config::from_env(&self.prefix)?.ok_or_else(|| Error::NoBroker { prefix: self.prefix.clone() })?;
        Ok(Bus::connect(config.app_id("cargo-twyla")).await?)
    }
}

/// Lists dead letters. With `json`, prints an object for each, with sensitive values if it is `true`.
async fn list(place: &QueueArgs, filter: &Filter, limit: usize, json: Option<bool>) -> Result<(), Error> {
    let bus = place.connect().await?;
    let all = bus.count_dead_letters(&place.event, &place.group).await?;
    let letters = bus.dead_letters(&place.event, &place.group, limit).await?;
    // fewer letters than the limit: these are all
    let all = if letters.len() < limit { letters.len() } else { all.max(letters.len()) };
    let now = Utc::now();
    let fitting: Vec<_> = letters.iter().filter(|letter| filter.fits(letter, now)).collect();
    let mut out = crate::support::paint::stdout();
    if let Some(reveal) = json {
        for letter in &fitting {
            writeln!(out, "{}", print::json(letter, reveal))?;
        }
    } else {
        if !fitting.is_empty() {
            writeln!(out, "{}", print::head())?;
        }
        for letter in &fitting {
            writeln!(out, "{}", print::line(letter))?;
        }
        let looked = if all > letters.len() { format!(", {} of them examined", letters.len()) } else { String::new() };
        writeln!(
            out,
            "{} of {all} dead letters of {} in the group {}{looked}",
            fitting.len(),
            place.event,
            place.group
        )?;
    }
    bus.close().await;
    Ok(())
}

async fn show(place: &QueueArgs, id: &str, json: bool, reveal: bool) -> Result<(), Error> {
    let bus = place.connect().await?;
    let mut found = None;
    let looking = bus.sort_dead_letters(&place.event, &place.group, |letter| {
        if letter.message_id.as_deref().unwrap_or("-") == id {
            found = Some(letter.clone());
            return Sort::Stop;
        }
        Sort::Keep
    });
    looking.await?;
    bus.close().await;
    let (event, group) = (place.event.clone(), place.group.clone());
    let letter = found.ok_or_else(|| Error::NoSuch { event, group, id: id.to_owned() })?;
    let text = if json { print::json(&letter, reveal).to_string() } else { print::whole(&letter, reveal) };
    writeln!(crate::support::paint::stdout(), "{text}")?;
    Ok(())
}

async fn sort(sorting: TriageArgs, sort: Sort) -> Result<(), Error> {
    let TriageArgs { place, filter, limit, yes } = sorting;
    let (verb, done) = if sort == Sort::Replay { ("replay", "replayed") } else { ("drop", "dropped") };
    let bus = place.connect().await?;
    let count = bus.count_dead_letters(&place.event, &place.group).await?;
    let letters = format!("dead letters of {} in the group {}", place.event, place.group);
    let question = match filter.is_all() {
        true => format!("{verb} all {count} {letters}?"),
        false => format!("{verb} those of the {count} {letters} that match the filter?"),
    };
    if let Err(refused) = confirm(&question, yes) {
        bus.close().await;
        return Err(refused.into());
    }

    let stop = Arc::new(AtomicBool::new(false));
    let interrupted = stop.clone();
    tokio::spawn(async move {
        // without a signal handler, ctrl-C ends the process at once
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, Ordering::Relaxed);
        }
    });
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} examined, {eta} left") {
        bar.set_style(style);
    }
    let (now, mut meant) = (Utc::now(), 0);
    let sorted = bus.sort_dead_letters(&place.event, &place.group, |letter| {
        if stop.load(Ordering::Relaxed) || limit.is_some_and(|limit| meant >= limit) {
            return Sort::Stop;
        }
        bar.inc(1);
        if !filter.fits(letter, now) {
            return Sort::Keep;
        }
        meant += 1;
        sort
    });
    let sorted = sorted.await;
    bar.finish_and_clear();
    let sorted = sorted?;
    bus.close().await;
    let stopped = if stop.load(Ordering::Relaxed) { "stopped: " } else { "" };
    let gone = sorted.replayed + sorted.dropped;
    writeln!(io::stdout(), "{stopped}{gone} {done}, {} left", count.saturating_sub(gone))?;
    Ok(())
}
