//! Dead letters: dead-lettered events with their reason, error and attempts.

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::headers::{
    ALL_SENSITIVE, ATTEMPTS, ERROR, EVENT, EXCHANGE, FIRST_ERROR, FIRST_FAILED_AT, GROUP, Header, MAX_TEXT, PARKED_AT,
    REASON, ROUTING_KEY, SENSITIVE, VIOLATIONS,
};
use crate::transport::sender_properties::SenderProperties;
use crate::truncate::ellipsized;
use crate::wire::Form;
use twyla_codec::validate::{Violation, sensitive};

/// The longest pointer or message of one violation, in bytes.
const MAX_PART: usize = 512;
/// The maximum number of violations in a header.
const MAX_VIOLATIONS: usize = 16;

/// Declares the reasons with their header values.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// Why an event was dead-lettered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the value of the header `x-twyla-reason`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

reasons! {
    /// The content or the context breaks its contract.
    Contract = "contract",
    /// The message is neither a valid envelope nor a valid CloudEvent.
    Envelope = "envelope",
    /// The handler returned an error on each attempt.
    Handler = "handler",
    /// The handler panicked on the last attempt.
    Panic = "panic",
    /// The event was redelivered too often without being settled: each time the service ended, lost its connection or requeued it.
    Redelivered = "redelivered",
    /// The message is larger than [`Config::max_event`](crate::Config::max_event) allows.
    Size = "size",
}

impl Reason {
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }
}

/// One contract violation, as in the header `x-twyla-violations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadViolation {
    /// The location of the offending value in the message: a JSON Pointer, for example `/content/emission`. In a CloudEvent of
    /// either mode it is the location in the JSON format, for example `/data/emission`.
    pub pointer: String,
    /// The violated keyword, for example `maxLength`.
    pub keyword: String,
    /// The rule and the value, shortened.
    pub message: String,
}

/// An event in a group's dead queue, `<domain>.<event_type>.<group>.dead`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Why the event was dead-lettered; `None` if something other than a listener put it into the dead queue.
    pub reason: Option<Reason>,
    /// The error of the last attempt, or the reason in words if no handler was called.
    pub error: String,
    /// The violations, if the reason is the contract or the envelope; at most 16.
    pub violations: Vec<DeadViolation>,
    /// The event's name.
    pub event: String,
    /// The group that could not handle the event.
    pub group: String,
    /// The exchange that the event was published to.
    pub exchange: String,
    /// The routing key that the event was published with.
    pub routing_key: String,
    /// The number of attempts.
    pub attempts: u32,
    /// When the first attempt failed.
    pub first_failed_at: Option<DateTime<Utc>>,
    /// The error of the first attempt.
    pub first_error: String,
    /// When the message was dead-lettered.
    pub parked_at: Option<DateTime<Utc>>,
    /// The message id.
    pub message_id: Option<String>,
    /// The sensitive values of the body (`"x-sensitive": true` in the schema), as JSON Pointers (RFC 6901) in which `*`
    /// matches any key or index. Covers content and context if something other than a listener put it into the dead queue, and
    /// the whole body (`""`) if the message isn't in the form that its content type and its headers say.
    pub sensitive: Vec<String>,
    /// The queues from which the broker dead-lettered it, the latest first, because of a delivery limit, a time to live or a
    /// length limit. Empty if its listener dead-lettered it.
    pub deaths: Vec<Death>,
    /// The message body as delivered, byte for byte.
    pub body: Bytes,
}

/// An entry of RabbitMQ's header `x-death`: the broker dead-lettered the message from this queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Death {
    /// The queue.
    pub queue: String,
    /// The broker's reason: `delivery_limit`, `expired`, `maxlen` or `rejected`.
    pub reason: String,
    /// How often the message was dead-lettered from this queue for this reason.
    pub count: u64,
    /// The exchange that routed the message to this queue.
    pub exchange: String,
    /// The routing keys of the message.
    pub routing_keys: Vec<String>,
    /// When the message was first dead-lettered from this queue for this reason.
    pub at: Option<DateTime<Utc>>,
    /// The message's own time to live in milliseconds, if the sender set one.
    pub expiration: Option<String>,
}

/// Prints the message with its [sensitive values hidden](DeadLetter::shown).
impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("reason", &self.reason)
            .field("error", &self.error)
            .field("violations", &self.violations)
            .field("event", &self.event)
            .field("group", &self.group)
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("attempts", &self.attempts)
            .field("first_failed_at", &self.first_failed_at)
            .field("first_error", &self.first_error)
            .field("parked_at", &self.parked_at)
            .field("message_id", &self.message_id)
            .field("sensitive", &self.sensitive)
            .field("deaths", &self.deaths)
            .field("message", &self.shown())
            .finish_non_exhaustive()
    }
}

impl DeadLetter {
    /// Converts violations. Limits how many there are and how long each is, because a sender controls both.
    pub(crate) fn violations(part: &str, violations: &[Violation]) -> Vec<DeadViolation> {
        let cut = |text: &str| ellipsized(text, MAX_PART);
        violations
            .iter()
            .take(MAX_VIOLATIONS)
            .map(|violation| DeadViolation {
                pointer: cut(&format!("{part}{}", violation.pointer)),
                keyword: violation.keyword.to_owned(),
                message: cut(&violation.message),
            })
            .collect()
    }

    /// Returns the headers that describe the dead letter, in a fixed order.
    pub(crate) fn headers(&self) -> Vec<(&'static str, Header)> {
        let text = |text: &str| Header::Text(ellipsized(text, MAX_TEXT));
        let mut headers = Vec::with_capacity(9);
        if let Some(reason) = self.reason {
            headers.push((REASON, text(reason.as_str())));
        }
        headers.push((ERROR, text(&self.error)));
        if !self.violations.is_empty() {
            let json = serde_json::to_string(&self.violations).unwrap_or_default();
            headers.push((VIOLATIONS, Header::Text(json)));
        }
        headers.extend([
            (EVENT, text(&self.event)),
            (GROUP, text(&self.group)),
            (EXCHANGE, text(&self.exchange)),
            (ROUTING_KEY, text(&self.routing_key)),
            (ATTEMPTS, Header::Number(self.attempts.into())),
        ]);
        if let Some(time) = self.first_failed_at {
            headers.push((FIRST_ERROR, text(&self.first_error)));
            headers.push((FIRST_FAILED_AT, text(&crate::contract::envelope::write_timestamp(time))));
        }
        if let Some(time) = self.parked_at {
            headers.push((PARKED_AT, text(&crate::contract::envelope::write_timestamp(time))));
        }
        if !self.sensitive.is_empty() {
            let json = serde_json::to_string(&self.sensitive).unwrap_or_default();
            // if the list is too long, everything is sensitive
            let json = if json.len() > MAX_TEXT { ALL_SENSITIVE.to_owned() } else { json };
            headers.push((SENSITIVE, Header::Text(json)));
        }
        headers
    }

    /// Adds the details of a message that the broker itself dead-lettered; changes nothing if a listener dead-lettered it.
    #[cfg(feature = "amqp")]
    pub(crate) fn moved(mut self, deaths: Vec<Death>) -> Self {
        if self.reason.is_some() {
            return self;
        }
        if let (Some(last), Some(first)) = (deaths.first(), deaths.last()) {
            if self.error.is_empty() {
                self.error = format!("dead-lettered by RabbitMQ from the queue `{}`: {}", last.queue, last.reason);
            }
            if self.exchange.is_empty() && self.routing_key.is_empty() {
                self.exchange.clone_from(&first.exchange);
                self.routing_key = first.routing_keys.first().cloned().unwrap_or_default();
            }
            if self.event.is_empty() && !self.exchange.is_empty() {
                self.event = format!("{}.{}", self.exchange, self.routing_key);
            }
            if self.group.is_empty()
                && let Some(group) = last.queue.strip_prefix(&self.event).and_then(|group| group.strip_prefix('.'))
            {
                group.clone_into(&mut self.group);
            }
            self.parked_at = last.at;
        }
        self.deaths = deaths;
        self
    }

    /// Reads a dead letter from its headers and its other properties. A missing header yields an empty field; without a reason,
    /// content and context are sensitive, or the whole body if it doesn't have them.
    pub(crate) fn read(
        headers: &[(String, Header)],
        properties: Option<&SenderProperties>,
        message_id: Option<String>,
        body: Bytes,
    ) -> Self {
        let find = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        let text = |name: &str| match find(name) {
            Some(Header::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let time = |name: &str| DateTime::parse_from_rfc3339(&text(name)).ok().map(|time| time.to_utc());
        Self {
            reason: Reason::parse(&text(REASON)),
            error: text(ERROR),
            violations: serde_json::from_str(&text(VIOLATIONS)).unwrap_or_default(),
            event: text(EVENT),
            group: text(GROUP),
            exchange: text(EXCHANGE),
            routing_key: text(ROUTING_KEY),
            attempts: match find(ATTEMPTS) {
                Some(Header::Number(n)) => u32::try_from(*n).unwrap_or_default(),
                _ => 0,
            },
            first_failed_at: time(FIRST_FAILED_AT),
            first_error: text(FIRST_ERROR),
            parked_at: time(PARKED_AT),
            message_id,
            sensitive: match find(SENSITIVE) {
                // an unreadable list may name anything, so everything is sensitive
                Some(Header::Text(text)) => serde_json::from_str(text).unwrap_or_else(|_| vec![String::new()]),
                Some(_) => vec![String::new()],
                // not dead-lettered by a listener: nothing is known to be safe to show
                None if find(REASON).is_none() => Form::of(headers, properties).content_and_context(&body),
                None => Vec::new(),
            },
            deaths: Vec::new(),
            body,
        }
    }

    /// Returns the message for display: indented JSON, with `[sensitive]` in place of each [sensitive](Self::sensitive)
    /// value. A message that isn't valid JSON is returned as text, or hidden if it may contain sensitive values.
    #[must_use]
    pub fn shown(&self) -> String {
        match serde_json::from_slice::<serde_json::Value>(&self.body) {
            Ok(mut body) => {
                sensitive::hide(&mut body, &self.sensitive);
                format!("{body:#}")
            }
            Err(_) if self.sensitive.is_empty() => String::from_utf8_lossy(&self.body).into_owned(),
            Err(_) => {
                format!("[{} bytes that are not valid JSON, hidden because they may be sensitive]", self.body.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sender_properties::Property;

    fn letter() -> DeadLetter {
        DeadLetter {
            reason: Some(Reason::Contract),
            error: "the content breaks its contract".to_owned(),
            violations: DeadLetter::violations(
                "/content",
                &[Violation {
                    pointer: "/emission".to_owned(),
                    keyword: "minLength",
                    message: "is shorter than 1".to_owned(),
                }],
            ),
            event: "api.user_input".to_owned(),
            group: "chat".to_owned(),
            exchange: "api".to_owned(),
            routing_key: "user_input".to_owned(),
            attempts: 1,
            first_failed_at: DateTime::from_timestamp(1_750_000_000, 0),
            first_error: "no database".to_owned(),
            parked_at: DateTime::from_timestamp(1_751_000_000, 5_000),
            message_id: Some("1".to_owned()),
            sensitive: vec!["/content/emission".to_owned()],
            deaths: Vec::new(),
            body: Bytes::from_static(b"{"),
        }
    }

    #[test]
    fn headers_round_trip() {
        let letter = letter();
        let headers = letter.headers();
        let lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| match value {
                Header::Text(text) => format!("{name}: {text}"),
                Header::Number(number) => format!("{name}: {number}"),
                Header::Flag(flag) => format!("{name}: {flag}"),
                Header::Raw(raw) => format!("{name}: {raw:?}"),
            })
            .collect();
        assert_eq!(
            lines,
            [
                "x-twyla-reason: contract",
                "x-twyla-error: the content breaks its contract",
                r#"x-twyla-violations: [{"pointer":"/content/emission","keyword":"minLength","message":"is shorter than 1"}]"#,
                "x-twyla-event: api.user_input",
                "x-twyla-group: chat",
                "x-twyla-exchange: api",
                "x-twyla-routing-key: user_input",
                "x-twyla-attempts: 1",
                "x-twyla-first-error: no database",
                "x-twyla-first-failed-at: 2025-06-15T15:06:40.000000+00:00",
                "x-twyla-parked-at: 2025-06-27T04:53:20.000005+00:00",
                r#"x-twyla-sensitive: ["/content/emission"]"#,
            ]
        );
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let read = DeadLetter::read(&headers, None, letter.message_id.clone(), letter.body.clone());
        assert_eq!(read, letter);
    }

    #[test]
    fn hides_sensitive_values() {
        let shown = |body: &'static str| DeadLetter { body: Bytes::from_static(body.as_bytes()), ..letter() }.shown();
        let body = r#"{"content":{"emission":"secret","language":"en"},"context":{}}"#;
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown(body)).unwrap(),
            serde_json::json!({"content": {"emission": "[sensitive]", "language": "en"}, "context": {}}),
        );
        for hidden in [r#"{"content":"secret"}"#, r#"{"content":{"emission":"secret""#, r#"["secret"]"#] {
            assert!(!shown(hidden).contains("secret"), "{hidden}");
        }
        // the second is a pointer into the content of a CloudEvent, which isn't at `/content`
        for (pointer, body) in [("/content/é", body), ("/contents/é", r#"{"contents":{"é":"secret"}}"#)] {
            let many = DeadLetter { sensitive: vec![pointer.repeat(400); 9], ..letter() };
            let headers: Vec<_> = many.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let read = DeadLetter::read(&headers, None, None, Bytes::from_static(body.as_bytes()));
            assert!(!read.shown().contains("secret"), "{}", read.shown());
        }
    }

    #[test]
    fn headers_stay_below_the_frame_size() {
        let bad = Violation { pointer: "/ä".repeat(100_000), keyword: "x", message: "ü".repeat(100_000) };
        let letter = DeadLetter {
            error: "ß".repeat(100_000),
            violations: DeadLetter::violations("/content", &vec![bad; 1000]),
            ..letter()
        };
        let size: usize = letter
            .headers()
            .iter()
            .map(|(name, value)| name.len() + if let Header::Text(text) = value { text.len() } else { 8 })
            .sum();
        assert!(size < 32_768, "{size}");
    }

    #[test]
    fn hides_the_values_of_a_cloud_event_that_no_listener_dead_lettered() {
        let body = Bytes::from_static(br#"{"data":{"emission":"secret"},"twylacontext":"secret","id":"1"}"#);
        let structured = SenderProperties::default().with_text(Property::ContentType, b"application/cloudevents+json");
        let shown = DeadLetter::read(&[], Some(&structured), None, body.clone()).shown();
        assert!(!shown.contains("secret") && shown.contains("\"id\": \"1\""), "{shown}");
        let header = ("cloudEvents:id".to_owned(), Header::Text("1".to_owned()));
        assert!(!DeadLetter::read(&[header], None, None, body.clone()).shown().contains("secret"));
        // an event without its content type, and an envelope with that of an event
        assert!(!DeadLetter::read(&[], None, None, body).shown().contains("secret"));
        let envelope = Bytes::from_static(br#"{"content":{"emission":"secret"},"context":"secret"}"#);
        let shown = DeadLetter::read(&[], Some(&structured), None, envelope).shown();
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn reads_a_message_that_no_listener_dead_lettered() {
        let read = DeadLetter::read(&[(ATTEMPTS.to_owned(), Header::Number(-1))], None, None, Bytes::new());
        assert_eq!((read.reason, read.attempts, read.error.as_str()), (None, 0, ""));
        assert_eq!(read.sensitive, [""]);
        let envelope = Bytes::from_static(br#"{"content":{},"context":{}}"#);
        assert_eq!(DeadLetter::read(&[], None, None, envelope).sensitive, ["/content", "/context"]);
    }
}
