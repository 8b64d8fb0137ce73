#![doc = include_str!("../../docs/rpc.md")]

pub(crate) mod client;
#[doc(hidden)]
pub mod handler;
#[doc(hidden)]
pub mod protocol;
pub(crate) mod server;

pub use client::call::{Calling, Rpc};
#[cfg(feature = "rpc-client")]
pub use client::config::Config;
#[cfg(feature = "rpc-client")]
pub use client::endpoints::Resolve;
pub(crate) use handler::Registration;
pub use handler::Rpcs;
pub use protocol::error::{CallError, Side};
pub use protocol::meta::CallMeta;
pub use protocol::problem::{Broken, Part, Problem};
pub(crate) use server::dispatch::Server;
#[cfg(feature = "rpc-server")]
pub(crate) use server::listener::HttpListener;
pub(crate) use server::serving::ServerSetup;
pub use server::settings::Serve;
pub use twyla_codec::rpc::{Body, DomainError, Method, NoError};
