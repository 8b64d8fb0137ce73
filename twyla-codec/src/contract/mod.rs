//! The traits that generated code implements for events, contexts and RPCs, and the items that bind hand-written
//! structs.

pub(crate) mod builder;
pub mod event;
mod generated;
pub(crate) mod method;
pub(crate) mod ordered;
pub(crate) mod otherwise;
pub mod record;
