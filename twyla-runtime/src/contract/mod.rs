//! Contracts at run time: the traits of events and contexts, the contract records in the binary, and the envelope on the wire.

pub(crate) mod builder;
pub(crate) mod envelope;
pub mod event;
pub(crate) mod otherwise;
#[doc(hidden)]
pub mod record;
pub(crate) mod session;
