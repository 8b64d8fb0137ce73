//! Compares Twyla with typify: the types of both read and write the same JSON value.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twyla_runtime::event::{Emit, Listen};

use crate::contracts::{demo, events, typify};
use crate::instances;
use crate::ways::EVENTS;

/// The result for the events that the types of both read.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of events that both read and wrote.
    pub events: usize,
    /// The number of members that typify added: absent ones with a default.
    pub filled_in: usize,
    /// The number of members that typify left out: `null` or `[]`, which its types treat as absent.
    pub left_out: usize,
    /// The number of undeclared members that both left out.
    pub undeclared: usize,
    /// Descriptions of events that one wrote differently than it read them.
    pub differences: Vec<String>,
}

/// Reads and writes the events of each contract with the types of both. Numbers are compared as doubles, and typify's
/// times as points in time, because its types keep no more of them.
#[must_use]
pub fn compared() -> Report {
    let mut report = Report::default();
    report.hold::<demo::api::UserInput, typify::chat::UserInput>(
        include_str!("../../schemas/events/api/user_input.json"),
        &instances::many(EVENTS, instances::chat),
    );
    report.hold::<events::shop::OrderPlaced, typify::order::OrderPlaced>(
        include_str!("../schemas/events/shop/order_placed.json"),
        &instances::many(EVENTS, instances::order),
    );
    report.hold::<events::cloud::Event, typify::cloud_event::CloudEvent>(
        include_str!("../schemas/events/cloud/event.json"),
        &instances::many(EVENTS, instances::cloud_event),
    );
    report.hold::<events::github::PullRequestOpened, typify::pull_request::PullRequestOpenedEvent>(
        include_str!("../schemas/events/github/pull_request_opened.json"),
        &instances::many(EVENTS, instances::pull_request),
    );
    report
}

/// The writer of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Twyla,
    Typify,
}

impl Report {
    fn hold<T: Listen + Emit, Y: DeserializeOwned + Serialize>(&mut self, schema: &str, texts: &[Vec<u8>]) {
        let declared = declared(&serde_json::from_str(schema).expect("a schema is JSON"));
        for text in texts {
            let (Ok(ours), Ok(theirs)) = (T::decode(text), serde_json::from_slice::<Y>(text)) else { continue };
            self.events += 1;
            let read: Value = serde_json::from_slice(text).expect("an event is JSON");
            let mut out = Vec::new();
            if let Err(refusal) = ours.encode(&mut out) {
                self.differences.push(format!("not emitted: {refusal}: {read}"));
                continue;
            }
            let ours: Value = serde_json::from_slice(&out).expect("what is emitted is JSON");
            let theirs = serde_json::to_value(&theirs).expect("what typify reads can be written");
            self.compare("", &read, &ours, Writer::Twyla, &declared);
            self.compare("", &ours, &theirs, Writer::Typify, &declared);
        }
    }

    /// Records where `made` differs from `of`, and counts the known differences.
    fn compare(&mut self, at: &str, of: &Value, made: &Value, who: Writer, declared: &[(String, Option<Value>)]) {
        match (of, made) {
            (Value::Object(of), Value::Object(made)) => {
                for (name, value) in of {
                    let is_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
                    match made.get(name) {
                        Some(made) => self.compare(&format!("{at}/{name}"), value, made, who, declared),
                        None if declared.iter().all(|(known, _)| known != name) => self.undeclared += 1,
                        None if who == Writer::Typify && is_nothing => self.left_out += 1,
                        None => self.differences.push(format!("{who:?} left out {at}/{name}: {value}")),
                    }
                }
                for (name, value) in made.iter().filter(|(name, _)| !of.contains_key(*name)) {
                    let is_default =
                        |(known, default): &(_, Option<_>)| known == name && default.as_ref() == Some(value);
                    if who == Writer::Typify && declared.iter().any(is_default) {
                        self.filled_in += 1;
                    } else {
                        self.differences.push(format!("{who:?} added {at}/{name}: {value}"));
                    }
                }
            }
            (Value::Array(of), Value::Array(made)) if of.len() == made.len() => {
                for (index, (of, made)) in of.iter().zip(made).enumerate() {
                    self.compare(&format!("{at}/{index}"), of, made, who, declared);
                }
            }
            _ if is_same(of, made) || who == Writer::Typify && is_same_moment(of, made) => {}
            _ => self.differences.push(format!("{who:?} wrote {at} as {made}: {of}")),
        }
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    one == other || matches!((one, other), (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64())
}

fn is_same_moment(one: &Value, other: &Value) -> bool {
    let moment = |value: &Value| DateTime::<FixedOffset>::parse_from_rfc3339(value.as_str()?).ok();
    moment(one).is_some_and(|one| moment(other) == Some(one))
}

/// The properties that a schema declares at any depth, with their defaults.
fn declared(schema: &Value) -> Vec<(String, Option<Value>)> {
    let mut found = Vec::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            found.extend(properties.iter().map(|(name, schema)| (name.clone(), schema.get("default").cloned())));
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
