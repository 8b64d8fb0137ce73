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
//! `bus` emits events, `contract` is what generated code binds its types to, `transport` carries messages in memory or over RabbitMQ,
//! `service` runs handlers, `dead_letter` keeps what was not handled. [`mod@rpc`] calls services and serves calls; [`validate`] checks
//! values against their contracts.
#![forbid(unsafe_code)]

mod background;
mod bus;
mod contract;
mod dead_letter;
mod future;
mod generated;
mod progress;
pub mod rpc;
mod service;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod sql;
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

pub use bus::Bus;
pub use bus::config::{Config, ConfigError, Tls};
pub use bus::emit::Emitting;
pub use bus::error::Error;
pub use contract::event;
#[doc(hidden)]
pub use contract::record as mark;
pub use contract::session::session_id;
pub use dead_letter::letter::{DeadLetter, DeadViolation, Death, Reason};
pub use dead_letter::triage::{Sort, Sorted};
pub use rpc::{Rpc, Rpcs};
pub use service::Service;
pub use service::ack::{Ack, Decision};
pub use service::dedupe::Dedupe;
pub use service::fail::Fail;
pub use service::handler::{HandlerList, Listeners};
pub use service::health::Health;
pub use service::meta::{FirstFailure, Meta};
pub use service::retry::Retry;
pub use service::running::Running;
pub use service::state::State;
pub use telemetry::trace::{NoTraceContext, TraceContext};
pub use transport::QueueKind;
pub use transport::state::{BusState, LinkState};
#[doc(hidden)]
pub use twyla_codec::json;
pub use twyla_codec::{DateTime, InvalidDateTime, InvalidWord, Nullable, validate};
pub use uuid::Uuid;
// the examples need contracts: the package twyla-ui, which has some, runs them
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

// macros of the runtime, so that they know its path: a crate may re-export it under another name
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

/// The types of handlers' arguments. It comes before `__private`, because the compiler shows the first path of a type in its
/// errors.
#[doc(hidden)]
pub mod handler {
    pub use crate::service::handler::*;
}

/// The functions and types that generated code and expanded macros use. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    // types and their codecs
    pub use twyla_codec::json::foreign::{
        foreign, serializable, write_foreign, write_foreign_extra, write_foreign_member,
    };
    pub use twyla_codec::json::variants::{no_own_member, no_variant_of_value};
    pub use twyla_codec::json::words::no_variant;
    pub use twyla_codec::json::write::write_extra;
    pub use twyla_codec::json::{
        Fault, MemberValue, Names, Read, Reader, Token, Write, close_object, default, required, word, write_member,
        write_str,
    };
    pub use twyla_codec::path::Path;
    pub use twyla_codec::validate::alternatives::one_of;
    pub use twyla_codec::validate::contract::{
        Validate, decode, decode_as, decode_through, encode, encode_as, encode_through,
    };
    pub use twyla_codec::validate::rules::{self, Format, Pattern, Violations};
    pub use twyla_codec::validate::schema;
    pub use twyla_codec::validate::sensitive::Hidden;
    pub use twyla_codec::{__bridge as bridge, __idna as idna, __view as view, __words as words, DateTime, Nullable};
    pub use {chrono, serde, serde_json, uuid};

    // contracts of events and RPCs
    pub use crate::contract::builder::{Built, Complete, Setting, Unset, set};
    pub use crate::contract::event::bound::{DoesFit, Nothing, ReadField, WrittenField, is_absent};
    pub use crate::contract::event::fits::{Either, Fits, Reading, Writing};
    pub use crate::contract::event::kind;
    pub use crate::contract::otherwise::Otherwise;
    pub use crate::contract::record as mark;
    pub use crate::rpc::protocol::method::{Requests, Responds, RpcKey, show_error};
    pub use crate::validate::Refusal;
    pub use crate::{
        __bindable as bindable, __builder as builder, __contract as contract, __mark as mark,
        __rpc_contract as rpc_contract, __rpc_error as rpc_error, __unset as unset,
    };

    // macros
    pub use twyla_macros::{expand, listeners, rpcs};

    // handlers
    pub use crate::Retry;
    pub use crate::rpc::handler as calls;
    pub use crate::rpc::handler::{CallArgument, Parts as CallParts};
    pub use crate::rpc::protocol::attempt::Answer;
    pub use crate::service::handler::{
        Argument, Arrives, Content, Entry, Failure, Holds, IsAnyEvent, IsEvent, Listed, Listener, Outcome, Parts,
        Policy, Registration, Verdict, attempt, failed, unlisted,
    };
    pub use crate::service::key_order::key_hash;

    // the command line and tests
    pub use crate::bus::publish_raw;
    pub use crate::contract::envelope::open as open_envelope;
    pub use twyla_codec::validate::sensitive::masked_message;
}
