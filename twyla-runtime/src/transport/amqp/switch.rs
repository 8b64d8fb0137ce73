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
                Some(Method::Return) => {
                    self.partial = Some(Partial { message: Message::default(), is_return: true, left: None });
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
                let Some(Partial { message, left: Some(left), .. }) = self.partial.as_mut() else { return Whose::Lapins };
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
            if is_return { self.ear.returned(message) } else { self.ear.delivered(message) }
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
