//! Where messages go, and which of that the broker is known to take.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::transport::amqp::io::frame::Publish;
use crate::transport::{Address, Outgoing};

/// Bodies of up to so many bytes are taken to fit. If a broker's limit is lower, the first larger one ends the channel, and
/// the limit is known from then on.
const SMALL: usize = 64 * 1024;

/// Where a message goes, in AMQP's terms.
pub(crate) struct Route<'a> {
    exchange: &'a str,
    key: Cow<'a, str>,
    mandatory: bool,
}

impl<'a> Route<'a> {
    pub(crate) fn of(address: &'a Address) -> Self {
        let queue = |key| Self { exchange: "", key, mandatory: true };
        match address {
            Address::Event { domain, event_type } => {
                Self { exchange: domain, key: Cow::Borrowed(event_type), mandatory: false }
            }
            Address::Dead(spec) => queue(Cow::Borrowed(&*spec.dead)),
            Address::Retry(spec, pause) => queue(Cow::Owned(spec.retry(*pause))),
            Address::Back(name) => queue(Cow::Borrowed(name)),
        }
    }

    /// Its exchange and routing key.
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

/// What the broker has taken.
#[derive(Debug)]
pub(crate) struct Proven(Mutex<Taken>);

#[derive(Debug)]
struct Taken {
    /// The routing keys of each exchange.
    routes: HashMap<String, HashSet<String>>,
    /// The largest body.
    bytes: usize,
}

/// What isn't known to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum New {
    Route,
    Size,
}

impl Default for Proven {
    fn default() -> Self {
        Self(Mutex::new(Taken { routes: HashMap::new(), bytes: SMALL }))
    }
}

impl Proven {
    /// What is new of a message of so many bytes, if anything.
    pub(crate) fn lacks(&self, route: &Route<'_>, bytes: usize) -> Option<New> {
        let taken = self.lock();
        if bytes > taken.bytes {
            Some(New::Size)
        } else if taken.has(route) {
            None
        } else {
            Some(New::Route)
        }
    }

    pub(crate) fn has(&self, route: &Route<'_>) -> bool {
        self.lock().has(route)
    }

    pub(crate) fn add(&self, message: &Outgoing) {
        let route = Route::of(&message.to);
        let mut taken = self.lock();
        taken.bytes = taken.bytes.max(message.body.len());
        taken.routes.entry(route.exchange.to_owned()).or_default().insert(route.key.into_owned());
    }

    /// An exchange or a queue may be gone.
    pub(crate) fn forget_routes(&self) {
        self.lock().routes.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn has(&self, route: &Route<'_>) -> bool {
        self.routes.get(route.exchange).is_some_and(|keys| keys.contains(&*route.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event_type: &'static str, bytes: usize) -> Outgoing {
        Outgoing {
            to: Address::Event { domain: "shop".into(), event_type: event_type.into() },
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
    fn knows_the_routes_and_sizes_that_were_taken() {
        let (proven, order) = (Proven::default(), message("order", SMALL + 5));
        let route = Route::of(&order.to);
        assert_eq!(proven.lacks(&route, 1), Some(New::Route));
        assert_eq!(proven.lacks(&route, SMALL + 1), Some(New::Size));
        proven.add(&order);
        assert_eq!(proven.lacks(&route, SMALL + 5), None);
        assert_eq!(proven.lacks(&route, SMALL + 6), Some(New::Size));
        // A broker may forbid one routing key of an exchange.
        let other = message("return", 1);
        assert_eq!(proven.lacks(&Route::of(&other.to), 1), Some(New::Route));
        proven.forget_routes();
        assert_eq!(proven.lacks(&route, SMALL + 5), Some(New::Route));
    }
}
