//! The unconfirmed messages of a channel, in the order in which they were written.
//!
//! A returned message (`basic.return`) carries no publish number, only its exchange, routing key and properties. Therefore two
//! messages with the same exchange, routing key and message id are never unconfirmed on one channel at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::attempt::PendingMessage;
use crate::transport::amqp::io::demux;
use crate::transport::amqp::io::frame::Publish;

/// The unconfirmed messages of a channel.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    /// The publish number of the first message; numbers start at 1.
    first: u64,
    messages: VecDeque<Option<Sent>>,
    count: usize,
    /// The messages that the broker may return.
    returnable: HashMap<Arc<ReturnKey>, Arc<PendingMessage>>,
}

#[derive(Debug)]
struct Sent {
    message: Arc<PendingMessage>,
    returnable: Option<Arc<ReturnKey>>,
}

/// Identifies a returned message.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReturnKey {
    exchange: Box<[u8]>,
    routing_key: Box<[u8]>,
    message_id: Box<[u8]>,
}

impl ReturnKey {
    /// Returns the key of a message; `None` if the broker never returns it, because it isn't `mandatory`.
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
    /// Returns the number of unconfirmed messages.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns whether a message with this key is unconfirmed.
    pub(crate) fn has(&self, identity: &ReturnKey) -> bool {
        self.returnable.contains_key(identity)
    }

    /// Adds the next published message.
    pub(crate) fn add(&mut self, message: Arc<PendingMessage>, returnable: Option<Arc<ReturnKey>>) {
        if let Some(identity) = &returnable {
            self.returnable.insert(identity.clone(), message.clone());
        }
        self.messages.push_back(Some(Sent { message, returnable }));
        self.count += 1;
    }

    /// Finds the message that the broker has returned.
    pub(crate) fn returned(&self, returned: &demux::BrokerMessage) -> Option<&Arc<PendingMessage>> {
        let identity = ReturnKey {
            exchange: returned.exchange.as_slice().into(),
            routing_key: returned.routing_key.as_slice().into(),
            message_id: returned.properties.written_id().into(),
        };
        self.returnable.get(&identity)
    }

    /// Removes the message with the publish number `number`, and if `multiple` all before it. Calls `tell` for each.
    pub(crate) fn confirmed(&mut self, number: u64, multiple: bool, mut tell: impl FnMut(&PendingMessage)) {
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

    /// Takes all messages, after the channel has ended.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Arc<PendingMessage>> + use<> {
        std::mem::take(self).messages.into_iter().flatten().map(|sent| sent.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::amqp::io::frame::Properties;
    use crate::transport::amqp::publish::route::AmqpRoute;
    use crate::transport::sender_properties::{Property, SenderProperties};
    use crate::transport::{Outgoing, PublishTarget};

    fn message(queue: &str, id: &str) -> Arc<PendingMessage> {
        let message = PendingMessage::new(Outgoing {
            to: PublishTarget::Back(queue.into()),
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

    fn add(unconfirmed: &mut Unconfirmed, message: &Arc<PendingMessage>) -> bool {
        let route = AmqpRoute::of(&message.outgoing.to);
        let identity = ReturnKey::of(&route.publish(&message.outgoing));
        let free = !identity.as_deref().is_some_and(|identity| unconfirmed.has(identity));
        if free {
            unconfirmed.add(message.clone(), identity);
        }
        free
    }

    fn returned(queue: &str, id: &str) -> demux::BrokerMessage {
        let original = SenderProperties::default().with_text(Property::MessageId, id.as_bytes());
        let properties = Properties { original, ..Properties::default() };
        demux::BrokerMessage { routing_key: queue.into(), properties, ..demux::BrokerMessage::default() }
    }

    #[test]
    fn a_return_identifies_its_message_by_queue_and_id() {
        let mut unconfirmed = Unconfirmed::default();
        let (one, two) = (message("one.dead", "id"), message("two.dead", "id"));
        assert!(add(&mut unconfirmed, &one) && add(&mut unconfirmed, &two));
        let found = unconfirmed.returned(&returned("two.dead", "id")).unwrap();
        assert!(Arc::ptr_eq(found, &two));
        assert!(unconfirmed.returned(&returned("two.dead", "other")).is_none());
        assert!(unconfirmed.returned(&returned("three.dead", "id")).is_none());
    }

    #[test]
    fn two_messages_with_the_same_key_are_not_unconfirmed_at_once() {
        let mut unconfirmed = Unconfirmed::default();
        let (first, second) = (message("one.dead", "id"), message("one.dead", "id"));
        assert!(add(&mut unconfirmed, &first));
        assert!(!add(&mut unconfirmed, &second));
        unconfirmed.confirmed(1, false, |_| {});
        assert!(add(&mut unconfirmed, &second));
        // an id longer than a short string is cut
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
