//! Writes the contracts of a folder as an AsyncAPI 3 document: a channel with its messages for each event and RPC, and the
//! operations of the services whose manifests are given.

use std::collections::{BTreeMap, BTreeSet};

use twyla_build::compare::{ContractKind, ContractSchema};
use twyla_contract::EventName;

use super::members::{object, text};
use super::schema::{self, FILE, Keys};
use super::wire::{CloudEvent, Form, Forms};
use crate::commands::manifest::model::Version;
use crate::support::contracts::{Contracts, name_of};
use crate::support::json::Json;

/// The `info` of the document.
pub(super) struct Info {
    pub(super) title: String,
    pub(super) version: String,
}

/// A service, with the names of the events and methods that it uses.
pub(super) struct Service {
    pub(super) name: String,
    /// The deployed version; `None` if environments have different ones.
    pub(super) version: Option<String>,
    emits: BTreeSet<String>,
    /// The events that the service listens to, each with the group that listens.
    listens: BTreeSet<(String, String)>,
    serves: BTreeSet<String>,
    calls: BTreeSet<String>,
}

impl Service {
    pub(super) fn new(name: String, version: String) -> Self {
        let (emits, listens, serves, calls) = Default::default();
        Self { name, version: Some(version), emits, listens, serves, calls }
    }

    /// Adds the events and methods that one deployed version of the service uses.
    pub(super) fn add(&mut self, version: &Version) {
        self.version = self.version.take().filter(|it| *it == version.name);
        self.emits.extend(version.emits.iter().map(|it| it.event.clone()));
        self.listens.extend(version.listens.iter().map(|it| (it.event.clone(), it.group.clone())));
        self.serves.extend(version.serves.iter().map(|it| it.method.clone()));
        self.calls.extend(version.calls.iter().map(|it| it.method.clone()));
    }

    fn uses_event(&self, name: &str) -> bool {
        self.emits.contains(name) || self.listens.iter().any(|(event, _)| event == name)
    }

    fn uses_method(&self, name: &str) -> bool {
        self.serves.contains(name) || self.calls.contains(name)
    }
}

/// Writes the document of all contracts or, if there are `services`, of the contracts that they use. `files` has the JSON of
/// each schema file, by its path.
pub(super) fn document(
    contracts: &Contracts,
    files: BTreeMap<String, Json>,
    info: &Info,
    services: Option<&[Service]>,
    forms: &Forms,
) -> Json {
    let keys = keys(contracts, &files);
    let mut out = Out { has_many_services: services.is_some_and(|it| it.len() > 1), ..Out::default() };
    let mut taken: BTreeSet<String> = keys.values().cloned().collect();
    let meta = free("meta", &mut taken);
    let sources = &contracts.sources;
    let titles: BTreeMap<&str, (Option<String>, Option<String>)> = files
        .iter()
        .map(|(path, json)| (path.as_str(), (text_of(json, "title"), text_of(json, "description"))))
        .collect();
    let titled = |contract: &ContractSchema| titles.get(contract.bundle.root()).cloned().unwrap_or_default();
    let components = |contract: &ContractSchema| {
        reference(&format!("schemas/{}", keys.get(contract.bundle.root()).map(String::as_str).unwrap_or_default()))
    };
    let is_used =
        |uses: fn(&Service, &str) -> bool, name: &str| services.is_none_or(|all| all.iter().any(|it| uses(it, name)));
    let context = sources.contract(ContractKind::Context, "context");
    for contract in
        sources.contracts.iter().filter(|it| it.kind == ContractKind::Event && is_used(Service::uses_event, &it.name))
    {
        let (title, description) = titled(contract);
        let content = components(contract);
        let message = match forms.form(&contract.name) {
            Form::Envelope => {
                let context = context.map(components);
                let envelope = envelope(&contract.name, content, context, reference(&format!("schemas/{meta}")));
                message(&contract.name, title, description, envelope, None, None)
            }
            form => {
                let wire = match form {
                    Form::Binary => CloudEvent::binary(&contract.name, content),
                    _ => CloudEvent::structured(&contract.name, content),
                };
                let content_type = Some(wire.content_type);
                message(&contract.name, title, description, wire.payload, wire.headers, content_type)
            }
        };
        let message = out.message(&contract.name, message);
        out.event(&contract.name, &message, services.unwrap_or_default());
    }
    for request in sources
        .contracts
        .iter()
        .filter(|it| it.kind == ContractKind::Request && is_used(Service::uses_method, &it.name))
    {
        let ways = [ContractKind::Request, ContractKind::Response, ContractKind::Error];
        let ways: Vec<&ContractSchema> =
            ways.into_iter().filter_map(|kind| sources.contract(kind, &request.name)).collect();
        let mut names = Vec::new();
        for contract in ways {
            let (title, description) = titled(contract);
            let headers = (contract.kind == ContractKind::Request).then(headers);
            let name = name_of(contract);
            let key = name.replace('/', ".");
            names.push((
                contract.kind,
                out.message(&key, message(&name, title, description, components(contract), headers, None)),
            ));
        }
        out.rpc(&request.name, &names, services);
    }
    let bundle = sources.contracts.first().map(|it| &it.bundle);
    let default = bundle.map(|it| it.default_draft()).unwrap_or_default();
    let schemas = files.into_iter().filter_map(|(path, json)| {
        let key = keys.get(&path)?.clone();
        Some((key, schema::component(json, &path, sources, &keys)))
    });
    let mut schemas: Vec<(String, Json)> = schemas.collect();
    schemas.push((meta, self::meta()));
    schemas.sort_by(|a, b| a.0.cmp(&b.0));
    object([
        ("asyncapi", text("3.1.0")),
        ("info", object([("title", text(&info.title)), ("version", text(&info.version))])),
        // the settings that build.rs reads the schemas with
        (
            "x-twyla",
            object([
                ("draft", text(default.name())),
                ("formats", Json::Bool(bundle.is_none_or(|it| it.asserts_formats()))),
            ]),
        ),
        ("defaultContentType", text("application/json")),
        ("channels", Json::Object(out.channels)),
        ("operations", Json::Object(out.operations)),
        ("components", object([("messages", Json::Object(out.messages)), ("schemas", Json::Object(schemas))])),
    ])
}

#[derive(Default)]
struct Out {
    has_many_services: bool,
    channels: Vec<(String, Json)>,
    operations: Vec<(String, Json)>,
    messages: Vec<(String, Json)>,
    taken_messages: BTreeSet<String>,
    taken_operations: BTreeSet<String>,
}

impl Out {
    fn message(&mut self, key: &str, message: Json) -> String {
        let key = free(key, &mut self.taken_messages);
        self.messages.push((key.clone(), message));
        key
    }

    /// Adds an operation. If there are several services, the service's name precedes the operation's name, because they may
    /// use the same contract.
    fn operation(&mut self, service: Option<&Service>, name: &str, operation: Json) {
        let name = match service.filter(|_| self.has_many_services) {
            Some(service) => format!("{}.{name}", service.name),
            None => name.to_owned(),
        };
        let name = free(&name, &mut self.taken_operations);
        self.operations.push((name, operation));
    }

    fn event(&mut self, name: &str, message: &str, services: &[Service]) {
        let Ok(event) = EventName::parse(name) else { return };
        let exchange = object([
            ("name", text(event.domain())),
            ("type", text("topic")),
            ("durable", Json::Bool(true)),
            ("autoDelete", Json::Bool(false)),
        ]);
        let amqp = object([("is", text("routingKey")), ("exchange", exchange), ("bindingVersion", text("0.3.0"))]);
        let channel = object([
            ("address", text(event.event_type())),
            ("messages", object([(message, reference(&format!("messages/{message}")))])),
            ("bindings", object([("amqp", amqp)])),
        ]);
        self.channels.push((name.to_owned(), channel));
        let operation = |action: &str, summary: String| {
            object([
                ("action", text(action)),
                ("summary", text(&summary)),
                ("channel", object([("$ref", text(&format!("#/channels/{name}")))])),
            ])
        };
        for service in services {
            if service.emits.contains(name) {
                let summary = format!("{} emits {name}", service.name);
                self.operation(Some(service), &format!("emit.{name}"), operation("send", summary));
            }
            for (_, group) in service.listens.iter().filter(|(event, _)| event == name) {
                let summary = format!("The group {group} listens with the queue {name}.{group}");
                self.operation(Some(service), &format!("listen.{name}.{group}"), operation("receive", summary));
            }
        }
    }

    fn rpc(&mut self, name: &str, messages: &[(ContractKind, String)], services: Option<&[Service]>) {
        // an RPC may have the same name as an event
        let key =
            if self.channels.iter().any(|(key, _)| key == name) { format!("{name}.rpc") } else { name.to_owned() };
        let method = name.split_once('.').map_or(name, |(_, method)| method);
        let members = messages.iter().map(|(_, key)| (key.as_str(), reference(&format!("messages/{key}"))));
        let address = text(&format!("/rpc/{method}"));
        self.channels.push((key.clone(), object([("address", address), ("messages", object(members))])));
        let here = || object([("$ref", text(&format!("#/channels/{key}")))]);
        let of = |request: bool| {
            let some = messages.iter().filter(|(kind, _)| (*kind == ContractKind::Request) == request);
            Json::Array(
                some.map(|(_, it)| object([("$ref", text(&format!("#/channels/{key}/messages/{it}")))])).collect(),
            )
        };
        let operation = |action: &str| {
            object([
                ("action", text(action)),
                ("channel", here()),
                ("messages", of(true)),
                ("reply", object([("channel", here()), ("messages", of(false))])),
                ("bindings", object([("http", object([("method", text("POST")), ("bindingVersion", text("0.3.0"))]))])),
            ])
        };
        let Some(services) = services else {
            return self.operation(None, &format!("serve.{name}"), operation("receive"));
        };
        for service in services {
            if service.serves.contains(name) {
                self.operation(Some(service), &format!("serve.{name}"), operation("receive"));
            }
            if service.calls.contains(name) {
                self.operation(Some(service), &format!("call.{name}"), operation("send"));
            }
        }
    }
}

/// Returns the component name of each file.
fn keys(contracts: &Contracts, files: &BTreeMap<String, Json>) -> Keys {
    let mut taken = BTreeSet::new();
    let mut keys = Keys::new();
    for contract in &contracts.sources.contracts {
        keys.insert(contract.bundle.root().to_owned(), free(&name_of(contract).replace('/', "."), &mut taken));
    }
    for path in files.keys() {
        if !keys.contains_key(path) {
            let path_words = path.trim_end_matches(".json").replace("://", ".").replace('/', ".");
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let key: String = path_words.chars().map(|c| if known(c) { c } else { '_' }).collect();
            keys.insert(path.clone(), free(&key, &mut taken));
        }
    }
    keys
}

/// Returns `name`, with a number appended if it is taken, and adds the result to `taken`.
fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut number = 1;
    let mut free = name.to_owned();
    while taken.contains(&free) {
        number += 1;
        free = format!("{name}_{number}");
    }
    taken.insert(free.clone());
    free
}

fn message(
    name: &str,
    title: Option<String>,
    description: Option<String>,
    payload: Json,
    headers: Option<Json>,
    content_type: Option<&str>,
) -> Json {
    let mut members = vec![("name", text(name))];
    members.extend(title.map(|it| ("title", text(&it))));
    members.extend(description.map(|it| ("description", text(&it))));
    members.extend(content_type.map(|it| ("contentType", text(it))));
    members.extend(headers.map(|it| ("headers", it)));
    members.push(("payload", payload));
    object(members)
}

/// Returns the schema of the envelope around the content.
fn envelope(event: &str, content: Json, context: Option<Json>, meta: Json) -> Json {
    let required = ["event_name", "content", "context"].map(text);
    let mut properties = vec![("event_name", object([("const", text(event))])), ("content", content)];
    properties.extend(context.map(|it| ("context", it)));
    properties.push(("meta", meta));
    object([("type", text("object")), ("properties", object(properties)), ("required", Json::Array(required.into()))])
}

fn meta() -> Json {
    let string = |format: &str, description: &str| {
        object([("type", text("string")), ("format", text(format)), ("description", text(description))])
    };
    let version = object([("type", text("integer")), ("description", text("The version of the envelope: 1."))]);
    object([
        (FILE, Json::Bool(false)),
        ("description", text("Metadata that the bus adds to an event.")),
        ("type", text("object")),
        (
            "properties",
            object([
                ("version", version),
                ("timestamp", string("date-time", "When it was emitted.")),
                (
                    "session_id",
                    string("uuid", "The session of the event. Events that follow from it have the same session."),
                ),
            ]),
        ),
    ])
}

/// Returns the schema of the headers of a call.
fn headers() -> Json {
    let session =
        object([("type", text("string")), ("format", text("uuid")), ("description", text("The session's id."))]);
    let string = |description: &str| object([("type", text("string")), ("description", text(description))]);
    object([
        ("type", text("object")),
        (
            "properties",
            object([
                ("twyla-context", string("The context, a JSON text in ASCII.")),
                ("twyla-session", session),
                ("twyla-timeout-ms", string("How long the caller waits, in milliseconds.")),
                ("idempotency-key", string("The same for each attempt at one call.")),
            ]),
        ),
    ])
}

fn text_of(json: &Json, keyword: &str) -> Option<String> {
    json.get(keyword)?.str().map(str::to_owned)
}

fn reference(component: &str) -> Json {
    object([("$ref", text(&format!("#/components/{component}")))])
}
