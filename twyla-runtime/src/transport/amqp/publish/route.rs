//! Routes, and the routes that the broker is known to accept.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::transport::amqp::io::frame::Publish;
use crate::transport::{Outgoing, PublishTarget};

/// The body size that is assumed to be accepted. If the broker's limit is lower, the first larger message ends the channel and
/// reveals the limit.
const SMALL: usize = 64 * 1024;

/// The destination of a message in AMQP's terms.
pub(crate) struct AmqpRoute<'a> {
    exchange: &'a str,
    key: Cow<'a, str>,
    mandatory: bool,
}

impl<'a> AmqpRoute<'a> {
    pub(crate) fn of(address: &'a PublishTarget) -> Self {
        let queue = |key| Self { exchange: "", key, mandatory: true };
        match address {
            PublishTarget::Event { domain, event_type } => {
                Self { exchange: domain, key: Cow::Borrowed(event_type), mandatory: false }
            }
            PublishTarget::Dead(spec) => queue(Cow::Borrowed(&*spec.dead)),
            PublishTarget::Retry(spec, pause) => queue(Cow::Owned(spec.retry(*pause))),
            PublishTarget::Back(name) => queue(Cow::Borrowed(name)),
        }
    }

    /// Returns the exchange and the routing key.
    pub(crate) fn name(&self) -> (String, String) {
        (self.exchange.to_owned(), self.key.clone().into_owned())
    }

    pub(crate) fn publish(&'a self, message: &'a Outgoing) -> Publish<'a> {
        Publish {
            exchange: self.exchange,
            routing_key: &self.key,
            mandatory: self.mandatory,
            message_id: &message.message_id,
            timestamp: u64::try_from(message.timestamp.timestamp()).unwrap_or_default(),
            app_id: &message.app_id,
            headers: &message.headers,
            trace: message.trace.as_ref(),
            original: message.original.as_deref(),
            body: &message.body,
        }
    }
}

/// The routes and the largest body that the broker has accepted.
#[derive(Debug)]
pub(crate) struct AcceptedRoutes(Mutex<Accepted>);

#[derive(Debug)]
struct Accepted {
    /// The routing keys of each exchange.
    routes: HashMap<String, HashSet<String>>,
    /// The largest body.
    bytes: usize,
}

/// A property of a message that the broker has not accepted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untested {
    Route,
    Size,
}

impl Default for AcceptedRoutes {
    fn default() -> Self {
        Self(Mutex::new(Accepted { routes: HashMap::new(), bytes: SMALL }))
    }
}

impl AcceptedRoutes {
    /// Returns the property of a message of `bytes` that the broker has not accepted yet, if any.
    pub(crate) fn untested(&self, route: &AmqpRoute<'_>, bytes: usize) -> Option<Untested> {
        let taken = self.lock();
        if bytes > taken.bytes {
            Some(Untested::Size)
        } else if taken.has(route) {
            None
        } else {
            Some(Untested::Route)
        }
    }

    pub(crate) fn has(&self, route: &AmqpRoute<'_>) -> bool {
        self.lock().has(route)
    }

    pub(crate) fn add(&self, message: &Outgoing) {
        let route = AmqpRoute::of(&message.to);
        let mut taken = self.lock();
        taken.bytes = taken.bytes.max(message.body.len());
        taken.routes.entry(route.exchange.to_owned()).or_default().insert(route.key.into_owned());
    }

    /// Forgets all routes, after an exchange or a queue has disappeared.
    pub(crate) fn forget_routes(&self) {
        self.lock().routes.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Accepted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accepted {
    fn has(&self, route: &AmqpRoute<'_>) -> bool {
        self.routes.get(route.exchange).is_some_and(|keys| keys.contains(&*route.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event_type: &'static str, bytes: usize) -> Outgoing {
        Outgoing {
            to: PublishTarget::Event { domain: "shop".into(), event_type: event_type.into() },
            body: vec![0; bytes].into(),
            message_id: "id".into(),
            timestamp: chrono::Utc::now(),
            app_id: "test".into(),
            headers: Vec::new(),
            original: None,
            trace: None,
        }
    }

    #[test]
    fn knows_the_accepted_routes_and_sizes() {
        let (accepted, order) = (AcceptedRoutes::default(), message("order", SMALL + 5));
        let route = AmqpRoute::of(&order.to);
        assert_eq!(accepted.untested(&route, 1), Some(Untested::Route));
        assert_eq!(accepted.untested(&route, SMALL + 1), Some(Untested::Size));
        accepted.add(&order);
        assert_eq!(accepted.untested(&route, SMALL + 5), None);
        assert_eq!(accepted.untested(&route, SMALL + 6), Some(Untested::Size));
        // a broker can forbid a single routing key (topic authorisation)
        let other = message("return", 1);
        assert_eq!(accepted.untested(&AmqpRoute::of(&other.to), 1), Some(Untested::Route));
        accepted.forget_routes();
        assert_eq!(accepted.untested(&route, SMALL + 5), Some(Untested::Route));
    }
}
