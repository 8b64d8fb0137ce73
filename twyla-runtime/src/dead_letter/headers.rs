//! The headers of dead letters and requeued events: their names and values, and the foreign headers that are kept.

use std::borrow::Cow;

use bytes::Bytes;

/// The longest header text, in bytes. All headers together must fit into one AMQP frame.
pub(crate) const MAX_TEXT: usize = 4096;

pub(crate) const REASON: &str = "x-twyla-reason";
pub(crate) const ERROR: &str = "x-twyla-error";
pub(crate) const VIOLATIONS: &str = "x-twyla-violations";
pub(crate) const EVENT: &str = "x-twyla-event";
pub(crate) const GROUP: &str = "x-twyla-group";
pub(crate) const EXCHANGE: &str = "x-twyla-exchange";
pub(crate) const ROUTING_KEY: &str = "x-twyla-routing-key";
pub(crate) const ATTEMPTS: &str = "x-twyla-attempts";
pub(crate) const FIRST_ERROR: &str = "x-twyla-first-error";
pub(crate) const FIRST_FAILED_AT: &str = "x-twyla-first-failed-at";
/// Set while an event waits for another attempt in a batch.
pub(crate) const IN_BATCH: &str = "x-twyla-in-batch";
pub(crate) const PARKED_AT: &str = "x-twyla-parked-at";
pub(crate) const SENSITIVE: &str = "x-twyla-sensitive";
/// The value of [`SENSITIVE`] that covers the whole body, in place of a list that is too long.
pub(crate) const ALL_SENSITIVE: &str = r#"[""]"#;

// Sender properties that are stored in headers while the message is in a dead queue or a retry queue.
pub(crate) const EXPIRATION: &str = "x-twyla-expiration";
pub(crate) const DELIVERY_MODE: &str = "x-twyla-delivery-mode";
pub(crate) const USER_ID: &str = "x-twyla-user-id";
pub(crate) const CC: &str = "x-twyla-cc";
/// The headers that store sender properties.
pub(crate) const SENDERS: [&str; 4] = [EXPIRATION, DELIVERY_MODE, USER_ID, CC];

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Text(String),
    Number(i64),
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only headers of other programs have such a value"))]
    Flag(bool),
    /// A foreign value, unparsed: its type letter (AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's extensions) and its bytes.
    #[cfg_attr(not(feature = "amqp"), allow(dead_code, reason = "only headers of other programs have such a value"))]
    Raw(Bytes),
}

/// A header and its name.
pub(crate) type NamedHeader = (Cow<'static, str>, Header);

/// Returns the approximate size of headers in memory, in bytes.
pub(crate) fn named_size(headers: &[NamedHeader]) -> usize {
    let value = |header: &Header| match header {
        Header::Text(text) => text.len(),
        Header::Raw(raw) => raw.len(),
        Header::Number(_) | Header::Flag(_) => 8,
    };
    headers.iter().map(|(name, header)| size_of::<NamedHeader>() + name.len() + value(header)).sum()
}

/// Returns the headers that a message keeps when it is requeued or dead-lettered: those that neither Twyla nor the broker
/// set, and those that store sender properties.
pub(crate) fn foreign(headers: &[(String, Header)]) -> Vec<NamedHeader> {
    const OTHERS: [&str; 5] = ["x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count"];
    let kept = headers.iter().filter(|(name, _)| {
        let is_ours = name.starts_with("x-twyla-") && !SENDERS.contains(&name.as_str());
        !is_ours && !OTHERS.iter().any(|other| name.starts_with(other))
    });
    kept.map(|(name, value)| (name.clone().into(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_foreign_headers_and_stored_sender_properties() {
        let text = |text: &str| Header::Text(text.to_owned());
        let headers = [
            ("traceparent".to_owned(), text("00-1-2-01")),
            (ATTEMPTS.to_owned(), Header::Number(3)),
            ("x-delivery-count".to_owned(), Header::Number(3)),
            ("big".to_owned(), text(&"x".repeat(100_000))),
            (EXPIRATION.to_owned(), text("60000")),
            ("x-death".to_owned(), Header::Raw(Bytes::from_static(b"A\0\0\0\0"))),
            ("none".to_owned(), Header::Raw(Bytes::from_static(b"V"))),
        ];
        let kept = foreign(&headers);
        assert_eq!(
            kept.iter().map(|(name, _)| &**name).collect::<Vec<_>>(),
            ["traceparent", "big", EXPIRATION, "none"]
        );
    }
}
