//! What a loose file is by its path, and which version of it: `shop/order/1.0.0.json` is the event `shop.order`.

use twyla_contract::EventName;
use twyla_contract::rust::field_name;

use crate::support::json::Json;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Context,
    Event(EventName),
    Rpc(String),
    Shared(String),
}

impl Role {
    /// Its path below the schemas folder.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Context => "context.json".to_owned(),
            Self::Event(name) => format!("events/{}/{}.json", name.domain(), name.event_type()),
            Self::Rpc(path) => path.clone(),
            Self::Shared(name) => format!("shared/{name}.json"),
        }
    }
}

/// A path without what says its format and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) steps: Vec<&'a str>,
    /// As it is written: `1-0-0`, `v2`.
    pub(super) version: Option<&'a str>,
}

/// The name and the version in a path.
pub(super) fn named(path: &str) -> Named<'_> {
    let ends = [".json", ".yaml", ".yml", ".jsonschema", ".schema"];
    let mut stem = path;
    while let Some(rest) = ends.iter().find_map(|end| stem.strip_suffix(end)).filter(|rest| !rest.ends_with('/')) {
        stem = rest;
    }
    let mut steps: Vec<&str> = stem.split('/').collect();
    // `order/1.0.0`, `order/jsonschema/1-0-0`
    if steps.len() > 1
        && let Some(version) = steps.last().copied().filter(|last| number(last).is_some())
    {
        steps.pop();
        if steps.len() > 1 && steps.last() == Some(&"jsonschema") {
            steps.pop();
        }
        return Named { steps, version: Some(version) };
    }
    // `order.v1`, `order-1.0.0`
    let name = steps.last().copied().unwrap_or_default();
    let cut = name.char_indices().filter(|(at, c)| *at > 0 && matches!(c, '.' | '-' | '_')).find(|(at, _)| {
        let version = name.get(at + 1..).unwrap_or_default();
        number(version).is_some_and(|parts| version.starts_with(['v', 'V']) || parts.len() > 1)
    });
    let version = cut.and_then(|(at, _)| name.get(at + 1..));
    if let (Some((at, _)), Some(last)) = (cut, steps.last_mut()) {
        *last = name.get(..at).unwrap_or(name);
    }
    Named { steps, version }
}

/// The numbers of a version: `1-0-0`, `v2`, `1.10`.
pub(super) fn number(text: &str) -> Option<Vec<u64>> {
    let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
    digits.split(['.', '-', '_']).map(|part| part.parse().ok().filter(|_| !part.starts_with('+'))).collect()
}

/// What a file is: as its path says, as it is asked for, and else an event by its `$id`, its `title` or its name. With each
/// `deeper` more folders are in the name, for where several files would have one.
pub(super) fn role(
    path: &str,
    json: &Json,
    is_part: bool,
    domain: Option<&str>,
    deeper: usize,
) -> Result<Role, String> {
    let Named { steps, .. } = named(path);
    match steps.as_slice() {
        ["rpc", service, method, body @ ("request" | "response" | "error")] => {
            return Ok(Role::Rpc(format!("rpc/{service}/{method}/{body}.json")));
        }
        ["shared" | "common" | "definitions" | "types", rest @ ..] if !rest.is_empty() => {
            return Ok(shared(rest, deeper));
        }
        ["events", domain, event_type] => return event(&format!("{domain}.{event_type}")),
        _ => {}
    }
    // what others refer to is a part of them, unless its place says that it is an event
    if is_part {
        return Ok(shared(&steps, deeper));
    }
    let name = steps.last().copied().unwrap_or_default();
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
                (_, Some(title)) if title.contains('.') => event(title),
                _ => Err(
                    "its path, its `$id` and its title name no domain: move it to <domain>/<event_type>.json, or say \
                     --domain"
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
    EventName::parse(name).map(Role::Event).map_err(|error| format!("has no name that an event could have: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_event_and_a_version() {
        for (path, steps, version) in [
            ("order/1.0.0.json", "order", Some("1.0.0")),
            ("com.acme/order/jsonschema/1-0-0", "com.acme/order", Some("1-0-0")),
            ("order.v1.schema.json", "order", Some("v1")),
            ("shop/order-1.2.0.yaml", "shop/order", Some("1.2.0")),
            ("shop/order_v2.json", "shop/order", Some("v2")),
            ("shop/step-2.json", "shop/step-2", None),
            ("shop/sha-256.json", "shop/sha-256", None),
            ("shop.order_placed.json", "shop.order_placed", None),
            ("1.json", "1", None),
            ("shop/order", "shop/order", None),
        ] {
            let found = named(path);
            assert_eq!((found.steps.join("/").as_str(), found.version), (steps, version), "{path}");
        }
        assert!(number("1.10") > number("1.9") && number("v2") > number("1-9-9"));
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
