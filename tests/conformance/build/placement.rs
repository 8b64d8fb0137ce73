//! Places a group's schema in a folder, with the files around it and the paths to its values.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::group::{Besides, Group, Placement, Probe};

/// The URI of a nested schema without an id: its references refer to itself.
const NAME: &str = "https://schemas.example.com/within.json";

/// The placeholder for the schema in an event's text.
const HERE: &str = "the schema";

/// A placed schema.
pub(crate) struct Placed {
    /// The files without the context, by their paths.
    pub(crate) files: BTreeMap<String, Box<RawValue>>,
    pub(crate) probes: Vec<Probe>,
}

/// Places the group's schema, with another group's for placements of pairs; none if it can't be placed there.
pub(crate) fn placed(draft: &str, placement: Placement, group: &Group, other: Option<&Group>) -> Option<Placed> {
    let shared = || vec![("shared/s.json", group.schema.clone())];
    let referred = json!({ "$ref": "../../shared/s.json" });
    let (files, probes) = match placement {
        Placement::Shared => {
            let event = json!({ "type": "object", "required": ["value"], "properties": { "value": referred } });
            (with(shared(), "events/a/b.json", raw(&event.to_string())), vec![value("b")])
        }
        Placement::EventAfter | Placement::EventBefore => {
            let (path, event) =
                if placement == Placement::EventAfter { ("events/a/b.json", "b") } else { ("events/a/z.json", "z") };
            let own = json!({ "$ref": "q.json" });
            let other = properties(&json!({ "value": own, "list": { "type": "array", "items": own } }));
            let whole = probe("q", ["", ""], Besides::Object);
            let list = probe(event, [r#"{"list":["#, "]}"], Besides::Nothing);
            let files = vec![("events/a/q.json", group.schema.clone()), (path, raw(&other))];
            (files, vec![whole, value(event), list])
        }
        Placement::Items => (with(shared(), "events/a/b.json", raw(&items(&referred, &referred))), of_items()),
        Placement::AllOf => (with(shared(), "events/a/b.json", raw(&all(&referred, &referred))), of_all()),
        Placement::InProperties => {
            (vec![("events/a/b.json", within(draft, group, &properties(&json!({ "value": HERE })))?)], vec![value("b")])
        }
        Placement::InItems => {
            let event = items(&HERE.into(), &json!({ "$ref": "#/properties/list/items" }));
            (vec![("events/a/b.json", within(draft, group, &event)?)], of_items())
        }
        Placement::InAllOf => {
            let event = all(&HERE.into(), &json!({ "$ref": "#/properties/alone/allOf/0" }));
            (vec![("events/a/b.json", within(draft, group, &event)?)], of_all())
        }
        Placement::Pair => {
            let event = |file: &str, other: &str| {
                raw(&properties(&json!({ "value": { "$ref": file }, "other": { "$ref": other } })))
            };
            let mut files = with(shared(), "shared/t.json", other?.schema.clone());
            files.push(("events/a/b.json", event("../../shared/s.json", "c.json")));
            files.push(("events/a/c.json", event("../../shared/t.json", "b.json")));
            let behind = probe("c", [r#"{"other":{"value":"#, "}}"], Besides::Nothing);
            (files, vec![value("b"), behind])
        }
    };
    Some(Placed { files: files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect(), probes })
}

type Files = Vec<(&'static str, Box<RawValue>)>;

fn with(mut files: Files, path: &'static str, text: Box<RawValue>) -> Files {
    files.push((path, text));
    files
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("is JSON")
}

fn probe(event: &str, [before, behind]: [&str; 2], besides: Besides) -> Probe {
    Probe { event: event.to_owned(), around: [before.to_owned(), behind.to_owned()], besides }
}

fn value(event: &str) -> Probe {
    probe(event, [r#"{"value":"#, "}"], Besides::Nothing)
}

/// An event with these properties.
fn properties(properties: &Value) -> String {
    json!({ "type": "object", "properties": properties }).to_string()
}

/// An event with values of a schema in a list, in a map, and where null is allowed too. The schema appears once: a
/// resource has one position.
fn items(schema: &Value, again: &Value) -> String {
    properties(&json!({
        "list": { "type": "array", "items": schema },
        "map": { "type": "object", "additionalProperties": again },
        "nullable": { "anyOf": [again, { "type": "null" }] },
    }))
}

fn of_items() -> Vec<Probe> {
    vec![
        probe("b", [r#"{"list":["#, "]}"], Besides::Nothing),
        probe("b", [r#"{"map":{"k":"#, "}}"], Besides::Nothing),
        probe("b", [r#"{"nullable":"#, "}"], Besides::OrNull),
    ]
}

/// An event with values to which a schema and others apply.
fn all(schema: &Value, again: &Value) -> String {
    let more = json!({ "more of it": { "type": "integer" } });
    properties(&json!({
        "alone": { "allOf": [schema] },
        "beside": { "allOf": [{ "properties": more }, again] },
        "object": { "type": "object", "properties": more, "allOf": [again] },
    }))
}

fn of_all() -> Vec<Probe> {
    vec![
        probe("b", [r#"{"alone":"#, "}"], Besides::Nothing),
        probe("b", [r#"{"beside":"#, "}"], Besides::Nothing),
        probe("b", [r#"{"object":"#, "}"], Besides::Object),
    ]
}

/// An event that contains the group's schema verbatim; none if the schema would have another meaning there.
fn within(draft: &str, group: &Group, event: &str) -> Option<Box<RawValue>> {
    let text = group.schema.get().trim();
    let members: Option<serde_json::Map<String, Value>> = serde_json::from_str(text).ok();
    let id = if draft == "draft4" { "id" } else { "$id" };
    let schema = match members {
        Some(members) if text.contains("Ref\"") || text.contains("$ref\"") => {
            // up to draft 7 a reference excludes all other keywords, so such a schema has no id
            let nameless = members.contains_key("$ref") && !draft.starts_with("draft20");
            match text.strip_prefix('{') {
                _ if members.contains_key(id) && !nameless => text.to_owned(),
                Some(rest) if !nameless => format!("{{\"{id}\":\"{NAME}\",{rest}"),
                _ => return None,
            }
        }
        _ => text.to_owned(),
    };
    Some(raw(&event.replace(&format!("\"{HERE}\""), &schema)))
}
