//! The traits of events and contexts: names, contracts, encoding and decoding.

use super::record::{ContractRecord, Schema, Schemas};
use crate::validate::Refusal;

#[doc(hidden)]
pub mod bound;
#[doc(hidden)]
pub mod fits;
#[doc(hidden)]
pub mod kind;

/// A type that is the content of an event: generated from the event's schema, or bound to it with
/// [`#[event]`](https://docs.rs/twyla-runtime/latest/twyla_runtime/attr.event.html).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the content of an event",
    label = "not an event",
    note = "each schema in the schemas folder's `events` becomes a type: `contracts::<domain>::<EventType>`",
    note = "to bind a struct of your own to an event, put `#[event(\"domain.event_type\")]` above it"
)]
pub trait Event: Sized + Send + 'static {
    /// The event's name, `domain.event_type`.
    const NAME: &'static str;
    /// The part of the name before the first dot: the exchange.
    const DOMAIN: &'static str;
    /// The part of the name after the first dot: the routing key.
    const EVENT_TYPE: &'static str;
    /// The schema's place, for example `schemas/events/api/user_input.json:1`.
    const SCHEMA: &'static str;
    /// The compiled schemas.
    #[doc(hidden)]
    const SCHEMAS: Schemas;
    /// The contract record of a program that emits the event.
    #[doc(hidden)]
    const EMITS: &'static ContractRecord;
    /// The name as a type, so that the compiler distinguishes events.
    #[doc(hidden)]
    type Key;
    /// The context that this event carries.
    type Context: EventContext;
}

/// An event's name as a type: its 64-bit FNV-1a hash (`twyla_contract::EventName::key`).
#[doc(hidden)]
pub struct EventKey<const HASH: u64>;

/// An event that can be listened to: its content can be decoded and validated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the content of an event",
    label = "not an event",
    note = "each schema in the schemas folder's `events` becomes a type: `contracts::<domain>::<EventType>`",
    note = "to bind a struct of your own to an event, put `#[event(\"domain.event_type\")]` above it"
)]
pub trait Listen: Event {
    /// Decodes an event's content from JSON text.
    ///
    /// # Errors
    /// [`Refusal`] with each rule that the content breaks.
    fn decode(content: &[u8]) -> Result<Self, Refusal>;
}

/// An event that can be emitted: its content can be validated and encoded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the content of an event",
    label = "not an event",
    note = "each schema in the schemas folder's `events` becomes a type: `contracts::<domain>::<EventType>`",
    note = "to bind a struct of your own to an event, put `#[event(\"domain.event_type\")]` above it"
)]
pub trait Emit: Event {
    /// Appends the content to `out` as JSON text. On an error, `out` is unchanged.
    ///
    /// # Errors
    /// [`Refusal`] with each rule that the content breaks.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal>;
}

/// The content that [`Bus::emit`](https://docs.rs/twyla-runtime/latest/twyla_runtime/struct.Bus.html#method.emit) accepts: any type that can be [emitted](Emit). It is a trait of its own so
/// that compiler errors name the user's struct, and don't list other types that implement `Emit`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the content of an event",
    label = "not an event",
    note = "each schema in the schemas folder's `events` becomes a type: `contracts::<domain>::<EventType>`",
    note = "to bind a struct of your own to an event, put `#[event(\"domain.event_type\")]` above it"
)]
pub trait Emittable: Emit {}

impl<T: Emit> Emittable for T {}

/// The context that every event carries: generated from `context.json`.
pub trait EventContext: Clone + Send + Sync + 'static {
    /// The schema's place, for example `schemas/context.json:1`.
    const SCHEMA: &'static str;
    /// The compiled schema.
    #[doc(hidden)]
    const COMPILED: &'static Schema;

    /// Decodes a context from JSON text.
    ///
    /// # Errors
    /// [`Refusal`] with each rule that the context breaks.
    fn decode(context: &[u8]) -> Result<Self, Refusal>;

    /// Appends the context to `out` as JSON text. On an error, `out` is unchanged.
    ///
    /// # Errors
    /// [`Refusal`] with each rule that the context breaks.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal>;
}

/// A context or a reference to one, for [`Bus::emit`](https://docs.rs/twyla-runtime/latest/twyla_runtime/struct.Bus.html#method.emit).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the context of an event",
    label = "not a context",
    note = "the context of an event is a `contracts::Context` or a reference to one; its schema is the schemas folder's `context.json`"
)]
pub trait AsContext<C> {
    /// Returns the value as a context.
    fn as_context(&self) -> &C;
}

#[diagnostic::do_not_recommend]
impl<C: EventContext> AsContext<C> for C {
    fn as_context(&self) -> &C {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<C: EventContext> AsContext<C> for &C {
    fn as_context(&self) -> &C {
        self
    }
}
