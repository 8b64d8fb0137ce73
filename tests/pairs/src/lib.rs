//! Checks the comparison of contracts against the generated types of both sides: the consumer's decoder reads
//! everything that the producer's encoder writes if the comparison says that it fits, and refuses every witness.
#![forbid(unsafe_code)]

use std::fmt::Debug;

use twyla_runtime::event::{Emit, Listen};

/// Two contracts to compare.
#[derive(Debug)]
pub struct Pair {
    /// The name of the pair.
    pub name: &'static str,
    /// The draft, by the official suite's name.
    pub draft: &'static str,
    /// Both contracts.
    pub sides: [Side; 2],
}

/// A contract with its generated type.
#[derive(Debug)]
pub struct Side {
    /// The content's schema.
    pub schema: &'static str,
    /// The contract for the comparison.
    pub bundle: &'static str,
    /// Encodes a value with the type; none if the type refuses it.
    pub send: fn(&str) -> Option<String>,
    /// Why the type refuses a value.
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

/// The handwritten pairs, with whether the first fits the second.
pub const BY_HAND: &[(&str, &str, bool)] = include!("../by_hand.rs");
