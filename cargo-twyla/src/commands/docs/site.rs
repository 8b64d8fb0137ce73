//! The content of the pages, collected from the schemas, the lock, git and the manifests: [`Site`]. [`super::pages`] needs nothing
//! else.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use serde_json::Value;
use twyla_build::compare::{Bundle, ContractKind, ContractSchema};
use twyla_build::explain::ContractExplanation;
use twyla_build::lock::{self, Lock, Subject};
use twyla_sample::Extent;

use super::examples::example;
use super::fields::{self, Row};
use super::history::{self, Change, History};
use super::services::{self, Services};
use crate::commands::sample::{self, Order};
use crate::support::contracts::{Contracts, name_of};
use crate::support::schemas::{self, SchemasArgs};

/// The content of a site.
pub(super) struct Site {
    pub(super) title: String,
    /// Each event, each RPC, and the context, in the order of the site.
    pub(super) subjects: Vec<SubjectPage>,
    pub(super) services: Option<Services>,
    /// The names of contracts that no longer exist, with their changes.
    pub(super) gone: Vec<(String, Vec<Change>)>,
    /// Whether the contracts are in a repository, and so have a history.
    pub(super) has_history: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Context,
    Event,
    Rpc,
}

/// An event, an RPC, or the context.
pub(super) struct SubjectPage {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The contract, or the contracts of an RPC's messages.
    pub(super) parts: Vec<Part>,
}

/// A contract.
pub(super) struct Part {
    /// `request`, `response` or `error` of an RPC.
    pub(super) way: Option<&'static str>,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) place: String,
    pub(super) digest: String,
    pub(super) rust_type: String,
    pub(super) rows: Vec<Row>,
    /// The examples: title and text.
    pub(super) examples: Vec<(&'static str, String)>,
    /// The reason if there are no examples.
    pub(super) no_example: Option<String>,
    pub(super) changes: Vec<Change>,
    pub(super) locked: Option<Locked>,
    pub(super) idempotent: bool,
}

/// The state of a contract in the lock.
pub(super) struct Locked {
    /// Whether the lock has the current version of the contract.
    pub(super) is_accepted: bool,
    /// The changes since the accepted version.
    pub(super) edits: Vec<String>,
    /// Versions that are still in the field: the reason, the sides, and the changes since.
    pub(super) field: Vec<(String, String, Vec<String>)>,
    /// Waivers: reason, direction, and last day.
    pub(super) waivers: Vec<(String, String, String)>,
    /// Versions that were in the field: the beginning of the digest, and the reason of the retirement.
    pub(super) retired: Vec<(String, String)>,
}

/// The options of a site.
#[derive(Clone, Debug)]
pub(super) struct SiteArgs {
    pub(super) place: SchemasArgs,
    pub(super) manifests: Vec<PathBuf>,
    pub(super) title: Option<String>,
}

impl SubjectPage {
    /// Returns the URL of the subject's page, relative to the site's root.
    pub(super) fn url(&self) -> String {
        match self.kind {
            Kind::Context => "context.html".to_owned(),
            Kind::Event => event_url(&self.name),
            Kind::Rpc => rpc_url(&self.name),
        }
    }

    /// Returns the subject's description, in one line.
    pub(super) fn summary(&self) -> &str {
        let said =
            self.parts.iter().map(|part| if part.description.is_empty() { &part.title } else { &part.description });
        said.map(String::as_str).find(|it| !it.is_empty()).unwrap_or_default()
    }
}

pub(super) fn event_url(name: &str) -> String {
    format!("events/{name}.html")
}

pub(super) fn rpc_url(name: &str) -> String {
    format!("rpc/{name}.html")
}

/// Collects the content of a site.
pub(super) fn gather(asked: &SiteArgs) -> Result<Site, Box<dyn Error + Send + Sync>> {
    let contracts = Contracts::open(&asked.place)?;
    let folder = asked.place.find()?;
    let lock = folder.lock()?;
    let about = contracts.builder.explain().map_err(schemas::Error::Problems)?;
    let about: BTreeMap<&str, &ContractExplanation> = about.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut history = history::history(&contracts.place, &contracts.sources);
    let context = contracts.sources.contract(ContractKind::Context, "context");
    let context = context.and_then(|it| example(&contracts.of(it).ok()?, Extent::Whole).ok());
    let gatherer = Gatherer { contracts: &contracts, about, lock: lock.as_ref(), context };
    let mut subjects: Vec<SubjectPage> = Vec::new();
    for schema in &contracts.sources.contracts {
        let part = gatherer.part(schema, &mut history)?;
        let kind = match schema.kind {
            ContractKind::Context => Kind::Context,
            ContractKind::Event => Kind::Event,
            _ => Kind::Rpc,
        };
        match subjects.iter_mut().rev().find(|it| kind == Kind::Rpc && it.kind == kind && it.name == schema.name) {
            Some(page) => page.parts.push(part),
            None => subjects.push(SubjectPage { kind, name: schema.name.clone(), parts: vec![part] }),
        }
    }
    let services = services::services(&asked.manifests, &contracts.sources)?;
    Ok(Site {
        title: asked.title.clone().unwrap_or_else(|| "Contracts".to_owned()),
        subjects,
        services,
        has_history: history.is_known,
        gone: history.of.into_iter().collect(),
    })
}

struct Gatherer<'a> {
    contracts: &'a Contracts,
    about: BTreeMap<&'a str, &'a ContractExplanation>,
    lock: Option<&'a Lock>,
    /// The context in the envelopes of examples.
    context: Option<Value>,
}

impl Gatherer<'_> {
    fn part(&self, schema: &ContractSchema, history: &mut History) -> Result<Part, Box<dyn Error + Send + Sync>> {
        let name = name_of(schema);
        let contract = self.contracts.of(schema)?;
        let own: Vec<&ContractExplanation> =
            [name.as_str(), "context"].iter().filter_map(|it| self.about.get(it).copied()).collect();
        let order = Order::of(&own);
        let root = contract.held.root();
        let view = root.clone().view();
        let said = |keyword: &str| {
            let found = view.all(keyword).find_map(Value::as_str);
            found.unwrap_or_default().trim().to_owned()
        };
        let (mut examples, mut no_example) = (Vec::new(), None);
        match example(&contract, Extent::Whole) {
            Ok(whole) => {
                let lean = example(&contract, Extent::Lean).ok();
                examples.push(("An example", order.pretty(&whole)));
                examples.extend(
                    lean.filter(|lean| *lean != whole).map(|lean| ("Only what is required", order.pretty(&lean))),
                );
                if let (ContractKind::Event, Some(context)) = (schema.kind, &self.context) {
                    let message = sample::envelope(&schema.name, whole, context.clone());
                    examples.push(("The whole message on the wire", order.pretty(&message)));
                }
            }
            Err(error) => no_example = Some(error.to_string()),
        }
        Ok(Part {
            way: schema.kind.way(),
            title: said("title"),
            description: said("description"),
            place: format!("{}:{}", schema.place.file, schema.place.line),
            digest: schema.bundle.digest(),
            rust_type: own.first().and_then(|it| it.types.first()).map(|it| it.rust_path.clone()).unwrap_or_default(),
            rows: fields::rows(self.contracts, &order, root),
            examples,
            no_example,
            changes: history.of.remove(&name).unwrap_or_default(),
            locked: self.lock.and_then(|lock| locked(lock, schema)),
            idempotent: schema.bundle.is_idempotent(),
        })
    }
}

fn locked(lock: &Lock, schema: &ContractSchema) -> Option<Locked> {
    let entry = lock.contracts.get(&Subject::of(schema))?;
    let since = |form: &str| -> Vec<String> {
        let Ok(old) = Bundle::parse(form) else { return Vec::new() };
        lock::edits(&old, &schema.bundle).iter().map(ToString::to_string).collect()
    };
    let is_accepted = entry.accepted.digest == schema.bundle.digest();
    let field = entry.earlier.iter().map(|it| (it.because.clone(), it.sides.to_string(), since(&it.version.form)));
    let waivers = entry.waivers.iter().map(|it| (it.reason.clone(), it.direction.to_string(), it.until.to_string()));
    let retired = entry.retired.iter().map(|it| (it.digest.chars().take(12).collect(), it.reason.clone()));
    Some(Locked {
        is_accepted,
        edits: if is_accepted { Vec::new() } else { since(&entry.accepted.form) },
        field: field.collect(),
        waivers: waivers.collect(),
        retired: retired.collect(),
    })
}
