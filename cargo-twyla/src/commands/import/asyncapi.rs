//! Reads the schemas of an AsyncAPI 3 document. A document of `cargo twyla asyncapi` becomes exactly the files that it was made
//! from. Of any other document, each message becomes an event, and component schemas become shared files.

use std::collections::{BTreeMap, BTreeSet};

use twyla_contract::EventName;
use twyla_contract::rust::field_name;

use super::loose::Loose;
use super::plan::Plan;
use crate::commands::asyncapi::schema::{self, FILE};
use crate::support::json::Json;

/// The files that were read.
#[derive(Debug)]
pub(super) enum Read {
    /// The files of a schemas folder.
    Exact(Plan),
    /// Loose files.
    Loose(Vec<Loose>),
}

/// The maximum length of a chain of references.
const FARTHEST: usize = 16;

/// Reads a document.
pub(super) fn read(document: &Json, domain: Option<&str>) -> Result<Read, String> {
    let version = document.get("asyncapi").and_then(Json::str);
    let version = version.ok_or("is not an AsyncAPI document: it has no `asyncapi`")?;
    if !version.starts_with("3.") {
        return Err(format!(
            "is an AsyncAPI {version} document, but only AsyncAPI 3 is read: convert it with `asyncapi convert` of the \
             AsyncAPI CLI"
        ));
    }
    let components = document.get("components").and_then(|it| it.get("schemas")).map_or(&[][..], Json::members);
    match document.get("x-twyla") {
        Some(how) => exact(components, how).map(Read::Exact),
        None => loose(document, components, domain).map(Read::Loose),
    }
}

fn exact(components: &[(String, Json)], how: &Json) -> Result<Plan, String> {
    let mut files = BTreeMap::new();
    let mut plan = Plan::default();
    for (key, component) in components {
        let file = match component.get(FILE) {
            Some(Json::String(file)) => file.clone(),
            // the schema of the bus's own metadata, which isn't a file
            Some(Json::Bool(false)) => continue,
            // a component that another tool has added
            _ => format!("shared/{}.json", field_name(key)),
        };
        if !file.contains("://") && !is_below(&file) {
            return Err(format!("/components/schemas/{key} names a file outside of the folder: {file:?}"));
        }
        if let Some(first) = files.iter().find(|(_, other)| **other == file).map(|(first, _)| first) {
            return Err(format!("/components/schemas/{first} and {key} are both the file {file}"));
        }
        files.insert(key.clone(), file);
    }
    for (key, component) in components.iter().filter(|(key, _)| files.contains_key(key)) {
        let Some(file) = files.get(key) else { continue };
        let json = schema::file(component.clone(), file, &files);
        let from = format!("components.schemas.{key}");
        if file.contains("://") {
            let path = format!("../documents/{key}.json");
            plan.notes.push(format!(
                "{from} is the document {file}, which was written to documents/{key}.json beside the folder: name it \
                 in build.rs with `.document(\"{file}\", \"documents/{key}.json\")`"
            ));
            plan.moved.insert(path.clone(), from);
            plan.files.insert(path, json);
        } else {
            plan.moved.insert(file.clone(), from);
            plan.files.insert(file.clone(), json);
        }
    }
    if !plan.files.contains_key("context.json") {
        return Err("has no component with the file context.json".to_owned());
    }
    if let Some(draft) = how.get("draft").and_then(Json::str).filter(|draft| *draft != "2020-12") {
        plan.notes.push(format!(
            "schemas without `$schema` have the draft {draft}: set it in build.rs with `.default_draft(..)`"
        ));
    }
    if how.get("formats") == Some(&Json::Bool(false)) {
        plan.notes.push(
            "`format` is only an annotation in this document: set that in build.rs with `.formats(false)`".to_owned(),
        );
    }
    Ok(plan)
}

/// Returns whether a file stays in the schemas folder: its path comes from an untrusted document.
fn is_below(path: &str) -> bool {
    let good = |step: &str| !step.is_empty() && step != "." && step != ".." && !step.contains(['\\', ':', '\0']);
    path.ends_with(".json") && path.split('/').all(good)
}

fn loose(document: &Json, components: &[(String, Json)], domain: Option<&str>) -> Result<Vec<Loose>, String> {
    let mut files = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (key, _) in components {
        let mut name = field_name(key);
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        files.insert(key.clone(), format!("shared/{name}.json"));
    }
    let mut found = Vec::new();
    for (key, component) in components {
        let Some(file) = files.get(key) else { continue };
        found.push(Loose {
            path: file.clone(),
            json: schema::file(plain(component)?.clone(), file, &files),
            text: None,
        });
    }
    let mut events = BTreeMap::new();
    for (key, channel) in document.get("channels").map_or(&[][..], Json::members) {
        let channel = resolved(document, channel)?;
        let address = channel.get("address").and_then(Json::str).unwrap_or(key);
        for (message_key, message) in channel.get("messages").map_or(&[][..], Json::members) {
            let message = resolved(document, message)?;
            let name = message.get("name").and_then(Json::str).unwrap_or(message_key);
            let name = event_name(&[name, message_key, address, key], domain);
            let name = name.ok_or_else(|| {
                format!(
                    "/channels/{key}/messages/{message_key}: neither the message nor its channel names a domain: pass \
                     --domain"
                )
            })?;
            let Some(payload) = message.get("payload") else { continue };
            events.insert(name.to_string(), (name, content(document, plain(payload)?)?.clone()));
        }
    }
    if events.is_empty() {
        return Err("has no messages with a payload".to_owned());
    }
    for (name, payload) in events.into_values() {
        let path = format!("events/{}/{}.json", name.domain(), name.event_type());
        let json = schema::file(payload, &path, &files);
        found.push(Loose { path, json, text: None });
    }
    Ok(found)
}

/// Unwraps a schema that is stored under `schema` with its format in `schemaFormat`.
fn plain(schema: &Json) -> Result<&Json, String> {
    let Some(format) = schema.get("schemaFormat").and_then(Json::str) else { return Ok(schema) };
    let known = format.starts_with("application/schema") || format.starts_with("application/vnd.aai.asyncapi");
    match schema.get("schema").filter(|_| known) {
        Some(schema) => Ok(schema),
        None => Err(format!("has a schema of the format {format}: only JSON Schema is read")),
    }
}

/// Returns the schema of an event's content: `content` of the payload, if that is the whole envelope, `data` if it is a CloudEvent in
/// JSON, or else the payload.
fn content<'a>(document: &'a Json, payload: &'a Json) -> Result<&'a Json, String> {
    let whole = resolved(document, payload)?.get("properties");
    let Some(properties) = whole else { return Ok(payload) };
    let has = |name: &str| properties.get(name).is_some();
    let of_envelope = properties.get("content").filter(|_| has("event_name") && has("context"));
    let of_cloud_event = || properties.get("data").filter(|_| has("specversion") && has("source"));
    Ok(of_envelope.or_else(of_cloud_event).unwrap_or(payload))
}

fn resolved<'a>(document: &'a Json, mut json: &'a Json) -> Result<&'a Json, String> {
    for _ in 0..FARTHEST {
        let Some(reference) = json.get("$ref").and_then(Json::str) else { return Ok(json) };
        let dangling = || format!("{reference} doesn't exist in the document");
        let pointer = reference.strip_prefix("#/").ok_or_else(dangling)?;
        json = pointer.split('/').try_fold(document, |json, step| {
            json.get(&crate::support::uri::decoded(step).replace("~1", "/").replace("~0", "~")).ok_or_else(dangling)
        })?;
    }
    Err(format!("has more than {FARTHEST} references in a row"))
}

/// Returns the first of these names that is valid for an event: the message's name or key, if it has a dot; the channel's, if
/// no domain is given; or the message's name or key in the domain.
fn event_name([own, key, address, channel]: &[&str; 4], domain: Option<&str>) -> Option<EventName> {
    let dotted = |name: &str| EventName::parse(&name.trim_matches('/').replace('/', ".")).ok();
    let below = |name: &str| {
        let word = name.trim_matches('/').rsplit('/').next().unwrap_or(name);
        EventName::parse(&format!("{}.{}", domain?, field_name(word))).ok()
    };
    let of_channel = || if domain.is_none() { dotted(address).or_else(|| dotted(channel)) } else { None };
    dotted(own).or_else(|| dotted(key)).or_else(of_channel).or_else(|| below(own)).or_else(|| below(key))
}
