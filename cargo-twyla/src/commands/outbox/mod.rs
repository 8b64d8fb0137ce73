//! `cargo twyla outbox`: lists, shows, retries and drops the events of an outbox that the broker refuses permanently.
//! [`mod@print`] formats them, [`store`] is their database.

mod print;
mod store;

use std::io::{self, Write};

use clap::Subcommand;
use twyla_runtime::sql::Refused;

use crate::support::confirm::{self, confirm};
use crate::support::options::FormatArgs;
use crate::support::run::{Outcome, Run};
use store::{Store, Unreachable};

/// List, show, retry or drop the events of an outbox that the broker refuses.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// The action on refused events.
#[derive(Subcommand)]
enum Command {
    /// List the refused events, one per line.
    #[command(after_help = "For example: cargo twyla outbox list --database postgres://shop@db/shop")]
    List {
        #[command(flatten)]
        place: DatabaseArgs,
        /// List only events with this name.
        #[arg(long)]
        event: Option<String>,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show one refused event with all its properties.
    #[command(after_help = "For example: cargo twyla outbox show 4711 --reveal")]
    Show {
        #[command(flatten)]
        place: DatabaseArgs,
        /// The number of the event, as `list` shows it.
        id: i64,
        #[command(flatten)]
        format: FormatArgs,
        /// Show the event itself too, with its sensitive values (`x-sensitive`).
        #[arg(long)]
        reveal: bool,
    },
    /// Publish refused events again, after all waiting events, with the same message ids.
    #[command(after_help = "For example: cargo twyla outbox retry --event shop.order_placed")]
    Retry(SelectionArgs),
    /// Delete refused events. This can't be undone.
    #[command(after_help = "For example: cargo twyla outbox drop 4711 4712")]
    Drop(SelectionArgs),
}

#[derive(clap::Args)]
struct DatabaseArgs {
    /// The database of the outbox: postgres://user:password@host/database or sqlite:path [env: DATABASE_URL].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(clap::Args)]
struct SelectionArgs {
    #[command(flatten)]
    place: DatabaseArgs,
    /// The numbers of the events to retry or drop, as `list` shows them.
    #[arg(required_unless_present_any = ["event", "all"], conflicts_with_all = ["event", "all"])]
    ids: Vec<i64>,
    /// Retry or drop the events with this name.
    #[arg(long, conflicts_with = "all")]
    event: Option<String>,
    /// Retry or drop all refused events.
    #[arg(long)]
    all: bool,
    /// Don't ask for confirmation.
    #[arg(long)]
    yes: bool,
}

/// The errors of the command.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("the outbox can't be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("there is no refused event with the number {0}")]
    NoSuch(i64),
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
                Command::List { place, event, format } => list(&place, event.as_deref(), format.is_json()).await,
                Command::Show { place, id, format, reveal } => show(&place, id, format.is_json(), reveal).await,
                Command::Retry(which) => each(which, true).await,
                Command::Drop(which) => each(which, false).await,
            }
        })?;
        Ok(Outcome::Fine)
    }
}

impl DatabaseArgs {
    async fn open(&self) -> Result<Store, Error> {
        let url = self.database.clone().or_else(|| std::env::var("DATABASE_URL").ok());
        Ok(Store::open(url.as_deref()).await?)
    }
}

async fn list(place: &DatabaseArgs, event: Option<&str>, json: bool) -> Result<(), Error> {
    let store = place.open().await?;
    let (waiting, _) = store.counts().await?;
    let refused = named(store.refused().await?, event);
    let mut out = crate::support::paint::stdout();
    if json {
        for event in &refused {
            writeln!(out, "{}", print::json(event, None))?;
        }
        return Ok(());
    }
    if !refused.is_empty() {
        writeln!(out, "{}", print::head())?;
    }
    for event in &refused {
        writeln!(out, "{}", print::line(event))?;
    }
    writeln!(out, "{} refused, {waiting} waiting to be published", refused.len())?;
    Ok(())
}

async fn show(place: &DatabaseArgs, id: i64, json: bool, reveal: bool) -> Result<(), Error> {
    let store = place.open().await?;
    let event = store.refused().await?.into_iter().find(|event| event.id == id).ok_or(Error::NoSuch(id))?;
    let body = if reveal { store.body(id).await? } else { None };
    let text = match json {
        true => print::json(&event, body.as_deref()).to_string(),
        false => print::whole(&event, body.as_deref()),
    };
    writeln!(crate::support::paint::stdout(), "{text}")?;
    Ok(())
}

/// Retries or drops the selected events.
async fn each(which: SelectionArgs, retry: bool) -> Result<(), Error> {
    let (verb, done) = if retry { ("retry", "retried") } else { ("drop", "dropped") };
    let store = which.place.open().await?;
    let refused = store.refused().await?;
    let ids = if which.ids.is_empty() {
        named(refused, which.event.as_deref()).iter().map(|event| event.id).collect()
    } else {
        if let Some(id) = which.ids.iter().find(|id| refused.iter().all(|event| event.id != **id)) {
            return Err(Error::NoSuch(*id));
        }
        which.ids
    };
    confirm(&format!("{verb} {} refused events?", ids.len()), which.yes || ids.is_empty())?;
    let mut count = 0;
    for id in ids {
        let gone = if retry { store.retry(id).await? } else { store.drop(id).await? };
        count += u32::from(gone);
    }
    let (_, left) = store.counts().await?;
    writeln!(io::stdout(), "{count} {done}, {left} left")?;
    Ok(())
}

fn named(mut refused: Vec<Refused>, event: Option<&str>) -> Vec<Refused> {
    refused.retain(|refused| event.is_none_or(|event| refused.event == event));
    refused
}
