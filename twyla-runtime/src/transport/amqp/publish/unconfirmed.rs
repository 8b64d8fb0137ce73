//! The messages of a channel that the broker has not confirmed, in the order in which they were written.
//!
//! A returned message (`basic.return`) names no publish: it has the exchange, the routing key and the properties that it was
//! published with. So two messages that would look the same when they come back are never unconfirmed on one channel at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::attempt::Message;
use crate::transport::amqp::io::demux;
use crate::transport::amqp::io::frame::Publish;

/// What is unconfirmed on a channel.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    /// The number of the first; a channel counts its messages from 1 on.
    first: u64,
    messages: VecDeque<Option<Sent>>,
    count: usize,
    /// Those that the broker may return.
    returnable: HashMap<Arc<Identity>, Arc<Message>>,
}

#[derive(Debug)]
struct Sent {
    message: Arc<Message>,
    returnable: Option<Arc<Identity>>,
}

/// What a returned message is known by.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    exchange: Box<[u8]>,
    routing_key: Box<[u8]>,
    message_id: Box<[u8]>,
}

impl Identity {
    /// That of a message that the broker may return.
    pub(crate) fn of(publish: &Publish<'_>) -> Option<Arc<Self>> {
        publish.mandatory.then(|| {
            Arc::new(Self {
                exchange: publish.exchange.as_bytes().into(),
                routing_key: publish.routing_key.as_bytes().into(),
                message_id: publish.written_id().into(),
            })
        })
    }
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self { first: 1, messages: VecDeque::new(), count: 0, returnable: HashMap::new() }
    }
}

impl Unconfirmed {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether a message is unconfirmed that would look the same if the broker returned it.
    pub(crate) fn has(&self, identity: &Identity) -> bool {
        self.returnable.contains_key(identity)
    }

    /// Adds the message that is published next.
    pub(crate) fn add(&mut self, message: Arc<Message>, returnable: Option<Arc<Identity>>) {
        if let Some(identity) = &returnable {
            self.returnable.insert(identity.clone(), message.clone());
        }
        self.messages.push_back(Some(Sent { message, returnable }));
        self.count += 1;
    }

    /// The message that the broker has returned.
    pub(crate) fn returned(&self, returned: &demux::Message) -> Option<&Arc<Message>> {
        let identity = Identity {
            exchange: returned.exchange.as_slice().into(),
            routing_key: returned.routing_key.as_slice().into(),
            message_id: returned.properties.written_id().into(),
        };
        self.returnable.get(&identity)
    }

    /// Takes out what the broker has confirmed: one message, or all up to it.
    pub(crate) fn confirmed(&mut self, number: u64, multiple: bool, mut tell: impl FnMut(&Message)) {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        let Some(at) = at.filter(|at| *at < self.messages.len()) else { return };
        let from = if multiple { 0 } else { at };
        for sent in self.messages.range_mut(from..=at) {
            let Some(Sent { message, returnable }) = sent.take() else { continue };
            self.count -= 1;
            if let Some(identity) = returnable {
                self.returnable.remove(&identity);
            }
            tell(&message);
        }
        while let Some(None) = self.messages.front() {
            self.messages.pop_front();
            self.first += 1;
        }
    }

    /// Takes out all of a channel that has ended.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Arc<Message>> + use<> {
        std::mem::take(self).messages.into_iter().flatten().map(|sent| sent.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::amqp::io::frame::Properties;
    use crate::transport::amqp::publish::route::Route;
    use crate::transport::sender_properties::{Original, Property};
    use crate::transport::{Address, Outgoing};

    fn message(queue: &str, id: &str) -> Arc<Message> {
        let message = Message::new(Outgoing {
            to: Address::Back(queue.into()),
            body: bytes::Bytes::new(),
            message_id: id.into(),
            timestamp: chrono::Utc::now(),
            app_id: "test".into(),
            headers: Vec::new(),
            original: None,
            trace: None,
        });
        assert!(message.begin());
        Arc::new(message)
    }

    fn add(unconfirmed: &mut Unconfirmed, message: &Arc<Message>) -> bool {
        let route = Route::of(&message.outgoing.to);
        let identity = Identity::of(&route.publish(&message.outgoing));
        let free = !identity.as_deref().is_some_and(|identity| unconfirmed.has(identity));
        if free {
            unconfirmed.add(message.clone(), identity);
        }
        free
    }

    fn returned(queue: &str, id: &str) -> demux::Message {
        let original = Original::default().with_text(Property::MessageId, id.as_bytes());
        let properties = Properties { original, ..Properties::default() };
        demux::Message { routing_key: queue.into(), properties, ..demux::Message::default() }
    }

    #[test]
    fn a_return_is_of_the_message_with_its_queue_and_its_id() {
        let mut unconfirmed = Unconfirmed::default();
        let (one, two) = (message("one.dead", "id"), message("two.dead", "id"));
        assert!(add(&mut unconfirmed, &one) && add(&mut unconfirmed, &two));
        let found = unconfirmed.returned(&returned("two.dead", "id")).unwrap();
        assert!(Arc::ptr_eq(found, &two));
        assert!(unconfirmed.returned(&returned("two.dead", "other")).is_none());
        assert!(unconfirmed.returned(&returned("three.dead", "id")).is_none());
    }

    #[test]
    fn two_that_look_the_same_are_not_unconfirmed_at_once() {
        let mut unconfirmed = Unconfirmed::default();
        let (first, second) = (message("one.dead", "id"), message("one.dead", "id"));
        assert!(add(&mut unconfirmed, &first));
        assert!(!add(&mut unconfirmed, &second));
        unconfirmed.confirmed(1, false, |_| {});
        assert!(add(&mut unconfirmed, &second));
        // An id as long as a short string can't hold is cut there.
        let (long, longer) = (message("one.dead", &"i".repeat(255)), message("one.dead", &"i".repeat(256)));
        assert!(add(&mut unconfirmed, &long));
        assert!(!add(&mut unconfirmed, &longer));
    }

    #[test]
    fn confirms_one_or_all_up_to_it() {
        let mut unconfirmed = Unconfirmed::default();
        let all: Vec<_> = (0..6).map(|n| message("one", &n.to_string())).collect();
        assert!(all.iter().all(|message| add(&mut unconfirmed, message)));
        let mut confirm = |number, multiple| {
            let mut ids = Vec::new();
            unconfirmed.confirmed(number, multiple, |message| ids.push(message.outgoing.message_id.to_string()));
            ids
        };
        assert_eq!(confirm(2, false), ["1"]);
        assert_eq!(confirm(2, false), [""; 0]);
        assert_eq!(confirm(4, true), ["0", "2", "3"]);
        for nonsense in [0, 3, 7, u64::MAX] {
            assert_eq!(confirm(nonsense, true), [""; 0], "{nonsense}");
        }
        assert_eq!(unconfirmed.count(), 2);
        assert_eq!(unconfirmed.take().count(), 2);
        assert!(unconfirmed.returned(&returned("one", "5")).is_none());
    }
}
