//! `cargo twyla fleet`: whether deployed services fit together, and whether new versions can be deployed.
//!
//! [`load`] reads manifests and makes a fleet of each environment. [`model`] has its services, the edges between them, and the
//! verdict on each pair of versions, from [`judge`]. [`plan`] finds an order of deployment, or the cycle that forbids one, which
//! [`split`] takes apart. [`report`] is the result, which [`text`], [`json`], [`review`] and [`svg`] write.

mod json;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod model;
pub(crate) mod plan;
pub(crate) mod report;
mod review;
mod split;
pub(crate) mod svg;
mod text;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use twyla_build::compare::{SchemaPath, Sources};

use crate::support::options::ReportArgs;
use crate::support::output;
use crate::support::report::Format;
use crate::support::run::{Outcome, Run};
use crate::support::schemas::{self, SchemasArgs};
use load::Inputs;
use model::Drained;
use report::{Outlook, Report};

/// Check whether deployed services fit together, and whether new versions can be deployed.
///
/// Reads the manifests of deployed services: files, or a folder with files that end with .contracts.json; its subfolders are
/// environments. Each pair of a producer and a listener is compared, whether they were tested together or not.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla fleet fleet/                                   do all deployed services fit together?
  cargo twyla fleet fleet/ --candidate bot.contracts.json    can this version be deployed now, and rolled back?
  cargo twyla fleet fleet/ --candidate bot.contracts.json --candidate web.contracts.json    and in which order?
  cargo twyla fleet fleet/ --drained api.user_input.bot      this queue no longer holds events of old versions
  cargo twyla fleet fleet/ --svg fleet.svg                   a picture

Exit codes: 0 everything fits; 1 something breaks, or a queue has to be drained first; 2 a manifest can't be used; 3 everything
fits if the undecided pairs fit.")]
pub(crate) struct Args {
    /// Manifests of the deployed services, or folders of them.
    #[arg(required_unless_present = "manifests", value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// The same as DIR|FILE, under the name that other commands use.
    #[arg(short, long, value_name = "DIR|FILE")]
    manifests: Vec<PathBuf>,
    /// The manifest of a version to deploy; can be given several times.
    #[arg(short, long, value_name = "FILE")]
    candidate: Vec<PathBuf>,
    /// Check only this environment.
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
    /// Assume that this queue, `<event>.<group>`, has no events of old versions; `all` for all queues.
    #[arg(long, value_name = "QUEUE")]
    drained: Vec<String>,
    /// Show the pairs that fit, too.
    #[arg(short, long)]
    verbose: bool,
    /// The schemas folder whose files and lines the annotations point at. Default: `schemas` here or in the nearest folder
    /// above, if it exists.
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// A contracts crate instead of the schemas folder: a package here or among the dependencies.
    #[arg(long = "contracts", value_name = "PACKAGE", conflicts_with = "schemas")]
    contracts_crate: Option<String>,
    #[command(flatten)]
    output: ReportArgs,
    /// Draw a picture into this file: services and events, with pairs that don't fit in red.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let all = self.drained.iter().any(|queue| queue == "all");
        let queues = self.drained.iter().filter(|queue| *queue != "all").cloned().collect();
        let paths = [self.paths, self.manifests].concat();
        let asked = Inputs {
            paths: &paths,
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
        let format = self.output.format();
        let text = match (format, format.form()) {
            (_, Some(form)) => {
                let sources = sources(self.schemas, self.contracts_crate)?;
                let place = |path: &SchemaPath| sources.as_ref().and_then(|sources| sources.place(path));
                review::review(&reports, &place).write(form, Path::new("."))
            }
            (Format::Json, None) => {
                format!("{:#}\n", reports.iter().map(json::json).collect::<serde_json::Value>())
            }
            _ => reports.iter().map(|report| text::text(report, self.verbose)).collect::<Vec<_>>().join("\n"),
        };
        self.output.print(&text)?;
        Ok(match reports.iter().map(Report::outlook).max().unwrap_or(Outlook::Fine) {
            Outlook::Fine => Outcome::Fine,
            Outlook::Undecided => Outcome::Undecided,
            Outlook::Drains | Outlook::Breaks => Outcome::Found,
        })
    }
}

/// Returns the contracts of the schemas folder. `None` if the folder is missing or its schemas are invalid: annotations then
/// point at manifests.
fn sources(folder: Option<PathBuf>, contracts_crate: Option<String>) -> Result<Option<Sources>, schemas::Error> {
    let is_named = folder.is_some() || contracts_crate.is_some();
    let read = || {
        let folder = SchemasArgs::of(folder, contracts_crate).find()?;
        Ok(folder.builder(folder.lock()?.as_ref()).contracts()?)
    };
    match read() {
        Err(error) if is_named => Err(error),
        read => Ok(read.ok()),
    }
}
