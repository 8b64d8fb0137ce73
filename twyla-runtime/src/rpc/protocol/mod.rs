//! The messages between a caller and a service, independent of the transport, and their form in HTTP.

pub mod attempt;
pub(crate) mod encoded;
pub(crate) mod error;
#[cfg_attr(
    not(all(feature = "rpc-client", feature = "rpc-server")),
    allow(dead_code, reason = "the client reads the values that the server writes, and the other way round")
)]
pub(crate) mod headers;
pub(crate) mod meta;
pub(crate) mod problem;
