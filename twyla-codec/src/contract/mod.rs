//! The traits that generated code implements, for events, contexts and RPCs, and what hand-written structs are bound with.

pub(crate) mod builder;
pub mod event;
mod generated;
pub(crate) mod method;
mod ordered;
pub(crate) mod otherwise;
pub mod record;
