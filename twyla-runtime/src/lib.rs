//! A contract-first event bus: typed events over RabbitMQ or in memory, validated against JSON Schema by sender and receiver.
//!
//! The JSON Schema files of a platform define its events. The `build.rs` of a service compiles them into structs; this crate emits them and
//! passes them to handler functions:
//!
//! ```text
//! mod contracts { twyla_runtime::include_contracts!(); }
//! use contracts::{api::UserInput, bot::Reply, Context};
//! use twyla_runtime::{listener, listeners, Bus, Error};
//!
//! #[listener("api.user_input", group = "consumer")]
//! async fn answer(input: UserInput, context: Context, bus: Bus) -> Result<(), Error> {
//!     bus.emit(Reply::new(format!("you said {}", input.emission)), context).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let bus = Bus::from_env("EVENT_BUS").await?;
//!     bus.service().listeners(listeners![answer]).run().await
//! }
//! ```
//!
//! # Delivery
//!
//! An event for which [`Bus::emit`] has returned `Ok` is handled *at least once* by each group whose queue exists, or dead-lettered with
//! its reason. It never blocks the events behind it. [`mod@delivery`] has the details.
//!
//! # Modules
//!
//! `bus` emits events, [`mod@event`] has the traits that generated types implement, `transport` carries messages in memory or over RabbitMQ,
//! `service` runs handlers, `dead_letter` keeps the events that were not handled. [`mod@rpc`] calls services and serves calls;
//! [`validate`] checks values against their contracts.
#![forbid(unsafe_code)]

mod background;
mod bus;
mod contract;
mod dead_letter;
mod future;
mod progress;
pub mod rpc;
mod service;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod sql;
mod stand_in;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(not(feature = "telemetry"))]
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "rpc-client", feature = "telemetry", feature = "tls"))]
mod tls;
mod transport;
mod truncate;
mod wire;

pub use bus::Bus;
pub use bus::config::{Config, ConfigError, Tls};
pub use bus::emit::Emitting;
pub use bus::error::Error;
pub use contract::session::session_id;
pub use dead_letter::letter::{DeadLetter, DeadViolation, Death, Reason};
pub use dead_letter::triage::{Sort, Sorted};
pub use rpc::{Rpc, Rpcs};
pub use service::Service;
pub use service::ack::{Ack, Decision};
pub use service::batch_fail::BatchFail;
pub use service::breaker::PauseAfter;
pub use service::dedupe::Dedupe;
pub use service::fail::Fail;
pub use service::handler::{Batch, BatchEvent, HandlerList, Listeners};
pub use service::health::Health;
pub use service::meta::{FirstFailure, Meta};
pub use service::rate::Rate;
pub use service::retry::Retry;
pub use service::running::Running;
pub use service::state::State;
pub use telemetry::trace::{NoTraceContext, TraceContext};
pub use transport::QueueKind;
pub use transport::state::{BusState, LinkState};
pub use twyla_codec::{DateTime, InvalidDateTime, InvalidWord, Nullable, event, validate};
#[doc(hidden)]
pub use twyla_codec::{json, record};
pub use uuid::Uuid;
pub use wire::Wire;
// the examples need contracts: they are run by the package `twyla-ui`, which has contracts
#[cfg_attr(not(doctest), doc = include_str!("../docs/event.md"))]
pub use twyla_macros::event;
#[cfg_attr(not(doctest), doc = include_str!("../docs/listener.md"))]
pub use twyla_macros::listener;
#[cfg_attr(not(doctest), doc = include_str!("../docs/rpc_handler.md"))]
pub use twyla_macros::rpc;

#[doc = include_str!("../docs/delivery.md")]
pub mod delivery {}

/// Includes the code that `twyla_build::compile` has generated from the schemas. Call it in a module of its own,
/// `mod contracts { twyla_runtime::include_contracts!(); }`, or in the root of a crate for contracts, on which other crates depend.
pub use twyla_macros::include_contracts;

// defined here, so that `$crate` is the path of the runtime, even if a crate re-exports it under another name
#[cfg_attr(not(doctest), doc = include_str!("../docs/listeners.md"))]
#[macro_export]
macro_rules! listeners {
    ($($handlers:tt)*) => { $crate::__private::listeners!([$crate] $($handlers)*) };
}

#[cfg_attr(not(doctest), doc = include_str!("../docs/rpcs.md"))]
#[macro_export]
macro_rules! rpcs {
    ($($handlers:tt)*) => { $crate::__private::rpcs!([$crate] $($handlers)*) };
}

/// The types of handlers' arguments. This module stands before `__private`, because the compiler shows the first path of a
/// type in its errors.
#[doc(hidden)]
pub mod handler {
    pub use crate::service::handler::*;
}

/// The functions and types that generated code and expanded macros use. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    // generated code
    pub use twyla_codec::__private::*;

    // macros
    pub use twyla_macros::{expand, listeners, rpcs};

    // handlers
    pub use crate::rpc::handler as calls;
    pub use crate::rpc::handler::{CallArgument, Parts as CallParts};
    pub use crate::rpc::protocol::attempt::Answer;
    pub use crate::service::handler::{
        Argument, Arrives, BatchArgument, BatchOf, BatchOutcome, BatchParts, Batching, Content, Entry, Failure, Holds,
        IsAnyEvent, IsEvent, Listed, Listener, Outcome, Parts, Policy, Registration, Verdict, alone, attempt,
        attempt_batch, failed, failed_batch, unlisted,
    };
    pub use crate::service::key_order::key_hash;
    pub use crate::{PauseAfter, Rate, Retry};

    // attributes whose contracts are in another crate
    pub use crate::stand_in::{real as stand_in, unused as no_stand_in};

    // tests
    pub use crate::bus::{publish_message, publish_raw};
}
