//! `cargo twyla openapi`: the RPCs of a service as an OpenAPI 3.1 document, for callers without Twyla.
//!
//! [`components`] converts the contracts to components of the document. This module adds the operations and headers, as
//! `twyla_runtime::rpc` defines them.

mod components;

use std::error::Error as StdError;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use twyla_build::compare::{ContractKind, ContractSchema};
use twyla_contract::rust::type_name;
use twyla_contract::similar;

use crate::support::contracts::Contracts;
use crate::support::output;
use crate::support::paint::{GOOD, paint, print_text, say};
use crate::support::run::{Outcome, Run};
use crate::support::schemas::SchemasArgs;
use crate::support::text::did_you_mean;
use components::{Components, Names, Unwritable};

/// Write the RPCs of a service as an OpenAPI 3.1 document.
///
/// Contracts of any draft become schemas of JSON Schema 2020-12, the dialect of OpenAPI 3.1. The same contracts make the same
/// document, byte for byte.
#[derive(clap::Args)]
#[command(after_help = "\
For example:
  cargo twyla openapi                                          of the only service in schemas/rpc, to the standard output
  cargo twyla openapi navitaire-api -o openapi.json            of one of several
  cargo twyla openapi navitaire-api --server https://booking.example.com --version 2.1.0")]
pub(crate) struct Args {
    /// The service to describe; optional if the folder has only one.
    service: Option<String>,
    /// The URL of the service, before `/rpc/<method>`.
    #[arg(long, value_name = "URL")]
    server: Vec<String>,
    /// The version of the document. Default: a digest of the contracts.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Write the document to this file. Default: standard output.
    #[arg(short, long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: SchemasArgs,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{folder} has no RPCs: their contracts are in {folder}/rpc/<service>/<method>/")]
    NoRpcs { folder: String },
    #[error("there are several services: name one of {}", known.join(", "))]
    Several { known: Vec<String> },
    #[error("{name} has no RPCs{}", did_you_mean(near.as_deref()))]
    NoService { name: String, near: Option<String> },
}

impl Run for Args {
    fn run(self) -> Result<Outcome, Box<dyn StdError + Send + Sync>> {
        let contracts = Contracts::open(&self.place)?;
        let rpcs = || contracts.sources.contracts.iter().filter(|it| it.kind.way().is_some());
        let service_of = |it: &ContractSchema| it.name.split('.').next().unwrap_or_default().to_owned();
        let mut known: Vec<String> = rpcs().map(service_of).collect();
        known.sort();
        known.dedup();
        let service = match (&self.service, known.as_slice()) {
            (Some(name), _) if known.contains(name) => name.clone(),
            (_, []) => return Err(Error::NoRpcs { folder: contracts.folder }.into()),
            (Some(name), _) => {
                let near = similar::nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
                return Err(Error::NoService { name: name.clone(), near }.into());
            }
            (None, [only]) => only.clone(),
            (None, _) => return Err(Error::Several { known }.into()),
        };
        let of_it: Vec<&ContractSchema> = rpcs().filter(|it| service_of(it) == service).collect();
        let document = self.document(&contracts, &service, &of_it)?;
        let text = ordered(&document);
        match &self.out {
            Some(path) => {
                output::write(path, text)?;
                let methods = of_it.iter().filter(|it| it.kind == ContractKind::Request).count();
                let said =
                    format!("{}: {service} with {methods} RPC{}", path.display(), if methods == 1 { "" } else { "s" });
                say!("{}", paint(GOOD, said));
            }
            None => print_text(format_args!("{text}")),
        }
        Ok(Outcome::Fine)
    }
}

impl Args {
    fn document(
        &self,
        contracts: &Contracts,
        service: &str,
        of_it: &[&ContractSchema],
    ) -> Result<Value, Box<dyn StdError + Send + Sync>> {
        // all components must be known before they get names
        let mut components = Components::new(contracts, Names::new());
        paths(contracts, service, of_it, &mut components)?;
        let names = components.names(&["Problem", "BrokenRule"]);
        let mut components = Components::new(contracts, names);
        let (context, paths) = paths(contracts, service, of_it, &mut components)?;
        let version = self.version.clone().unwrap_or_else(|| {
            let of_context = contracts.sources.contracts.iter().filter(|it| it.kind == ContractKind::Context);
            let digests: Vec<String> = of_it.iter().copied().chain(of_context).map(|it| it.bundle.digest()).collect();
            components::digest(&digests)
        });
        let mut document = json!({
            "openapi": "3.1.0",
            "info": { "title": service, "version": version },
            "tags": [{ "name": service }],
            "paths": paths,
            "components": {
                "parameters": parameters(context),
                "responses": problems(),
                "schemas": schemas(components.finished()),
            },
        });
        if !self.server.is_empty() {
            let servers: Vec<Value> =
                self.server.iter().map(|url| json!({ "url": url.trim_end_matches('/') })).collect();
            document["servers"] = servers.into();
        }
        Ok(document)
    }
}

/// Returns the schema of the context and the operations of a service, and adds their components.
fn paths(
    contracts: &Contracts,
    service: &str,
    of_it: &[&ContractSchema],
    components: &mut Components<'_>,
) -> Result<(Option<Value>, Map<String, Value>), Unwritable> {
    let context = contracts.sources.contracts.iter().find(|it| it.kind == ContractKind::Context);
    let context = context.map(|it| components.contract(it, "Context")).transpose()?;
    let mut paths = Map::new();
    for request in of_it.iter().filter(|it| it.kind == ContractKind::Request) {
        let method = request.name.split_once('.').map_or(&*request.name, |(_, method)| method);
        let named = |kind| of_it.iter().find(|it| it.kind == kind && it.name == request.name);
        let rust = type_name(method);
        let of = |components: &mut Components<'_>, kind: ContractKind, suffix: &str| {
            named(kind).map(|it| components.contract(it, &format!("{rust}{suffix}"))).transpose()
        };
        let asked = of(components, ContractKind::Request, "Request")?;
        let answer = of(components, ContractKind::Response, "Response")?;
        let error = of(components, ContractKind::Error, "Error")?;
        let schema = contracts.root(request).map(|root| root.value());
        let says = |keyword: &str| schema.and_then(|it| it.get(keyword)).and_then(Value::as_str);
        let mut operation = json!({
            "operationId": method,
            "tags": [service],
            "parameters": PARAMETERS.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })),
            "requestBody": { "required": true, "content": { "application/json": { "schema": asked } } },
            "responses": responses(answer, error),
        });
        if let Some(title) = says("title") {
            operation["summary"] = title.into();
        }
        if let Some(description) = says("description") {
            operation["description"] = description.into();
        }
        if request.bundle.is_idempotent() {
            operation["x-idempotent"] = true.into();
        }
        paths.insert(format!("/rpc/{method}"), json!({ "post": operation }));
    }
    Ok((context, paths))
}

/// Formats a document, with its parts in a readable order.
fn ordered(document: &Value) -> String {
    let parts = ["openapi", "info", "servers", "tags", "paths", "components"];
    let parts = parts.iter().filter_map(|name| Some((name, document.get(*name)?)));
    let parts = parts.map(|(name, part)| format!("  \"{name}\": {}", format!("{part:#}").replace('\n', "\n  ")));
    format!("{{\n{}\n}}\n", parts.collect::<Vec<_>>().join(",\n"))
}

/// The component names of the headers of a call.
const PARAMETERS: [&str; 5] = ["Context", "Session", "Timeout", "IdempotencyKey", "TraceParent"];

fn parameters(context: Option<Value>) -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    json!({
        "Context": {
            "name": "twyla-context",
            "in": "header",
            "description": "The context of the call: a JSON text in ASCII, of 6 KiB at most. Required only by services that use it.",
            "content": { "application/json": { "schema": context.unwrap_or(Value::Bool(true)) } },
        },
        "Session": header("twyla-session", "The session of the call; a new one if it is absent.", json!({ "type": "string", "format": "uuid" })),
        "Timeout": header(
            "twyla-timeout-ms",
            "How long the caller waits, in milliseconds. After that the service stops working on the call.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        "IdempotencyKey": header(
            "idempotency-key",
            "The same for each attempt at one call.",
            json!({ "type": "string" }),
        ),
        "TraceParent": header(
            "traceparent",
            "The call's place in a trace (W3C Trace Context).",
            json!({ "type": "string" }),
        ),
    })
}

fn responses(answer: Option<Value>, error: Option<Value>) -> Value {
    let body = |description: &str, schema: Option<Value>| json!({ "description": description, "content": { "application/json": { "schema": schema.unwrap_or(Value::Bool(true)) } } });
    let mut responses = json!({
        "200": body("The response.", answer),
        "422": { "$ref": "#/components/responses/BreaksContract" },
        "503": { "$ref": "#/components/responses/Busy" },
        "504": { "$ref": "#/components/responses/Deadline" },
        "default": { "$ref": "#/components/responses/Failed" },
    });
    if let Some(error) = error {
        responses["409"] = body("The service can't do what the call asks for; the body says why.", Some(error));
    }
    responses
}

fn problems() -> Value {
    let problem = |description: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({ "description": description, "content": { "application/problem+json": { "schema": schema } } })
    };
    let mut busy = problem("The service takes no more calls for now, or can answer this one later.");
    busy["headers"] = json!({
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } },
    });
    json!({
        "BreaksContract": problem("The request or the context breaks its contract; each broken rule is listed."),
        "Busy": busy,
        "Deadline": problem("There was no answer in time."),
        "Failed": problem(
            "Other errors: a bad header (400), no such RPC (404), a method other than POST (405), a request that \
             arrives too slowly (408), is too large (413), or is compressed or not JSON (415), and a service that \
             failed (500).",
        ),
    })
}

/// Returns the components, with the schemas of problem details (RFC 9457) and of a broken rule.
fn schemas(mut schemas: Map<String, Value>) -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let errors = json!({ "type": "array", "items": { "$ref": "#/components/schemas/BrokenRule" } });
    let part = json!({ "enum": ["request", "context", "response"], "description": "The part of the call that breaks \
                                                                                   its contract." });
    let problem = json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": text("The kind of problem: urn:twyla:rpc:…"),
            "title": text("The kind of problem in words."),
            "status": { "type": "integer", "description": "The HTTP status." },
            "detail": text("The cause of the problem in this call."),
            "method": text("The RPC's name."),
            "part": part,
            "errors": errors,
        },
        "required": ["type", "title", "status", "detail"],
    });
    let broken = json!({
        "type": "object",
        "description": "A rule that is broken.",
        "properties": {
            "pointer": text("The place of the offending value: a JSON Pointer, empty for the whole value."),
            "keyword": text("The keyword that refuses it."),
            "detail": text("The rule and the value in words."),
        },
        "required": ["pointer", "keyword", "detail"],
    });
    schemas.insert("Problem".to_owned(), problem);
    schemas.insert("BrokenRule".to_owned(), broken);
    schemas.into()
}
