//! Realistic events: all valid, generated from a seed, with varied lengths and with optional members present or absent.

mod chat;
mod cloud_event;
mod order;
mod pull_request;
mod random;
mod text;

pub(crate) use chat::event as chat;
pub(crate) use cloud_event::event as cloud_event;
pub(crate) use order::event as order;
pub(crate) use pull_request::event as pull_request;
pub(crate) use random::Random;

/// A number of events, the same ones each time.
pub(crate) fn many(count: usize, make: fn(&mut Random) -> String) -> Vec<Vec<u8>> {
    let mut random = Random::new(0x7477_796c_6100);
    (0..count).map(|_| make(&mut random).into_bytes()).collect()
}
