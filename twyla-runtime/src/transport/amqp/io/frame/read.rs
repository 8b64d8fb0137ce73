//! Parses incoming methods and content headers.

use super::codes::{ACK, BASIC, DELIVER, GET_EMPTY, GET_OK, NACK, RETURN};
use crate::dead_letter::headers::Header;
use crate::telemetry::trace::{TRACE_PARENT, TRACE_STATE, TraceContext};
use crate::transport::field::Reader;
use crate::transport::sender_properties::{COUNT, Property, SenderProperties};

/// An incoming method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IncomingMethod<'a> {
    /// `basic.deliver` or `basic.get-ok`; a message follows.
    Deliver {
        tag: u64,
        redelivered: bool,
        exchange: &'a [u8],
        routing_key: &'a [u8],
    },
    /// `basic.return`; the message that reached no queue follows.
    Return {
        exchange: &'a [u8],
        routing_key: &'a [u8],
    },
    /// `basic.get-empty`.
    Empty,
    /// `basic.ack`, or `basic.nack` if `ack` is false; up to this tag if `multiple`.
    Confirm {
        tag: u64,
        multiple: bool,
        ack: bool,
    },
    /// `channel.close` or `connection.close`.
    Close {
        code: u16,
        text: &'a [u8],
    },
    Other,
}

impl<'a> IncomingMethod<'a> {
    /// Parses a method; `None` if it is malformed.
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let mut at = Reader(payload);
        Some(match (at.u16()?, at.u16()?) {
            (BASIC, DELIVER) => {
                at.short()?;
                let (tag, redelivered) = (at.u64()?, at.u8()? & 1 != 0);
                Self::Deliver { tag, redelivered, exchange: at.short()?, routing_key: at.short()? }
            }
            (BASIC, GET_OK) => {
                let (tag, redelivered) = (at.u64()?, at.u8()? & 1 != 0);
                Self::Deliver { tag, redelivered, exchange: at.short()?, routing_key: at.short()? }
            }
            (BASIC, GET_EMPTY) => Self::Empty,
            (BASIC, RETURN) => {
                // reply code and reply text
                at.skip(2)?;
                at.short()?;
                Self::Return { exchange: at.short()?, routing_key: at.short()? }
            }
            (BASIC, ACK) => Self::Confirm { tag: at.u64()?, multiple: at.u8()? & 1 != 0, ack: true },
            (BASIC, NACK) => Self::Confirm { tag: at.u64()?, multiple: at.u8()? & 1 != 0, ack: false },
            // connection.close, channel.close
            (10, 50) | (20, 40) => Self::Close { code: at.u16()?, text: at.short()? },
            _ => Self::Other,
        })
    }
}

/// The parsed properties of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// The message id; `None` if it is absent, blank or not valid UTF-8.
    pub(crate) message_id: Option<String>,
    /// All headers: Twyla's and the delivery count are decoded, the others raw.
    pub(crate) headers: Vec<(String, Header)>,
    /// The trace context, whose headers are not in `headers`.
    pub(crate) trace: Option<TraceContext>,
    /// The other properties, as the sender wrote them.
    pub(crate) original: SenderProperties,
}

impl Properties {
    /// Returns the message id as written; empty if the message has none.
    pub(crate) fn written_id(&self) -> &[u8] {
        self.original.text(Property::MessageId).unwrap_or_default()
    }
}

/// Parses a content header: the size of the body, and the properties.
pub(crate) fn content_header(payload: &[u8]) -> Option<(u64, Properties)> {
    let mut at = Reader(payload);
    at.skip(4)?;
    let size = at.u64()?;
    let mut properties = Properties::default();
    at.properties(&mut properties);
    Some((size, properties))
}

impl Reader<'_> {
    /// Reads the property list (section 4.2.6.1): one flag bit per property, the highest bit first.
    fn properties(&mut self, out: &mut Properties) {
        let mut values = [&[][..]; COUNT];
        let Some(flags) = self.u16() else { return };
        for (at, value) in values.iter_mut().enumerate() {
            if flags & (1 << (15 - at)) == 0 {
                continue;
            }
            if at == Property::Headers as usize {
                let Some(table) = self.long() else { break };
                // a malformed table doesn't affect the properties after it
                let _ = Reader(table).headers(out);
                continue;
            }
            let read = match at {
                // delivery mode, priority
                3 | 4 => self.take(1),
                // timestamp
                9 => self.take(8),
                _ => self.short_with_length(),
            };
            let Some(read) = read else { break };
            *value = read;
        }
        out.original = SenderProperties::of(values);
        // senders without ids may write a blank one, which identifies no message
        let id = out.original.text(Property::MessageId).and_then(|id| std::str::from_utf8(id).ok());
        out.message_id = id.filter(|id| !id.trim().is_empty()).map(str::to_owned);
    }

    fn headers(&mut self, out: &mut Properties) -> Option<()> {
        let mut state = None;
        while !self.0.is_empty() {
            let name = self.short()?;
            let trace = self.text_of(name, TRACE_PARENT).and_then(TraceContext::read);
            if let Some(trace) = trace {
                self.value()?;
                out.trace = Some(trace);
                continue;
            }
            let text = self.text_of(name, TRACE_STATE);
            let value = self.value()?;
            let Ok(name) = std::str::from_utf8(name) else { continue };
            if let Some(text) = text {
                state = Some((text, value));
            } else {
                out.headers.push((name.to_owned(), value.header(name)));
            }
        }
        if let Some((text, value)) = state {
            match (out.trace.take(), std::str::from_utf8(text)) {
                (Some(trace), Ok(text)) => out.trace = Some(trace.with_state(text)),
                (trace, _) => {
                    out.trace = trace;
                    // a `tracestate` that isn't UTF-8 or has no trace context is passed on as a plain header
                    out.headers.push((TRACE_STATE.to_owned(), value.header(TRACE_STATE)));
                }
            }
        }
        Some(())
    }
}
