//! Finds the contract of a file and its version by its path: `shop/order/1.0.0.json` is version 1.0.0 of the event
//! `shop.order`.

use std::borrow::Cow;

use twyla_contract::EventName;
use twyla_contract::rust::field_name;

use super::release::{self, Release};
use crate::support::json::Json;

/// The role of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Context,
    Event(EventName),
    Rpc(String),
    Shared(String),
}

impl Role {
    /// Returns the path of the file below the schemas folder.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Context => "context.json".to_owned(),
            Self::Event(name) => format!("events/{}/{}.json", name.domain(), name.event_type()),
            Self::Rpc(path) => path.clone(),
            Self::Shared(name) => format!("shared/{name}.json"),
        }
    }
}

/// The folders of definitions.
const SHARED: [&str; 4] = ["shared", "common", "definitions", "types"];

/// A path, split into its steps and its version, without its extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// Folders and name; empty if the path is only a version.
    pub(super) steps: Vec<Cow<'a, str>>,
    /// The version as written: `1-0-0`, `v2`.
    pub(super) version: Option<&'a str>,
}

/// Returns the name and the version in a path.
pub(super) fn named(path: &str) -> Named<'_> {
    let stem = without_format(path);
    let mut steps: Vec<Cow<'_, str>> = stem.split('/').map(Cow::Borrowed).collect();
    // `order/1.0.0`, `order/jsonschema/1-0-0`
    if steps.len() > 1
        && let Some((_, last)) = stem.rsplit_once('/').filter(|(_, last)| Release::parse(last).is_some())
    {
        steps.pop();
        if steps.len() > 1 && steps.last().is_some_and(|it| it == "jsonschema") {
            steps.pop();
        }
        return Named { steps, version: Some(last) };
    }
    // `amqp/0.2.0/channel`: no domain begins with a digit
    if let [first, .., folder, _] = steps.as_slice()
        && !SHARED.contains(&first.as_ref())
        && folder.starts_with(|c: char| c.is_ascii_digit())
        && Release::parse(folder).is_some()
    {
        let version = stem.rsplit('/').nth(1);
        steps.remove(steps.len() - 2);
        return Named { steps, version };
    }
    // `order.v1`, `order-1.0.0`
    let last = stem.rsplit('/').next().unwrap_or(stem);
    let (name, version) = release::split(last);
    if version.is_some() {
        steps.pop();
        steps.extend(Some(without_format(&name)).filter(|it| !it.is_empty()).map(|it| Cow::Owned(it.to_owned())));
    }
    Named { steps, version }
}

/// Returns a path without its extensions.
fn without_format(path: &str) -> &str {
    let ends = [".json", ".yaml", ".yml", ".jsonschema", ".schema"];
    let mut stem = path;
    while let Some(rest) = ends.iter().find_map(|end| stem.strip_suffix(end)).filter(|rest| !rest.ends_with('/')) {
        stem = rest;
    }
    stem
}

/// Returns the role of a file: by its path, by the options, or else an event by its `$id`, its `title` or its name. `deeper`
/// is the number of additional folders in the name, for files that would otherwise have the same name.
pub(super) fn role(
    path: &str,
    json: &Json,
    is_part: bool,
    domain: Option<&str>,
    deeper: usize,
) -> Result<Role, String> {
    let Named { steps, version } = named(path);
    let steps: Vec<&str> = steps.iter().map(AsRef::as_ref).collect();
    match steps.as_slice() {
        ["rpc", service, method, body @ ("request" | "response" | "error")] => {
            return Ok(Role::Rpc(format!("rpc/{service}/{method}/{body}.json")));
        }
        [first, rest @ ..] if SHARED.contains(first) && !rest.is_empty() => return Ok(shared(rest, deeper)),
        ["events", domain, event_type] => return event(&format!("{domain}.{event_type}")),
        _ => {}
    }
    // a file that others refer to is shared, unless its path makes it an event
    if is_part {
        return Ok(shared(&steps, deeper));
    }
    let Some(name) = steps.last().copied() else {
        let version = version.unwrap_or_default();
        return Err(format!("its name is only a version: move it to <domain>/<event_type>/{version}.json"));
    };
    if name.contains('.') {
        return event(name);
    }
    let title = json.get("title").and_then(Json::str);
    match (steps.as_slice(), domain) {
        ([folders @ .., _], _) if !folders.is_empty() => {
            let from = folders.len().saturating_sub(deeper + 1);
            let domain: Vec<String> = folders.iter().skip(from).map(|it| field_name(it)).collect();
            event(&format!("{}.{}", domain.join("_"), field_name(name)))
        }
        (_, Some(domain)) => event(&format!("{domain}.{}", field_name(name))),
        (_, None) => {
            let id = json.get("$id").or_else(|| json.get("id")).and_then(Json::str).unwrap_or_default();
            let of_id = id.trim_end_matches('#').split_once("://").map(|(_, rest)| named(rest).steps);
            match (of_id.as_deref(), title) {
                (Some([_, .., domain, event_type]), _) => {
                    event(&format!("{}.{}", field_name(domain), field_name(event_type)))
                }
                (_, Some(title)) if EventName::parse(title).is_ok() => event(title),
                _ => Err(
                    "neither its path, its `$id` nor its title names a domain: move it to <domain>/<event_type>.json, \
                     or pass --domain"
                        .to_owned(),
                ),
            }
        }
    }
}

fn shared(steps: &[&str], deeper: usize) -> Role {
    let from = steps.len().saturating_sub(deeper + 1);
    let steps: Vec<String> = steps.iter().skip(from).map(|it| field_name(it)).collect();
    Role::Shared(steps.join("/"))
}

fn event(name: &str) -> Result<Role, String> {
    EventName::parse(name)
        .map(Role::Event)
        .map_err(|error| format!("has a name that isn't valid for an event: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_event_and_a_version() {
        for (path, steps, version) in [
            ("order/1.0.0.json", "order", Some("1.0.0")),
            ("order/latest.json", "order", Some("latest")),
            ("order/v1beta1.json", "order", Some("v1beta1")),
            ("order/1.0.schema.json", "order", Some("1.0")),
            ("com.acme/order/jsonschema/1-0-0", "com.acme/order", Some("1-0-0")),
            ("bindings/amqp/0.2.0/channel.json", "bindings/amqp/channel", Some("0.2.0")),
            ("definitions/0.2.0/channel.json", "definitions/0.2.0/channel", None),
            ("amqp/v1/channel.json", "amqp/v1/channel", None),
            ("schemas/1.0.0-bundled.json", "schemas/bundled", Some("1.0.0")),
            ("order.v1.schema.json", "order", Some("v1")),
            ("order.schema-1.0.json", "order", Some("1.0")),
            ("bom-1.2.SNAPSHOT.schema.json", "bom", Some("1.2.SNAPSHOT")),
            ("shop/order-1.2.0.yaml", "shop/order", Some("1.2.0")),
            ("shop/order_v2.json", "shop/order", Some("v2")),
            ("shop/step-2.json", "shop/step-2", None),
            ("shop/sha-256.json", "shop/sha-256", None),
            ("shop.order_placed.json", "shop.order_placed", None),
            ("1.json", "1", None),
            ("1.2.json", "", Some("1.2")),
            ("shop/order", "shop/order", None),
        ] {
            let found = named(path);
            assert_eq!((found.steps.join("/").as_str(), found.version), (steps, version), "{path}");
        }
    }

    #[test]
    fn a_version_is_never_taken_for_a_domain() {
        let said = |path: &str| role(path, &Json::Bool(true), false, Some("shop"), 0).map(|role| role.path());
        assert_eq!(said("bom-1.2.SNAPSHOT.schema.json").unwrap(), "events/shop/bom.json");
        assert_eq!(said("bom-1.2-strict.SNAPSHOT.schema.json").unwrap(), "events/shop/bom_strict.json");
        assert_eq!(
            said("1.2.3.json").unwrap_err(),
            "its name is only a version: move it to <domain>/<event_type>/1.2.3.json"
        );
    }

    #[test]
    fn a_domain_is_asked_for_only_where_the_path_names_none() {
        let said = |path: &str, deeper| {
            let role = role(path, &Json::Bool(true), false, Some("shop"), deeper);
            role.map(|role| role.path()).unwrap_or_default()
        };
        assert_eq!(said("a/b.json", 0), "events/a/b.json");
        assert_eq!(said("order.v1.schema.json", 0), "events/shop/order.json");
        assert_eq!(said("order/1.0.0.json", 0), "events/shop/order.json");
        assert_eq!(said("x.order.json", 0), "events/x/order.json");
        assert_eq!(said("one/a/b.json", 1), "events/one_a/b.json");
    }
}
