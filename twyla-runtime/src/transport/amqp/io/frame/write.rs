//! Writes outgoing frames: publishes, acks, rejects and gets.

use super::codes::{ACK, BASIC, BODY, END, GET, HEAD, HEADER, METHOD, PUBLISH, REJECT};
use super::fit;
use crate::dead_letter::headers::{Header, NamedHeader};
use crate::telemetry::trace::{TRACE_PARENT, TRACE_STATE, TraceContext};
use crate::transport::sender_properties::{COUNT, Property, SenderProperties};
use crate::truncate::truncated;
use crate::wire::has_attributes;

/// The maximum length of a short string, in bytes.
const SHORT: usize = 255;

/// A message to publish.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Publish<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) mandatory: bool,
    pub(crate) message_id: &'a str,
    /// Seconds since 1970.
    pub(crate) timestamp: u64,
    pub(crate) app_id: &'a str,
    pub(crate) headers: &'a [NamedHeader],
    pub(crate) trace: Option<&'a TraceContext>,
    /// The sender's properties of a forwarded message. They replace the properties above, except a missing message id.
    pub(crate) original: Option<&'a SenderProperties>,
    pub(crate) body: &'a [u8],
}

#[cfg(test)]
impl<'a> Publish<'a> {
    /// Returns a message to the exchange `e` with nothing but short names and a body.
    pub(crate) fn short(body: &'a [u8]) -> Self {
        Self {
            exchange: "e",
            routing_key: "k",
            mandatory: false,
            message_id: "id",
            timestamp: 0,
            app_id: "",
            headers: &[],
            trace: None,
            original: None,
            body,
        }
    }
}

impl Publish<'_> {
    /// Returns the message id as written.
    pub(crate) fn written_id(&self) -> &[u8] {
        let original = self.original.and_then(|original| original.text(Property::MessageId));
        original.unwrap_or_else(|| truncated(self.message_id, SHORT).as_bytes())
    }

    /// Returns whether the content header fits into a frame: the attributes of a CloudEvent can't be shortened, other headers can.
    pub(crate) fn fits(&self, frame_max: usize) -> bool {
        if !has_attributes(self.headers) {
            return true;
        }
        let mut header = Vec::new();
        self.write_fitting_header(0, frame_max, &mut header);
        header.len() <= frame_max
    }

    /// Appends `basic.publish`, the content header and the body, in frames of at most `frame_max` bytes.
    pub(crate) fn write(&self, channel: u16, frame_max: usize, out: &mut Vec<u8>) {
        self.write_head(channel, frame_max, out);
        self.write_part(channel, frame_max, self.body, out);
    }

    /// Appends `basic.publish` and the content header, with the size of the whole body. Headers above the frame size are
    /// shortened.
    pub(crate) fn write_head(&self, channel: u16, frame_max: usize, out: &mut Vec<u8>) {
        frame(out, METHOD, channel, |out| {
            out.extend_from_slice(&BASIC.to_be_bytes());
            out.extend_from_slice(&PUBLISH.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            short(self.exchange, out);
            short(self.routing_key, out);
            out.push(self.mandatory.into());
        });
        self.write_fitting_header(channel, frame_max, out);
    }

    fn write_fitting_header(&self, channel: u16, frame_max: usize, out: &mut Vec<u8>) {
        let start = out.len();
        self.write_header(channel, self.headers, out);
        let size = out.len() - start;
        if size > frame_max {
            let table = fit::size(self.headers);
            let headers = fit::fit(self.headers, frame_max.saturating_sub(size - table));
            out.truncate(start);
            self.write_header(channel, &headers, out);
        }
        if out.len() - start > frame_max && self.original.is_some() && !has_attributes(self.headers) {
            // the sender's properties leave no room for Twyla's headers
            out.truncate(start);
            Self { original: None, ..*self }.write_fitting_header(channel, frame_max, out);
        }
    }

    fn write_header(&self, channel: u16, headers: &[NamedHeader], out: &mut Vec<u8>) {
        frame(out, HEADER, channel, |out| {
            out.extend_from_slice(&BASIC.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&(self.body.len() as u64).to_be_bytes());
            let has_headers = !headers.is_empty() || self.trace.is_some();
            if let Some(original) = self.original {
                return self.write_properties(original, has_headers.then_some(headers), out);
            }
            // content type, headers, delivery mode, message id, timestamp, app id
            let flags: u16 = 0b1001_0000_1100_1000 | if has_headers { 0b0010_0000_0000_0000 } else { 0 };
            out.extend_from_slice(&flags.to_be_bytes());
            short("application/json", out);
            if has_headers {
                sized(out, |out| self.write_headers(headers, out));
            }
            // delivery mode 2: persistent
            out.push(2);
            short(self.message_id, out);
            out.extend_from_slice(&self.timestamp.to_be_bytes());
            short(self.app_id, out);
        });
    }

    /// Appends the sender's properties of a forwarded message.
    fn write_properties(&self, original: &SenderProperties, headers: Option<&[NamedHeader]>, out: &mut Vec<u8>) {
        let values = original.values();
        let has_id = !values[Property::MessageId as usize].is_empty();
        let is_there = |at: usize| match at {
            at if at == Property::Headers as usize => headers.is_some(),
            at if at == Property::MessageId as usize => true,
            at => !values[at].is_empty(),
        };
        let flags = (0..COUNT).filter(|at| is_there(*at)).fold(0_u16, |flags, at| flags | 1 << (15 - at));
        out.extend_from_slice(&flags.to_be_bytes());
        for (at, value) in values.into_iter().enumerate() {
            match (at, headers) {
                (at, Some(headers)) if at == Property::Headers as usize => {
                    sized(out, |out| self.write_headers(headers, out));
                }
                (at, _) if at == Property::MessageId as usize && !has_id => short(self.message_id, out),
                _ => out.extend_from_slice(value),
            }
        }
    }

    /// Appends a part of the body.
    pub(crate) fn write_part(&self, channel: u16, frame_max: usize, part: &[u8], out: &mut Vec<u8>) {
        for part in part.chunks(frame_max - HEAD - 1) {
            frame(out, BODY, channel, |out| out.extend_from_slice(part));
        }
    }

    fn write_headers(&self, headers: &[NamedHeader], out: &mut Vec<u8>) {
        for (name, value) in headers {
            header(name, value, out);
        }
        if let Some(trace) = self.trace {
            text(TRACE_PARENT, out, |out| trace.append_parent(out));
            if let Some(state) = trace.state() {
                text(TRACE_STATE, out, |out| out.extend_from_slice(state.as_bytes()));
            }
        }
    }
}

/// Appends `basic.get` with acknowledgement.
pub(crate) fn write_get(channel: u16, queue: &str, out: &mut Vec<u8>) {
    frame(out, METHOD, channel, |out| {
        out.extend_from_slice(&BASIC.to_be_bytes());
        out.extend_from_slice(&GET.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        short(queue, out);
        out.push(0);
    });
}

/// Appends `basic.ack`.
pub(crate) fn write_ack(channel: u16, tag: u64, multiple: bool, out: &mut Vec<u8>) {
    settle(channel, ACK, tag, multiple, out);
}

/// Appends `basic.reject`.
pub(crate) fn write_reject(channel: u16, tag: u64, requeue: bool, out: &mut Vec<u8>) {
    settle(channel, REJECT, tag, requeue, out);
}

fn settle(channel: u16, method: u16, tag: u64, bit: bool, out: &mut Vec<u8>) {
    frame(out, METHOD, channel, |out| {
        out.extend_from_slice(&BASIC.to_be_bytes());
        out.extend_from_slice(&method.to_be_bytes());
        out.extend_from_slice(&tag.to_be_bytes());
        out.push(bit.into());
    });
}

fn frame(out: &mut Vec<u8>, kind: u8, channel: u16, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    out.extend_from_slice(&channel.to_be_bytes());
    sized(out, payload);
    out.push(END);
}

/// Writes a payload after its size in four bytes.
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let size = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    out[at..at + 4].copy_from_slice(&size.to_be_bytes());
}

fn short(text: &str, out: &mut Vec<u8>) {
    let text = truncated(text, SHORT);
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

fn header(name: &str, value: &Header, out: &mut Vec<u8>) {
    match value {
        Header::Text(value) => text(name, out, |out| out.extend_from_slice(value.as_bytes())),
        Header::Number(number) => {
            short(name, out);
            out.push(b'l');
            out.extend_from_slice(&number.to_be_bytes());
        }
        Header::Flag(flag) => {
            short(name, out);
            out.extend_from_slice(&[b't', (*flag).into()]);
        }
        Header::Raw(raw) => {
            short(name, out);
            out.extend_from_slice(raw);
        }
    }
}

fn text(name: &str, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    short(name, out);
    out.push(b'S');
    sized(out, value);
}
