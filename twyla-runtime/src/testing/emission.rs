//! A recorded event.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::show;
use crate::contract::envelope::Envelope;
use twyla_codec::record::ContractRecord;
use twyla_codec::validate::Violation;

/// An event that was published on the test bus.
#[derive(Clone)]
pub(super) struct Emission {
    pub(super) event: String,
    /// The parts of the event, or why a listener can't read it.
    pub(super) envelope: Result<Envelope, Violation>,
    pub(super) body: Bytes,
    pub(super) message_id: Arc<str>,
    pub(super) at: Duration,
    pub(super) record: Option<&'static ContractRecord>,
    /// Whether the test itself sent the event (`TestBus::give`).
    pub(super) given: bool,
    /// Whether an expectation has already returned the event.
    pub(super) taken: bool,
}

impl Emission {
    /// Returns the content in one line without its sensitive values; a placeholder if its contract isn't known.
    pub(super) fn shown(&self) -> String {
        let message = match &self.envelope {
            Ok(envelope) => {
                let part = |json: &Bytes| serde_json::from_slice::<Value>(json).ok();
                part(&envelope.content).map(|content| json!({ "content": content }))
            }
            Err(_) => serde_json::from_slice(&self.body).ok(),
        };
        let Some(mut message) = message else { return "(not JSON)".to_owned() };
        match self.record {
            Some(record) => show::hide(&mut message, record),
            None => return "(content hidden: this program has no contract of the event)".to_owned(),
        }
        show::shortened(&message["content"].to_string())
    }
}
