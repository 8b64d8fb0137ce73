//! A recorded event.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::show;
use twyla_codec::record::ContractRecord;

/// An event that was published on the test bus.
#[derive(Clone)]
pub(super) struct Emission {
    pub(super) event: String,
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
        let Ok(mut message) = serde_json::from_slice::<Value>(&self.body) else { return "(not JSON)".to_owned() };
        match self.record {
            Some(record) => show::hide(&mut message, record),
            None => return "(content hidden: this program has no contract of the event)".to_owned(),
        }
        show::shortened(&message["content"].to_string())
    }
}
