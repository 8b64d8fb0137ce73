#![doc = include_str!("../docs/rpc.md")]
//!
//! # The rooms
//!
//! `method` says what a contract is to an RPC. A call walks from `call` (encode, `retry` within a `budget`, decode) as an
//! `ask` by a `route`: in `memory`, or over `http` to where `env`, `place` and, of a resolver, `found` say that a service
//! lives. There `serve` takes it in (limits, deadline), and `handler` decodes it, answers and encodes. HTTP comes in at a
//! `bound` socket and through the `door`, where the `head` of a request is read and its body, for which there is `room`.
//! `problem` is what both sides say of what went wrong, and `wire` how it all is written in headers.

#[doc(hidden)]
pub mod ask;
#[cfg(feature = "rpc-server")]
mod bound;
mod budget;
mod call;
#[cfg(feature = "rpc-client")]
mod config;
#[cfg(feature = "rpc-server")]
mod door;
mod env;
mod error;
#[cfg(feature = "rpc-client")]
mod found;
#[cfg(feature = "rpc-client")]
mod grown;
#[doc(hidden)]
pub mod handler;
#[cfg(feature = "rpc-server")]
mod head;
#[cfg(feature = "rpc-client")]
mod http;
mod memory;
mod meta;
#[doc(hidden)]
pub mod method;
#[cfg(any(feature = "rpc-client", feature = "rpc-server"))]
mod pieces;
#[cfg(feature = "rpc-client")]
mod place;
mod problem;
mod retry;
#[cfg(feature = "rpc-server")]
mod room;
mod route;
mod serve;
mod serving;
mod settings;
mod setup;
mod timer;
#[cfg(feature = "rpc-server")]
mod wait;
#[cfg_attr(
    not(all(feature = "rpc-client", feature = "rpc-server")),
    allow(dead_code, reason = "one side reads what the other writes")
)]
mod wire;
mod written;

#[cfg(feature = "rpc-server")]
pub(crate) use bound::Bound;
pub use call::{Calling, Rpc};
#[cfg(feature = "rpc-client")]
pub use config::Config;
pub use error::{CallError, Side};
pub(crate) use handler::Registration;
pub use handler::Rpcs;
pub use meta::CallMeta;
pub use method::{Body, DomainError, Method, NoError};
#[cfg(feature = "rpc-client")]
pub use place::Resolve;
pub use problem::{Broken, Part, Problem};
pub(crate) use serve::Server;
pub(crate) use serving::Serving;
pub use settings::Serve;
