//! `cargo twyla sample`: prints an event made from its schema by `twyla-sample`, or events that break one rule each.
//!
//! Every event is checked against the contract first. If `twyla-sample` finds none, the search for witnesses of the comparison is
//! used: it is thorough, but its events are less readable.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io::Write;

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Map, Value, json};
use twyla_build::compare::{self, Options, Sample};
use twyla_build::explain::{BodyExplanation, ContractExplanation};
use twyla_contract::text::shortened;

use crate::support::contracts::{Contract, Contracts};
use crate::support::options::FormatArgs;
use crate::support::paint::{FAINT, HEAD, UNSURE, paint, stdout, tame};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use twyla_sample::{Broken, Extent};

/// Make an event from its schema.
///
/// Prefers values from the schema: examples, defaults, enums. With --invalid, prints an event for each rule of the contract that
/// breaks only this rule. JSON is one line; with --invalid an object for each rule, with its event.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla sample api.user_input
  cargo twyla sample api.user_input --minimal              only the required members
  cargo twyla sample api.user_input --envelope             the whole message, as it is on the wire
  cargo twyla sample api.user_input --invalid              an invalid event for each rule
  cargo twyla sample api.user_input --invalid --format json | jq .event")]
pub(crate) struct Args {
    /// An event (api.user_input), context, or a contract of an RPC (navitaire-api.get_booking/request, /response or /error).
    #[arg(add = ArgValueCompleter::new(crate::commands::completions::events))]
    event: String,
    /// Include only required members.
    #[arg(long)]
    minimal: bool,
    /// Print, for each rule, an event that breaks only this rule.
    #[arg(long, conflicts_with = "minimal")]
    invalid: bool,
    /// Print the whole message, as it is on the wire.
    #[arg(long)]
    envelope: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    place: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{name} has no sample: no value is valid under its schema ({place})")]
    Nothing { name: String, place: String },
    #[error("no sample of {name} was found, although one may exist: {why}")]
    Undecided { name: String, why: String },
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let contracts = Contracts::open(&self.place)?;
        let contract = contracts.contract(&self.event)?;
        let context = self.envelope.then(|| contracts.around(&contract)).transpose()?;
        let around = context.map(|context| sample(&context, Extent::Whole)).transpose()?;
        let wrapped = |event: Value| match &around {
            Some(context) => envelope(&self.event, event, context.clone()),
            None => event,
        };
        let order = Order::new(&contracts.builder.explain().unwrap_or_default(), &self.event);
        let mut out = stdout();
        if self.invalid {
            return self.invalid(&contracts, &contract, &order, wrapped, &mut out);
        }
        let extent = if self.minimal { Extent::Lean } else { Extent::Whole };
        let event = wrapped(sample(&contract, extent)?);
        let text = if self.format.is_json() { event.to_string() } else { order.pretty(&event) };
        writeln!(out, "{text}")?;
        Ok(Outcome::Fine)
    }
}

impl Args {
    fn invalid(
        &self,
        contracts: &Contracts,
        contract: &Contract<'_>,
        order: &Order,
        wrapped: impl Fn(Value) -> Value,
        out: &mut impl Write,
    ) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let valid = contract.held.several(Some(sample(contract, Extent::Whole)?));
        let (broken, unbroken) = contract.held.broken(&valid);
        let placed = broken.into_iter().map(|Broken { violation, event }| (contract.placed(violation), event));
        let mut broken: Vec<_> = placed.collect();
        broken.sort_by_key(|(violation, _)| violation.place.clone());
        let below = if self.envelope { "/content" } else { "" };
        for (i, (violation, event)) in broken.iter().enumerate() {
            let event = wrapped(event.clone());
            let place = violation.place.as_ref().map(ToString::to_string);
            let pointer = format!("{below}{}", violation.pointer);
            if self.format.is_json() {
                let (keyword, message) = (&violation.keyword, &violation.message);
                let line = json!({ "keyword": keyword, "pointer": pointer, "rule": place, "message": message, "event": event });
                writeln!(out, "{line}")?;
                continue;
            }
            let gap = if i > 0 { "\n" } else { "" };
            let shown = if pointer.is_empty() { "(root)" } else { &pointer };
            let place = paint(FAINT, tame(&place.unwrap_or_default()));
            writeln!(
                out,
                "{gap}{}  {place}",
                paint(HEAD, tame(&format!("{} at {shown}: {}", violation.keyword, violation.message)))
            )?;
            writeln!(out, "{}", order.pretty(&with_short_texts(event)))?;
        }
        if !self.format.is_json() {
            for rule in &unbroken {
                let place = contracts.place(&rule.path).map(|place| place.to_string()).unwrap_or_default();
                let text = format!("{}: no event was found that breaks only this rule", rule.keyword);
                writeln!(out, "\n{}  {}", paint(UNSURE, text), paint(FAINT, tame(&place)))?;
            }
            if broken.is_empty() && unbroken.is_empty() {
                writeln!(out, "{} has no rule that an event could break", self.event)?;
            }
        }
        Ok(Outcome::Fine)
    }
}

/// Returns a valid event.
pub(crate) fn sample(contract: &Contract<'_>, extent: Extent) -> Result<Value, Error> {
    let other = if extent == Extent::Whole { Extent::Lean } else { Extent::Whole };
    let mut found = contract.held.nice(extent).chain(contract.held.nice(other));
    if let Some(event) = found.next() {
        return Ok(event);
    }
    let name = contract.schema.name.clone();
    match compare::sample(&contract.schema.bundle, &Options::default()) {
        Sample::Value(event) if contract.held.is_valid(&event) => Ok(event),
        Sample::Value(_) => Err(Error::Undecided { name, why: "the value that was found is not valid".to_owned() }),
        Sample::Nothing => Err(Error::Nothing { name, place: contract.schema.place.to_string() }),
        Sample::Undecided(why) => Err(Error::Undecided { name, why: why.to_string() }),
    }
}

/// Cuts long texts of an event, for the terminal.
fn with_short_texts(event: Value) -> Value {
    const MOST: usize = 200;
    match event {
        Value::String(text) if text.chars().count() > MOST => {
            format!("{} ({} characters)", shortened(&text, 40), text.chars().count()).into()
        }
        Value::Array(items) => items.into_iter().map(with_short_texts).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, with_short_texts(value))).collect(),
        value => value,
    }
}

/// Returns an event's envelope, with the metadata of an example.
pub(crate) fn envelope(event: &str, content: Value, context: Value) -> Value {
    json!({
        "event_name": event,
        "content": content,
        "context": context,
        "meta": {
            "version": 1,
            "timestamp": "2026-01-31T09:30:00.000000+00:00",
            "session_id": "5f0c7d9e-3b1a-4c55-9d3e-2a6f1c0b7e42",
        },
    })
}

/// The order in which schemas declare members; events are printed in this order.
pub(crate) struct Order(HashMap<String, usize>);

impl Order {
    pub(crate) fn new(about: &[ContractExplanation], name: &str) -> Self {
        // the contract's own names first, then the names of the context
        let own = [name, "context"].map(|name| about.iter().find(|it| it.name == name));
        Self::of(&own.into_iter().flatten().collect::<Vec<_>>())
    }

    /// Returns the order of members in some contracts; earlier contracts take precedence.
    pub(crate) fn of(contracts: &[&ContractExplanation]) -> Self {
        let mut order = HashMap::new();
        for word in ["event_name", "content", "context", "meta", "version", "timestamp", "session_id"] {
            let place = order.len();
            order.entry(word.to_owned()).or_insert(place);
        }
        for about in contracts {
            for type_ in &about.types {
                if let BodyExplanation::Struct { fields, .. } = &type_.body {
                    for field in fields {
                        let place = order.len();
                        order.entry(field.wire.clone()).or_insert(place);
                    }
                }
            }
        }
        Self(order)
    }

    /// Formats JSON in lines, with short values in one line.
    pub(crate) fn pretty(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, 0, &mut out);
        out
    }

    fn write(&self, value: &Value, indent: usize, out: &mut String) {
        const WIDTH: usize = 90;
        let line = self.line(value);
        if indent > 0 && 2 * indent + line.chars().count() <= WIDTH {
            out.push_str(&line);
            return;
        }
        let pad = "  ".repeat(indent + 1);
        match value {
            Value::Object(members) if !members.is_empty() => {
                out.push_str("{\n");
                for (i, (name, value)) in self.sorted(members).into_iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "" });
                    out.push_str(&format!("{pad}{}: ", Value::from(name.as_str())));
                    self.write(value, indent + 1, out);
                }
                out.push_str(&format!("\n{}}}", "  ".repeat(indent)));
            }
            Value::Array(items) if !items.is_empty() => {
                out.push_str("[\n");
                for (i, value) in items.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "" });
                    out.push_str(&pad);
                    self.write(value, indent + 1, out);
                }
                out.push_str(&format!("\n{}]", "  ".repeat(indent)));
            }
            _ => out.push_str(&line),
        }
    }

    fn line(&self, value: &Value) -> String {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let members = self.sorted(members);
                let members =
                    members.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), self.line(value)));
                format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
            }
            Value::Array(items) => {
                format!("[{}]", items.iter().map(|it| self.line(it)).collect::<Vec<_>>().join(", "))
            }
            value => value.to_string(),
        }
    }

    /// Returns the position of a member within its object.
    pub(crate) fn place(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or(usize::MAX)
    }

    fn sorted<'v>(&self, members: &'v Map<String, Value>) -> Vec<(&'v String, &'v Value)> {
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_by_key(|(name, _)| self.place(name));
        sorted
    }
}
