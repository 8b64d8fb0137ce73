//! What generated code binds its types to: events and their context, the record of a contract in the binary, and the envelope on the wire.

pub(crate) mod envelope;
pub mod event;
pub(crate) mod otherwise;
#[doc(hidden)]
pub mod record;
pub(crate) mod session;
