//! Demultiplexes incoming frames: message frames go to the channel's frame handler, all others to lapin.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::frame::{self, BODY, HEAD, HEADER, IncomingMethod, METHOD, Properties};

/// The longest frame that is parsed here; longer ones go to lapin, which refuses them. The brokers' default is 128 KiB.
const LONGEST: usize = 1 << 20;
/// The maximum number of bytes reserved for a body in advance, even if the content header announces more.
const ROOM: usize = 1 << 20;

/// A complete message from the broker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BrokerMessage {
    pub(crate) tag: u64,
    pub(crate) redelivered: bool,
    pub(crate) exchange: Vec<u8>,
    pub(crate) routing_key: Vec<u8>,
    pub(crate) properties: Properties,
    pub(crate) body: Vec<u8>,
}

/// Handles the frames of one channel that bypass lapin. Called by the reading task, so it must not block.
pub(crate) trait FrameHandler: Send + Sync {
    /// Handles a delivery (`basic.deliver`, `basic.get-ok`).
    fn delivered(&self, _message: BrokerMessage) {}

    /// Handles the answer that the queue is empty (`basic.get-empty`).
    fn empty(&self) {}

    /// Handles a message that reached no queue (`basic.return`); its confirm follows.
    fn returned(&self, _message: BrokerMessage) {}

    /// Handles a confirm (`basic.ack`, `basic.nack`) of one message, or of all up to it if `multiple`.
    fn confirmed(&self, _tag: u64, _multiple: bool, _ack: bool) {}

    /// Called when all frames that arrived together have been handled.
    fn pause(&self) {}

    /// Called when the channel or its connection has ended, with the broker's code if it sent one.
    fn ended(&self, code: Option<u16>, why: &str);
}

/// The frame handlers of a connection, by channel.
#[derive(Default)]
pub(crate) struct FrameHandlers(HashMap<u16, ChannelEntry>);

struct ChannelEntry {
    handler: Arc<dyn FrameHandler>,
    /// The delivery or returned message that is still arriving.
    partial: Option<PartialMessage>,
    /// Whether the handler was called since the last pause.
    needs_pause: bool,
}

/// The recipient of a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recipient {
    Handler,
    Lapin,
    /// lapin, with the last frame of the channel.
    LapinLast,
}

struct PartialMessage {
    message: BrokerMessage,
    is_return: bool,
    /// The remaining bytes of the body; `None` before the content header.
    left: Option<u64>,
}

impl FrameHandlers {
    pub(crate) fn add(&mut self, channel: u16, handler: Arc<dyn FrameHandler>) {
        self.0.insert(channel, ChannelEntry { handler, partial: None, needs_pause: false });
    }

    pub(crate) fn remove(&mut self, channel: u16) {
        self.0.remove(&channel);
    }

    /// Notifies all handlers that the connection has ended.
    pub(crate) fn end(&mut self, why: &str) {
        for (_, entry) in self.0.drain() {
            entry.handler.ended(None, why);
        }
    }

    fn pause(&mut self) {
        for entry in self.0.values_mut() {
            if std::mem::take(&mut entry.needs_pause) {
                entry.handler.pause();
            }
        }
    }
}

impl ChannelEntry {
    /// Handles a frame if it is for this channel's handler. Returns the frame's recipient.
    fn take(&mut self, kind: u8, payload: &[u8]) -> Recipient {
        match kind {
            METHOD => match IncomingMethod::read(payload) {
                Some(IncomingMethod::Deliver { tag, redelivered, exchange, routing_key }) => {
                    let (exchange, routing_key) = (exchange.to_vec(), routing_key.to_vec());
                    let message = BrokerMessage { tag, redelivered, exchange, routing_key, ..BrokerMessage::default() };
                    self.partial = Some(PartialMessage { message, is_return: false, left: None });
                }
                Some(IncomingMethod::Return { exchange, routing_key }) => {
                    let (exchange, routing_key) = (exchange.to_vec(), routing_key.to_vec());
                    let message = BrokerMessage { exchange, routing_key, ..BrokerMessage::default() };
                    self.partial = Some(PartialMessage { message, is_return: true, left: None });
                }
                Some(IncomingMethod::Empty) => self.handler.empty(),
                Some(IncomingMethod::Confirm { tag, multiple, ack }) => {
                    self.handler.confirmed(tag, multiple, ack);
                    self.needs_pause = true;
                }
                Some(IncomingMethod::Close { code, text }) => {
                    self.handler.ended(Some(code), &String::from_utf8_lossy(text));
                    return Recipient::LapinLast;
                }
                Some(IncomingMethod::Other) | None => return Recipient::Lapin,
            },
            HEADER => {
                let Some(partial) = self.partial.as_mut() else { return Recipient::Lapin };
                let Some((size, properties)) = frame::content_header(payload) else { return Recipient::Lapin };
                partial.message.properties = properties;
                partial.message.body.reserve_exact(usize::try_from(size).unwrap_or(ROOM).min(ROOM));
                partial.left = Some(size);
                self.complete();
            }
            BODY => {
                let Some(PartialMessage { message, left: Some(left), .. }) = self.partial.as_mut() else {
                    return Recipient::Lapin;
                };
                message.body.extend_from_slice(payload);
                *left = left.saturating_sub(payload.len() as u64);
                self.complete();
            }
            _ => return Recipient::Lapin,
        }
        Recipient::Handler
    }

    fn complete(&mut self) {
        let complete = self.partial.take_if(|partial| partial.left == Some(0));
        if let Some(PartialMessage { message, is_return, .. }) = complete {
            if is_return {
                self.handler.returned(message)
            } else {
                self.handler.delivered(message)
            }
            self.needs_pause = true;
        }
    }
}

/// Splits an incoming stream of frames.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    /// Bytes that are read but not yet parsed.
    pub(crate) buffer: BytesMut,
    /// How many bytes of the current frame go to lapin unparsed.
    passthrough: usize,
}

impl Demux {
    /// Splits the buffered bytes. Returns whether `lapin` received a whole number of frames.
    pub(crate) fn split(&mut self, handlers: &mut FrameHandlers, lapin: &mut Vec<u8>) -> bool {
        let mut at = 0;
        loop {
            let ahead = &self.buffer[at..];
            if self.passthrough > 0 {
                let passed = self.passthrough.min(ahead.len());
                lapin.extend_from_slice(&ahead[..passed]);
                at += passed;
                self.passthrough -= passed;
                if self.passthrough > 0 {
                    break;
                }
                continue;
            }
            let Some(&[kind, x, y, a, b, c, d]) = ahead.first_chunk::<HEAD>() else { break };
            let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let whole = size.saturating_add(HEAD + 1);
            if !matches!(kind, METHOD | HEADER | BODY) || size > LONGEST {
                self.passthrough = whole;
                continue;
            }
            let Some(frame) = ahead.get(..whole) else { break };
            at += whole;
            let payload = &frame[HEAD..whole - 1];
            let channel = u16::from_be_bytes([x, y]);
            match handlers.0.get_mut(&channel).map_or(Recipient::Lapin, |entry| entry.take(kind, payload)) {
                Recipient::Handler => continue,
                Recipient::LapinLast => handlers.remove(channel),
                Recipient::Lapin => {}
            }
            if (channel, kind) == (0, METHOD)
                && let Some(IncomingMethod::Close { text, .. }) = IncomingMethod::read(payload)
            {
                handlers.end(&String::from_utf8_lossy(text));
            }
            lapin.extend_from_slice(frame);
        }
        self.buffer.advance(at);
        handlers.pause();
        self.passthrough == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::transport::amqp::io::frame::{BEAT, Publish, write_ack};

    /// Records the calls of a frame handler as text.
    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Heard {
        fn say(&self, what: String) {
            self.0.lock().unwrap().push(what);
        }
    }

    impl FrameHandler for Heard {
        fn delivered(&self, message: BrokerMessage) {
            self.say(format!("{} {:?}", message.tag, String::from_utf8_lossy(&message.body)));
        }

        fn returned(&self, message: BrokerMessage) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (exchange, key) = (text(&message.exchange), text(&message.routing_key));
            self.say(format!("back {exchange} {key} {:?}", message.properties.message_id));
        }

        fn confirmed(&self, tag: u64, multiple: bool, ack: bool) {
            self.say(format!("{tag} {multiple} {ack}"));
        }

        fn ended(&self, code: Option<u16>, why: &str) {
            self.say(format!("{code:?} {why}"));
        }
    }

    fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[kind], &channel.to_be_bytes()[..], &size, payload, &[frame::END]].concat()
    }

    /// Returns the frames of a message: `method`, the content header and the body.
    fn message(channel: u16, method: &[u8], body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Publish::short(body).write(channel, 12, &mut out);
        let size = u32::from_be_bytes(out[3..7].try_into().unwrap()) as usize;
        [frame(METHOD, channel, method), out.split_off(size + HEAD + 1)].concat()
    }

    fn deliver(channel: u16, tag: u8, body: &[u8]) -> Vec<u8> {
        let method = [&b"\x00\x3c\x00\x3c\x01c\0\0\0\0\0\0\0"[..], &[tag], b"\x00\x01e\x01k"].concat();
        message(channel, &method, body)
    }

    fn returned(channel: u16) -> Vec<u8> {
        message(channel, b"\x00\x3c\x00\x32\x01\x38\x03not\x01e\x01k", b"[]")
    }

    fn close(channel: u16, class: u8, method: u8, why: &str) -> Vec<u8> {
        let text = [&[u8::try_from(why.len()).unwrap()], why.as_bytes(), &[0; 4]].concat();
        frame(METHOD, channel, &[&[0, class, 0, method, 1, 0x94][..], &text].concat())
    }

    fn ack(channel: u16, tag: u64) -> Vec<u8> {
        let mut out = Vec::new();
        write_ack(channel, tag, true, &mut out);
        out
    }

    /// Returns the bytes for lapin, and the recorded calls of the handlers of channels 1 and 2.
    fn parted(bytes: &[u8], chunk: usize) -> (Vec<u8>, [Vec<String>; 2]) {
        let (mut demux, mut handlers, mut lapin) = (Demux::default(), FrameHandlers::default(), Vec::new());
        let heard = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        handlers.add(1, heard[0].clone());
        handlers.add(2, heard[1].clone());
        for chunk in bytes.chunks(chunk) {
            demux.buffer.extend_from_slice(chunk);
            demux.split(&mut handlers, &mut lapin);
        }
        lapin.extend_from_slice(&demux.buffer);
        (lapin, heard.map(|heard| std::mem::take(&mut *heard.0.lock().unwrap())))
    }

    #[test]
    fn splits_frames_at_any_read_boundary() {
        let declare_ok = frame(METHOD, 1, &[0, 50, 0, 11, 0]);
        let bytes = [
            &deliver(1, 7, b"{\"a\": \"long enough for several frames\"}")[..],
            &BEAT,
            &deliver(2, 8, b""),
            &declare_ok,
            &ack(2, 3),
            &deliver(3, 1, b"lapin's"),
            &returned(2),
            &close(2, 20, 40, "gone"),
            &deliver(2, 9, b"[]"),
            &close(0, 10, 50, "bye"),
        ]
        .concat();
        let mut cut = BEAT.to_vec();
        cut.extend([declare_ok, deliver(3, 1, b"lapin's"), close(2, 20, 40, "gone")].concat());
        cut.extend([deliver(2, 9, b"[]"), close(0, 10, 50, "bye")].concat());
        for chunk in 1..=bytes.len() {
            let (lapin, [one, two]) = parted(&bytes, chunk);
            assert_eq!(lapin, cut, "cut by {chunk}");
            assert_eq!(one, ["7 \"{\\\"a\\\": \\\"long enough for several frames\\\"}\"", "None bye"]);
            assert_eq!(two, ["8 \"\"", "3 true true", "back e k Some(\"id\")", "Some(404) gone"]);
        }
    }

    #[test]
    fn bytes_that_are_not_frames_go_to_lapin() {
        for bytes in [&b"AMQP\0\0\x09\x01"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x01\0", b""] {
            assert_eq!(parted(bytes, 2).0, bytes);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
            parted(&bytes, chunk);
            let framed = [deliver(1, 1, &bytes), frame(METHOD, 1, &bytes), frame(HEADER, 1, &bytes)].concat();
            parted(&framed, chunk);
        }
    }
}
