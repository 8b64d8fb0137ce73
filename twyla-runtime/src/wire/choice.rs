//! The form in which a bus writes its events: one for all, with others for single domains or events.

use std::collections::BTreeMap;

/// The form of emitted events on the wire.
///
/// Listeners read all forms, whatever their own service writes. See [`Bus::wire`](crate::Bus::wire).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// Twyla's envelope, `{"event_name", "content", "context", "meta"}`, which the Python original reads too.
    #[default]
    Envelope,
    /// CloudEvents 1.0 in binary mode: the body is the content, and the attributes are headers with the prefix `cloudEvents:`.
    /// An event whose context has more than 2,048 bytes is written in structured mode, because headers have to fit into a frame.
    CloudEventsBinary,
    /// CloudEvents 1.0 in structured mode: the body is the whole event in JSON, `application/cloudevents+json`.
    CloudEventsStructured,
}

/// The forms in which a bus writes its events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wires {
    all: Wire,
    /// The forms of single domains and events, by name.
    named: BTreeMap<String, Wire>,
}

impl Wires {
    /// Returns one form for all events.
    pub(crate) fn all(wire: Wire) -> Self {
        Self { all: wire, named: BTreeMap::new() }
    }

    /// Returns these forms with another one for a domain or an event.
    pub(crate) fn with(&self, name: &str, wire: Wire) -> Self {
        let mut changed = self.clone();
        changed.named.insert(name.to_owned(), wire);
        changed
    }

    /// Returns the form of an event: its own, or else its domain's.
    pub(crate) fn of(&self, event: &str) -> Wire {
        if self.named.is_empty() {
            return self.all;
        }
        let domain = || event.split_once('.').and_then(|(domain, _)| self.named.get(domain));
        self.named.get(event).or_else(domain).copied().unwrap_or(self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_s_own_form_goes_before_its_domain_s() {
        let wires = Wires::all(Wire::CloudEventsBinary)
            .with("shop", Wire::CloudEventsStructured)
            .with("shop.paid", Wire::Envelope);
        assert_eq!(wires.of("shop.paid"), Wire::Envelope);
        assert_eq!(wires.of("shop.paid.twice"), Wire::CloudEventsStructured);
        assert_eq!(wires.of("shopping.paid"), Wire::CloudEventsBinary);
        assert_eq!(Wires::default().of("shop.paid"), Wire::Envelope);
    }
}
