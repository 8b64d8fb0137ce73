//! A platform that moves one service at a time: events to and from the Python original, and groups shared with it.

mod peer;
mod python_peer;
