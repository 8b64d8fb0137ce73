//! The bare variant: structs with the same field types as Twyla's, with serde's derive and nothing else.

#![allow(missing_docs, reason = "the schemas say what each field is")]

pub mod chat;
pub mod cloud_event;
pub mod order;
pub mod pull_request;

use serde::{Deserialize, Deserializer};

/// Distinguishes `null` from an absent member, for types that have both.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
