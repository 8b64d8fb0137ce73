//! The processes of a run, on which faults act.

use std::io;
use std::time::Duration;

use super::children::{Nursery, Running};
use super::proxy::Proxy;
use crate::broker::Broker;

/// The brokers, the network, and the processes that use them.
pub(super) struct Stage {
    pub(super) nodes: Vec<Broker>,
    pub(super) proxy: Proxy,
    pub(super) nursery: Nursery,
    pub(super) consumers: Vec<(&'static str, Running)>,
    /// The number of slow events that were emitted.
    pub(super) slow: u32,
    /// The number of published events that break their contract.
    pub(super) broken: u32,
}

impl Stage {
    /// Emits events whose handlers take `time`.
    pub(super) fn slow(&mut self, events: u32, time: Duration) -> io::Result<()> {
        let (name, keys) = (format!("slow{}", self.slow), events.to_string());
        let seconds = time.as_secs().to_string();
        self.nursery.helper(&["produce-slow", &name, "--keys", &keys, "--seconds", &seconds])?.end()?;
        self.slow += events;
        Ok(())
    }

    /// Publishes events that break their contract.
    pub(super) fn broken(&mut self, events: u32) -> io::Result<()> {
        let (name, count) = (format!("broken{}", self.broken), events.to_string());
        self.nursery.helper(&["produce-broken", &name, "--events", &count])?.end()?;
        self.broken += events;
        Ok(())
    }
}
