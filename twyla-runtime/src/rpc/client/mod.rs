//! The RPC client: endpoints of services, calls and retries.

pub(crate) mod budget;
pub(crate) mod call;
#[cfg(feature = "rpc-client")]
pub(crate) mod config;
#[cfg(feature = "rpc-client")]
pub(crate) mod endpoints;
pub(crate) mod env;
#[cfg(feature = "rpc-client")]
pub(crate) mod http;
pub(crate) mod in_process;
#[cfg(feature = "rpc-client")]
pub(crate) mod resolver_cache;
pub(crate) mod retry;
pub(crate) mod route;
pub(crate) mod setup;
