//! Holds the comparison of contracts to the generated types of both sides: what the producer's encoder writes, the
//! consumer's decoder reads wherever the comparison says that it fits, and it refuses every witness.
#![forbid(unsafe_code)]

use std::fmt::Debug;

use twyla_runtime::event::{Emit, Listen};

/// Two contracts that are compared.
#[derive(Debug)]
pub struct Pair {
    /// Names it.
    pub name: &'static str,
    /// The draft, by the official suite's name for it.
    pub draft: &'static str,
    /// Both contracts.
    pub sides: [Side; 2],
}

/// A contract with its generated type.
#[derive(Debug)]
pub struct Side {
    /// The content's schema.
    pub schema: &'static str,
    /// The contract as it is compared.
    pub bundle: &'static str,
    /// What the type writes of a value; none where it isn't one of the type.
    pub send: fn(&str) -> Option<String>,
    /// Why the type doesn't read a value.
    pub read: fn(&str) -> Result<(), String>,
}

fn send<T: Listen + Emit + Debug>(text: &str) -> Option<String> {
    let value = T::decode(text.as_bytes()).ok()?;
    let mut out = Vec::new();
    value.encode(&mut out).ok()?;
    String::from_utf8(out).ok()
}

fn read<T: Listen>(text: &str) -> Result<(), String> {
    T::decode(text.as_bytes()).map(|_| ()).map_err(|refusal| refusal.to_string())
}

#[allow(warnings, clippy::all, clippy::pedantic, reason = "the code is generated of any schema")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/pairs.rs"));
}

pub use generated::PAIRS;

/// The pairs that were thought of, with whether the first fits the second.
pub const BY_HAND: &[(&str, &str, bool)] = include!("../by_hand.rs");
