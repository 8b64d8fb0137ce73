//! `cargo twyla fleet`: whether services that are deployed fit together, and whether new versions of them can be.
//!
//! The rooms, in the order in which data walks through them: [`load`] reads manifests and makes a fleet of each environment;
//! [`model`] has its services, the edges between them and what becomes of each pair of versions, as [`judge`] says; [`plan`] finds
//! an order in which new versions can go, or the cycle that forbids one, and [`split`] takes that apart; [`report`] is what there
//! is to say, which [`text`], [`json`] and [`svg`] write.

mod json;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod model;
pub(crate) mod plan;
pub(crate) mod report;
mod split;
pub(crate) mod svg;
mod text;

use std::error::Error as StdError;
use std::path::PathBuf;

use crate::support::output;
use crate::support::paint::{say, tell};
use crate::support::run::{Outcome, Run};
use load::Asked;
use model::Drained;
use report::{Outlook, Report};

/// See whether deployed services fit together, and whether new versions of them can be deployed.
///
/// Takes the manifests of what is deployed: files, or a folder, in which those that end with .contracts.json are taken; the
/// folders in it are environments. Each pair of a producer and a listener is computed: none has to have been tested before.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla fleet fleet/                                   does everything that is deployed fit together?
  cargo twyla fleet fleet/ --candidate bot.contracts.json    can this be deployed now, and rolled back?
  cargo twyla fleet fleet/ --candidate bot.contracts.json --candidate web.contracts.json    and which first?
  cargo twyla fleet fleet/ --drained api.user_input.bot      nothing of old versions is in that queue any more
  cargo twyla fleet fleet/ --svg fleet.svg                   a picture of it

Exit codes: 0 it fits; 1 something breaks, or a queue has to be drained first; 2 a manifest can't be used; 3 it fits if
what is undecided does.")]
pub(crate) struct Args {
    /// Manifests of what is deployed, or folders of them.
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// The manifest of a version that is to be deployed; several where several are.
    #[arg(short, long, value_name = "FILE")]
    candidate: Vec<PathBuf>,
    /// Only this environment.
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
    /// A queue, `<event>.<group>`, in which nothing of old versions is left; `all` for all of them.
    #[arg(long, value_name = "QUEUE")]
    drained: Vec<String>,
    /// What fits too.
    #[arg(short, long)]
    verbose: bool,
    /// For other programs.
    #[arg(long)]
    json: bool,
    /// Draw it into this file: services, events, and what breaks in red.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let all = self.drained.iter().any(|queue| queue == "all");
        let queues = self.drained.iter().filter(|queue| *queue != "all").cloned().collect();
        let asked = Asked {
            paths: &self.paths,
            candidates: &self.candidate,
            environment: self.environment.as_deref(),
            drained: Drained { all, queues },
        };
        let loaded = load::load(&asked)?;
        let mut judge = judge::Comparison::new(&loaded.schemas);
        let reports: Vec<Report> = loaded.fleets.into_iter().map(|fleet| Report::new(fleet, &mut judge)).collect();
        if let Some(path) = self.svg {
            output::write(&path, svg::svg(&reports))?;
        }
        if self.json {
            let reports: Vec<_> = reports.iter().map(json::json).collect();
            say!("{:#}", serde_json::Value::Array(reports));
        } else {
            for (i, report) in reports.iter().enumerate() {
                let gap = if i > 0 { "\n" } else { "" };
                tell(format_args!("{gap}{}", text::text(report, self.verbose)));
            }
        }
        Ok(match reports.iter().map(Report::outlook).max().unwrap_or(Outlook::Fine) {
            Outlook::Fine => Outcome::Fine,
            Outlook::Undecided => Outcome::Undecided,
            Outlook::Waits | Outlook::Breaks => Outcome::Found,
        })
    }
}
