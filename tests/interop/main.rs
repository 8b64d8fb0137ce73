//! Interoperability with the Python original: events in both directions, and groups with members of both kinds.

mod peer;
mod python_peer;
