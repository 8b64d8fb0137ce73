//! Parts what a broker sends: the frames of messages go to the channels that ask for them, all others to lapin.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::frame::{self, BODY, HEAD, HEADER, METHOD, Method, Properties};

/// The longest frame that is looked at; brokers allow 128 KiB unless told otherwise, and lapin refuses what is longer.
const LONGEST: usize = 1 << 20;
/// How much room a message gets at once, whatever size it announces.
const ROOM: usize = 1 << 20;

/// A message as the broker hands it over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) tag: u64,
    pub(crate) redelivered: bool,
    pub(crate) exchange: Vec<u8>,
    pub(crate) routing_key: Vec<u8>,
    pub(crate) properties: Properties,
    pub(crate) body: Vec<u8>,
}

/// A channel whose frames go past lapin. It is called by the task that reads, and never waits.
pub(crate) trait Ear: Send + Sync {
    /// A delivery (`basic.deliver`, `basic.get-ok`).
    fn delivered(&self, _message: Message) {}

    /// There is no message to get (`basic.get-empty`).
    fn empty(&self) {}

    /// A message that reached no queue (`basic.return`); its confirm comes behind it.
    fn returned(&self, _message: Message) {}

    /// Confirms one message (`basic.ack`, `basic.nack`), or all up to it if `multiple`.
    fn confirmed(&self, _tag: u64, _multiple: bool, _ack: bool) {}

    /// What came together has been handed over.
    fn pause(&self) {}

    /// The channel or its connection has ended, with the broker's code where it gave one.
    fn ended(&self, code: Option<u16>, why: &str);
}

/// The channels that ask for their frames.
#[derive(Default)]
pub(crate) struct Ears(HashMap<u16, Listener>);

struct Listener {
    ear: Arc<dyn Ear>,
    /// What is being read: a delivery or a returned message.
    partial: Option<Partial>,
    /// Whether it is to be told of the next pause.
    called: bool,
}

/// Whose a frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Lapins,
    /// lapin's, and the channel's last.
    Last,
}

struct Partial {
    message: Message,
    is_return: bool,
    /// How much of the body is to come; none before the content header.
    left: Option<u64>,
}

impl Ears {
    pub(crate) fn add(&mut self, channel: u16, ear: Arc<dyn Ear>) {
        self.0.insert(channel, Listener { ear, partial: None, called: false });
    }

    pub(crate) fn remove(&mut self, channel: u16) {
        self.0.remove(&channel);
    }

    /// The connection has ended.
    pub(crate) fn end(&mut self, why: &str) {
        for (_, listener) in self.0.drain() {
            listener.ear.ended(None, why);
        }
    }

    fn pause(&mut self) {
        for listener in self.0.values_mut() {
            if std::mem::take(&mut listener.called) {
                listener.ear.pause();
            }
        }
    }
}

impl Listener {
    /// Takes a frame if it is for this channel's ear.
    fn take(&mut self, kind: u8, payload: &[u8]) -> Whose {
        match kind {
            METHOD => match Method::read(payload) {
                Some(Method::Deliver { tag, redelivered, exchange, routing_key }) => {
                    let (exchange, routing_key) = (exchange.to_vec(), routing_key.to_vec());
                    let message = Message { tag, redelivered, exchange, routing_key, ..Message::default() };
                    self.partial = Some(Partial { message, is_return: false, left: None });
                }
                Some(Method::Return { exchange, routing_key }) => {
                    let (exchange, routing_key) = (exchange.to_vec(), routing_key.to_vec());
                    let message = Message { exchange, routing_key, ..Message::default() };
                    self.partial = Some(Partial { message, is_return: true, left: None });
                }
                Some(Method::Empty) => self.ear.empty(),
                Some(Method::Confirm { tag, multiple, ack }) => {
                    self.ear.confirmed(tag, multiple, ack);
                    self.called = true;
                }
                Some(Method::Close { code, text }) => {
                    self.ear.ended(Some(code), &String::from_utf8_lossy(text));
                    return Whose::Last;
                }
                Some(Method::Other) | None => return Whose::Lapins,
            },
            HEADER => {
                let Some(partial) = self.partial.as_mut() else { return Whose::Lapins };
                let Some((size, properties)) = frame::content_header(payload) else { return Whose::Lapins };
                partial.message.properties = properties;
                partial.message.body.reserve_exact(usize::try_from(size).unwrap_or(ROOM).min(ROOM));
                partial.left = Some(size);
                self.complete();
            }
            BODY => {
                let Some(Partial { message, left: Some(left), .. }) = self.partial.as_mut() else {
                    return Whose::Lapins;
                };
                message.body.extend_from_slice(payload);
                *left = left.saturating_sub(payload.len() as u64);
                self.complete();
            }
            _ => return Whose::Lapins,
        }
        Whose::Ours
    }

    fn complete(&mut self) {
        let complete = self.partial.take_if(|partial| partial.left == Some(0));
        if let Some(Partial { message, is_return, .. }) = complete {
            if is_return {
                self.ear.returned(message)
            } else {
                self.ear.delivered(message)
            }
            self.called = true;
        }
    }
}

/// Looks at a stream of frames as it comes in.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    /// What was read and not looked at.
    pub(crate) buffer: BytesMut,
    /// How many bytes of the frame that has begun are for lapin, unseen.
    unseen: usize,
}

impl Switch {
    /// Parts what is in the buffer. Says whether a whole number of frames was given to `lapin`.
    pub(crate) fn part(&mut self, ears: &mut Ears, lapin: &mut Vec<u8>) -> bool {
        let mut at = 0;
        loop {
            let ahead = &self.buffer[at..];
            if self.unseen > 0 {
                let passed = self.unseen.min(ahead.len());
                lapin.extend_from_slice(&ahead[..passed]);
                at += passed;
                self.unseen -= passed;
                if self.unseen > 0 {
                    break;
                }
                continue;
            }
            let Some(&[kind, x, y, a, b, c, d]) = ahead.first_chunk::<HEAD>() else { break };
            let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let whole = size.saturating_add(HEAD + 1);
            if !matches!(kind, METHOD | HEADER | BODY) || size > LONGEST {
                self.unseen = whole;
                continue;
            }
            let Some(frame) = ahead.get(..whole) else { break };
            at += whole;
            let payload = &frame[HEAD..whole - 1];
            let channel = u16::from_be_bytes([x, y]);
            match ears.0.get_mut(&channel).map_or(Whose::Lapins, |listener| listener.take(kind, payload)) {
                Whose::Ours => continue,
                Whose::Last => ears.remove(channel),
                Whose::Lapins => {}
            }
            if (channel, kind) == (0, METHOD)
                && let Some(Method::Close { text, .. }) = Method::read(payload)
            {
                ears.end(&String::from_utf8_lossy(text));
            }
            lapin.extend_from_slice(frame);
        }
        self.buffer.advance(at);
        ears.pause();
        self.unseen == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::transport::amqp::io::frame::{BEAT, Publish, write_ack};

    /// What an ear has heard, in words.
    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Heard {
        fn say(&self, what: String) {
            self.0.lock().unwrap().push(what);
        }
    }

    impl Ear for Heard {
        fn delivered(&self, message: Message) {
            self.say(format!("{} {:?}", message.tag, String::from_utf8_lossy(&message.body)));
        }

        fn returned(&self, message: Message) {
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

    /// The content header and the body of a message, behind another method.
    fn message(channel: u16, method: &[u8], body: &[u8]) -> Vec<u8> {
        let publish = Publish {
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
        };
        let mut out = Vec::new();
        publish.write(channel, 12, &mut out);
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

    /// What lapin gets, and what the ears of the channels 1 and 2 hear.
    fn parted(bytes: &[u8], chunk: usize) -> (Vec<u8>, [Vec<String>; 2]) {
        let (mut switch, mut ears, mut lapin) = (Switch::default(), Ears::default(), Vec::new());
        let heard = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        ears.add(1, heard[0].clone());
        ears.add(2, heard[1].clone());
        for chunk in bytes.chunks(chunk) {
            switch.buffer.extend_from_slice(chunk);
            switch.part(&mut ears, &mut lapin);
        }
        lapin.extend_from_slice(&switch.buffer);
        (lapin, heard.map(|heard| std::mem::take(&mut *heard.0.lock().unwrap())))
    }

    #[test]
    fn parts_what_comes_however_it_is_cut() {
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
    fn what_is_no_frame_is_lapins() {
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
