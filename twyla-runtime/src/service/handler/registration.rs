//! A listener as the service runs it, and what one attempt starts from.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::contract::record::Mark;
use crate::service::dedupe::Transacting;
use crate::{Ack, Bus, Meta, Retry};
use twyla_codec::validate::Refusal;

/// A handler function that [`#[listener]`](crate::listener) has made known to the program.
pub trait Listener {
    /// The event's name.
    const EVENT: &'static str;
    /// The group.
    const GROUP: &'static str;
    /// What the service runs.
    fn registration() -> Registration;
}

/// One listener as the service runs it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The event's name, its exchange and its routing key.
    pub event: &'static str,
    /// The exchange.
    pub domain: &'static str,
    /// The routing key.
    pub event_type: &'static str,
    /// The group.
    pub group: &'static str,
    /// The handler function's path, for messages.
    pub handler: &'static str,
    /// What a program that registers it carries.
    pub mark: &'static Mark,
    /// The states that the handler takes.
    pub needs: Vec<Need>,
    /// What the attribute says of how it is run.
    pub policy: Policy,
    /// Decodes and handles one event. Called for each attempt.
    pub handle: fn(Incoming) -> HandleFuture,
}

/// How a listener is run, where its attribute says so; what it doesn't say is the service's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// How often it is tried again.
    pub retry: Option<Retry>,
    /// How many deliveries may be under way.
    pub prefetch: Option<u16>,
    /// How many handlers may run at once.
    pub concurrency: Option<u16>,
    /// Events with the same key are handled one after another. None has no key: its contract is broken.
    pub key: Option<fn(&Keyed<'_>) -> Option<u64>>,
}

/// What the key of an event is taken from.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'a> {
    /// The content, a JSON text.
    pub content: &'a [u8],
    /// The context, a JSON text.
    pub context: &'a [u8],
    /// The session's id; the nil UUID if the event has none.
    pub session: Uuid,
}

/// The future of one attempt.
pub type HandleFuture = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// A state that a handler takes and a service must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The state's type.
    pub id: TypeId,
    /// The state's type in words.
    pub name: &'static str,
    /// How the service is given it.
    pub by: &'static str,
}

/// One delivery, its envelope already parsed: what an attempt starts from.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The content, a JSON text.
    pub content: Bytes,
    /// The context, a JSON text.
    pub context: Bytes,
    /// What the envelope says of the event.
    pub meta: Meta,
    /// The bus, with the event's session.
    pub bus: Bus,
    /// The service's states by type.
    pub states: Arc<States>,
    /// The delivery's decision.
    pub ack: Ack,
    /// The transaction in which the event is remembered as handled, where there is one.
    pub transaction: Option<Transacting>,
}

/// The service's states by type.
pub type States = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

/// Why an attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// The content breaks its contract: dead-lettered at once.
    Content(Refusal),
    /// The context breaks its contract: dead-lettered at once.
    Context(Refusal),
    /// The handler returned an error: retried, then dead-lettered.
    Handler(Box<dyn std::error::Error + Send + Sync>),
}
