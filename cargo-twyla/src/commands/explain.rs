//! `cargo twyla explain`: the fields of a contract, their rules and places, and how it is decoded.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::Write;
use std::io::Write as _;

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};
use twyla_build::compare::{ContractKind, ContractSchema};
use twyla_build::explain::{
    BodyExplanation, ContractExplanation, FieldExplanation, RuleExplanation, TypeExplanation, UndeclaredMembers,
    UnionDiscriminator, VariantExplanation, WordExplanation,
};

use crate::support::contracts::{Contracts, name_of};
use crate::support::options::FormatArgs;
use crate::support::paint::{FAINT, GOOD, HEAD, NAME, paint, stdout, tame};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::{self, SchemasArgs};

/// Explain a contract: its fields, their rules and places, and how it is decoded.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla explain api.user_input
  cargo twyla explain context                            the context that every event carries
  cargo twyla explain navitaire-api.get_booking          the request, response and error of an RPC
  cargo twyla explain navitaire-api.get_booking/request")]
pub(crate) struct Args {
    /// An event (api.user_input), context, an RPC (navitaire-api.get_booking), or one of its contracts
    /// (navitaire-api.get_booking/request). Default: all contracts, one per line.
    #[arg(add = ArgValueCompleter::new(crate::commands::completions::events))]
    event: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    place: SchemasArgs,
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let contracts = Contracts::open(&self.place)?;
        let about = contracts.builder.explain().map_err(schemas::Error::Problems)?;
        let of =
            |it: &ContractExplanation| contracts.sources.contracts.iter().find(|schema| name_of(schema) == it.name);
        let all = about.iter().filter_map(|it| Some((it, of(it)?)));
        let explained: Vec<(&ContractExplanation, &ContractSchema)> = match &self.event {
            Some(name) => {
                let named = contracts.named(name)?;
                all.filter(|(_, schema)| named.iter().any(|it| it.place == schema.place)).collect()
            }
            None => all.collect(),
        };
        let mut out = stdout();
        if self.format.is_json() {
            let all: Vec<Value> = explained.iter().map(|(about, schema)| json(about, schema)).collect();
            let value = match all.as_slice() {
                [only] if self.event.is_some() => only.clone(),
                _ => all.into(),
            };
            writeln!(out, "{value:#}")?;
        } else if self.event.is_some() {
            for (i, (about, schema)) in explained.into_iter().enumerate() {
                let gap = if i == 0 { "" } else { "\n\n" };
                write!(out, "{gap}{}", text(about, schema))?;
            }
        } else {
            let width = explained.iter().map(|(about, _)| about.name.chars().count()).max().unwrap_or(0);
            for (about, _) in explained {
                let said = about.types.first().map(|it| first_line(&it.docs)).unwrap_or_default();
                writeln!(out, "{}  {}", paint(HEAD, format!("{:width$}", about.name)), tame(said))?;
            }
        }
        out.flush()?;
        Ok(Outcome::Fine)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn text(about: &ContractExplanation, schema: &ContractSchema) -> String {
    let mut out = String::new();
    let mut trees: Vec<&RuleExplanation> = Vec::new();
    for (i, type_) in about.types.iter().enumerate() {
        let head = if i == 0 { format!("{}, ", paint(HEAD, &about.name)) } else { String::new() };
        let gap = if i == 0 { "" } else { "\n" };
        let place = paint(FAINT, format!("{}:{}", type_.place.file, type_.place.line));
        line(
            &mut out,
            format_args!("{gap}{head}the type {}  {place}", paint(NAME, format!("contracts::{}", type_.rust_path))),
        );
        description(&mut out, "  ", &type_.docs);
        body(&mut out, type_);
        trees.extend(&type_.trees);
        if let BodyExplanation::Struct { fields, .. } = &type_.body {
            trees.extend(fields.iter().flat_map(|it| &it.trees));
        }
    }
    line(&mut out, format_args!("\n{}", paint(HEAD, "How it is decoded")));
    line(
        &mut out,
        "  In one pass over the JSON text, without serde: each field is read as its type. Members that occur twice and",
    );
    line(
        &mut out,
        "  integers that would lose digits are refused. Rules of a single value are checked on the decoded value.",
    );
    if trees.is_empty() {
        line(&mut out, "  The contract has no other rules.");
    } else {
        line(&mut out, "  Rules that the Rust type can't express are checked on the decoded value:");
        trees.sort_by(|a, b| (&a.place, &a.why).cmp(&(&b.place, &b.why)));
        trees.dedup();
        for RuleExplanation { place, why } in trees {
            line(&mut out, format_args!("    {}  {}", tame(why), paint(FAINT, tame(&place.to_string()))));
        }
    }
    line(&mut out, format_args!("\n{}", paint(HEAD, "On the wire")));
    on_the_wire(schema).iter().for_each(|said| line(&mut out, format_args!("  {said}")));
    line(&mut out, format_args!("  Digest, as in the lock: {}", schema.bundle.digest()));
    out
}

/// Returns lines that describe how `twyla_runtime` sends a value of the contract.
fn on_the_wire(schema: &ContractSchema) -> Vec<String> {
    let (before, after) = schema.name.split_once('.').unwrap_or((&schema.name, ""));
    match schema.kind {
        ContractKind::Event => vec![
            format!("Published to the exchange {before} with the routing key {after}, together with its context."),
            format!("Each group of listeners has the queue {}.<group>.", schema.name),
        ],
        ContractKind::Request => {
            let repeated = if schema.bundle.is_idempotent() {
                "The RPC is idempotent: a caller that gets no response may send the request again."
            } else {
                "The contract isn't idempotent: the request is sent again only if its handler didn't begin, the \
                 handler is declared idempotent, or the caller gives an idempotency key."
            };
            vec![format!("The body of POST /rpc/{after}, which {before} serves over HTTP."), repeated.to_owned()]
        }
        ContractKind::Response => {
            vec![format!("The body of a 200 response to POST /rpc/{after}, which {before} serves.")]
        }
        ContractKind::Error => vec![format!(
            "The body of a 409 response to POST /rpc/{after}, which {before} serves: why the service can't do what the \
             call asks for."
        )],
        ContractKind::Context => vec![
            "Sent in the envelope of every event, beside its content, and in the header twyla-context of a call."
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn line(out: &mut String, text: impl std::fmt::Display) {
    let _ = writeln!(out, "{text}");
}

fn description(out: &mut String, indent: &str, docs: &str) {
    for text in docs.lines().map(str::trim).filter(|text| !text.is_empty()) {
        line(out, format_args!("{indent}{}", tame(&text.replace('`', ""))));
    }
}

fn body(out: &mut String, type_: &TypeExplanation) {
    match &type_.body {
        BodyExplanation::Struct { fields, others } => {
            for FieldExplanation { wire, rust_type, required, docs, place, inner, .. } in fields {
                let must = if *required { paint(GOOD, "required") } else { paint(FAINT, "optional") };
                let place = paint(FAINT, tame(&format!("{}:{}", place.file, place.line)));
                line(out, format_args!("\n  {}  {rust_type}, {must}  {place}", paint(HEAD, tame(wire))));
                description(out, "    ", docs);
                inner.iter().for_each(|rules| description(out, "    ", rules));
            }
            let others = match others {
                UndeclaredMembers::Ignored => {
                    "Undeclared members are ignored when the object is read, and never written."
                }
                UndeclaredMembers::Refused => "Undeclared members are refused.",
                UndeclaredMembers::Kept => "Undeclared members are kept when the object is read, and written again.",
            };
            line(out, format_args!("\n  {others}"));
        }
        BodyExplanation::Words(words) => {
            let list: Vec<String> = words.iter().map(|it| format!("{:?}", it.word)).collect();
            let head = if list.len() == 1 { "Always" } else { "One of" };
            line(out, format_args!("  {head} {}", list.join(", ")));
            for WordExplanation { word, docs } in words.iter().filter(|it| !it.docs.is_empty()) {
                line(out, format_args!("\n  {}", paint(HEAD, format!("{word:?}"))));
                description(out, "    ", docs);
            }
        }
        BodyExplanation::Union { by, variants } => {
            match by {
                UnionDiscriminator::Member(tag) => {
                    line(out, format_args!("  An object whose type depends on its member {tag:?}:"));
                }
                UnionDiscriminator::JsonType => line(out, "  A value whose type depends on its JSON type:"),
                UnionDiscriminator::OwnMember => {
                    line(out, "  An object whose type depends on which member it has:");
                }
            }
            for VariantExplanation { choices, rust_type, docs } in variants {
                let choices = if choices.is_empty() { "any other".to_owned() } else { tame(&choices.join(" or ")) };
                match rust_type {
                    Some(rust_type) => line(out, format_args!("    {choices}: {rust_type}")),
                    None => line(out, format_args!("    {choices}")),
                }
                description(out, "      ", docs);
            }
        }
        BodyExplanation::Map(rust_type) => {
            line(out, format_args!("  An object whose members all have the type {rust_type}"));
        }
        BodyExplanation::Newtype(rust_type) => line(out, format_args!("  A value of the type {rust_type}")),
    }
}

fn json(about: &ContractExplanation, schema: &ContractSchema) -> Value {
    let trees = |trees: &[RuleExplanation]| -> Vec<Value> {
        trees.iter().map(|it| json!({ "place": it.place.to_string(), "why": it.why })).collect()
    };
    let field = |it: &FieldExplanation| {
        json!({
            "name": it.wire,
            "type": it.rust_type,
            "required": it.required,
            "docs": it.docs,
            "inner": it.inner,
            "place": it.place.to_string(),
            "trees": trees(&it.trees),
        })
    };
    let types = about.types.iter().map(|it| {
        let body = match &it.body {
            BodyExplanation::Struct { fields, others } => json!({
                "fields": fields.iter().map(field).collect::<Vec<_>>(),
                "others": match others {
                    UndeclaredMembers::Ignored => "ignored",
                    UndeclaredMembers::Refused => "refused",
                    UndeclaredMembers::Kept => "kept",
                },
            }),
            BodyExplanation::Words(words) => {
                let documented = words.iter().filter(|it| !it.docs.is_empty());
                let docs: BTreeMap<&str, &str> = documented.map(|it| (&*it.word, &*it.docs)).collect();
                json!({ "words": words.iter().map(|it| &it.word).collect::<Vec<_>>(), "docs": docs })
            }
            BodyExplanation::Union { by, variants } => {
                let variants = |name: &str| -> Vec<Value> {
                    let value = |choice: &String| serde_json::from_str(choice).unwrap_or_else(|_| json!(choice));
                    let of = |choices: &[String]| choices.iter().map(value).collect::<Vec<Value>>();
                    let variant = |it: &VariantExplanation| {
                        json!({ name: of(&it.choices), "type": it.rust_type, "docs": it.docs })
                    };
                    variants.iter().map(variant).collect()
                };
                match by {
                    UnionDiscriminator::Member(tag) => json!({ "tag": tag, "variants": variants("words") }),
                    UnionDiscriminator::JsonType => json!({ "variants": variants("types") }),
                    UnionDiscriminator::OwnMember => json!({ "variants": variants("members") }),
                }
            }
            BodyExplanation::Map(rust_type) => json!({ "members": rust_type }),
            BodyExplanation::Newtype(rust_type) => json!({ "value": rust_type }),
        };
        json!({
            "type": it.rust_path,
            "place": it.place.to_string(),
            "docs": it.docs,
            "is": body,
            "trees": trees(&it.trees),
        })
    });
    json!({
        "name": about.name,
        "digest": schema.bundle.digest(),
        "types": types.collect::<Vec<_>>(),
    })
}
