//! A contract-first event bus: typed events over RabbitMQ, or in memory, held to JSON Schema on both ways.
//!
//! The JSON Schema files of a platform say what its events look like. A service's `build.rs` compiles them into typed
//! structs; this crate emits those and hands them to handler functions:
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
//! # What is promised about delivery
//!
//! What [`Bus::emit`] has returned `Ok` for is handled *at least once* by each group whose queue was there, or set aside with its
//! reason; it never stops the events behind it. [`mod@delivery`] says it in full.
//!
//! # The rooms
//!
//! In the order in which an event walks through them: [`bus`](Bus) emits it; `wire` writes its envelope; `transport`
//! carries it (`memory`, or `amqp`); `drain` takes it for a [`Service`]; `attempt` reads the envelope and calls the
//! handler, as often as [`Retry`] says, each event once with [`Dedupe`]; [`ack`](Ack) decides; `aside` parks it or postpones it. [`mod@rpc`] is the
//! house of calls from service to service. [`mod@event`] says what contracts are to
//! the bus; generated types read and write themselves with `json`, and [`validate`] holds them to their rules.
#![forbid(unsafe_code)]

mod ack;
mod aside;
mod attempt;
mod batch;
mod beside;
mod bus;
mod config;
mod dead;
mod dedupe;
mod drain;
mod emitting;
mod ending;
mod error;
pub mod event;
mod fail;
mod figures;
mod future;
#[doc(hidden)]
pub mod handler;
mod health;
mod hold;
mod hold_state;
mod isolate;
mod lanes;
mod listening;
#[doc(hidden)]
pub mod mark;
mod meta;
mod pace;
mod park;
mod phase;
mod progress;
mod recall;
mod retry;
pub mod rpc;
mod running;
mod runs;
mod service;
mod session;
mod shared;
mod signals;
mod slow;
mod span;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod sql;
mod state;
mod store_state;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod transport;
#[cfg(any(feature = "rpc-client", feature = "telemetry", feature = "tls"))]
mod trust;
mod verdict;
mod wire;

pub use ack::{Ack, Decision};
pub use bus::Bus;
pub use config::{Config, ConfigError, Tls};
pub use dead::{Sort, Sorted};
pub use dedupe::Dedupe;
pub use emitting::Emitting;
pub use error::Error;
pub use fail::Fail;
pub use handler::Listeners;
pub use health::Health;
pub use meta::{FirstFailure, Meta};
pub use park::{DeadLetter, DeadViolation, Death, Reason};
pub use retry::Retry;
pub use rpc::{Rpc, Rpcs};
pub use running::Running;
pub use service::Service;
pub use session::session_id;
pub use state::State;
pub use trace::{NoTraceContext, TraceContext};
pub use transport::QueueKind;
pub use transport::state::{BusState, LinkState};
#[doc(hidden)]
pub use twyla_codec::json;
pub use twyla_codec::{DateTime, InvalidDateTime, validate};
pub use uuid::Uuid;
// the examples need contracts: the package twyla-ui, which has some, runs them
#[cfg_attr(not(doctest), doc = include_str!("../docs/event.md"))]
pub use twyla_macros::event;
#[cfg_attr(not(doctest), doc = include_str!("../docs/listener.md"))]
pub use twyla_macros::listener;
#[cfg_attr(not(doctest), doc = include_str!("../docs/listeners.md"))]
pub use twyla_macros::listeners;
#[cfg_attr(not(doctest), doc = include_str!("../docs/rpc_handler.md"))]
pub use twyla_macros::rpc;
#[cfg_attr(not(doctest), doc = include_str!("../docs/rpcs.md"))]
pub use twyla_macros::rpcs;

#[doc = include_str!("../docs/delivery.md")]
pub mod delivery {}

/// Includes the code that `twyla_build::compile` has generated from the schemas: to be called in a module of its own,
/// `mod contracts { twyla_runtime::include_contracts!(); }`.
#[macro_export]
macro_rules! include_contracts {
    () => {
        include!(concat!(
            env!(
                "OUT_DIR",
                "this crate has no `build.rs`, so its schemas are not compiled: add one with \
                 `fn main() { twyla_build::compile(\"schemas\") }`"
            ),
            "/twyla.rs"
        ));
    };
}

/// What the code that `twyla-build` generates and the macros expand to calls. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    // types and their codecs
    pub use twyla_codec::json::words::no_variant;
    pub use twyla_codec::json::write::write_extra;
    pub use twyla_codec::json::{
        Fault, Names, Read, Reader, Write, close_object, default, required, word, write_member, write_str,
    };
    pub use twyla_codec::path::Path;
    pub use twyla_codec::validate::contract::{Validate, decode, decode_as, encode, encode_as};
    pub use twyla_codec::validate::rules::{self, Format, Pattern, Violations};
    pub use twyla_codec::validate::schema;
    pub use twyla_codec::validate::sensitive::Hidden;
    pub use twyla_codec::{__bridge as bridge, __idna as idna, __view as view, DateTime};
    pub use {chrono, serde, serde_json, uuid};

    // contracts of events and RPCs
    pub use crate::event::bound::{DoesFit, Held, Nothing, Shown, is_absent};
    pub use crate::event::fits::{Either, Fits, Reading, Writing};
    pub use crate::event::kind;
    pub use crate::mark;
    pub use crate::rpc::method::{Requests, Responds, RpcKey, show_error};
    pub use crate::validate::Refusal;
    pub use crate::{
        __bindable as bindable, __contract as contract, __mark as mark, __rpc_contract as rpc_contract,
        __rpc_error as rpc_error,
    };

    // handlers
    pub use crate::Retry;
    pub use crate::dedupe::Transacting;
    pub use crate::handler::{
        Argument, Arrives, Content, Entry, Failure, Holds, IsAnyEvent, IsEvent, Listed, Listener, Otherwise, Outcome,
        Parts, Policy, Registration, Verdict, attempt, failed, unlisted,
    };
    pub use crate::lanes::lane;
    pub use crate::rpc::ask::Answer;
    pub use crate::rpc::handler as calls;
    pub use crate::rpc::handler::{CallArgument, Parts as CallParts};

    // the command line and tests
    pub use crate::bus::publish_raw;
    pub use crate::wire::open as open_envelope;
    pub use twyla_codec::validate::sensitive::told as sensitive_told;
}
