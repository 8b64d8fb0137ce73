//! The RPC server: limits, deadlines and the HTTP endpoint.

pub(crate) mod dispatch;
#[cfg(feature = "rpc-server")]
pub(crate) mod endpoint;
#[cfg(feature = "rpc-server")]
pub(crate) mod head;
#[cfg(feature = "rpc-server")]
pub(crate) mod listener;
pub(crate) mod serving;
pub(crate) mod settings;
