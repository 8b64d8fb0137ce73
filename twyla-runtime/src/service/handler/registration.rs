//! A registered listener, and the input of one attempt.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::service::batch_fail::BatchFailure;
use crate::service::dedupe::Transacting;
use crate::{Ack, Bus, Meta, PauseAfter, Rate, Retry, TraceContext};
use twyla_codec::record::ContractRecord;
use twyla_codec::validate::Refusal;

/// A handler function with [`#[listener]`](crate::listener).
pub trait Listener {
    /// The event's name.
    const EVENT: &'static str;
    /// The group.
    const GROUP: &'static str;
    /// Returns the listener for the service.
    fn registration() -> Registration;
}

/// A registered listener.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The event's name, `<domain>.<event_type>`.
    pub event: &'static str,
    /// The exchange.
    pub domain: &'static str,
    /// The routing key.
    pub event_type: &'static str,
    /// The group.
    pub group: &'static str,
    /// The handler function's path, for messages.
    pub handler: &'static str,
    /// The contract record that a program with this listener contains.
    pub record: &'static ContractRecord,
    /// The states that the handler takes.
    pub needs: Vec<Need>,
    /// The settings of the attribute.
    pub policy: Policy,
    /// Decodes and handles one event. Called for each attempt.
    pub handle: fn(Incoming) -> HandleFuture,
}

/// The settings of a listener's attribute. For a setting that is `None`, the service's setting applies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// The retry policy.
    pub retry: Option<Retry>,
    /// The prefetch.
    pub prefetch: Option<u16>,
    /// The maximum number of concurrent handlers.
    pub concurrency: Option<u16>,
    /// The most events that the handler gets in a period.
    pub rate: Option<Rate>,
    /// The failures after which the listener pauses.
    pub pause_after: Option<PauseAfter>,
    /// Returns the hash of an event's key: events with the same hash are handled one after another. The hash is `None` if the
    /// event has no key, and so breaks its contract.
    pub key: Option<fn(&Keyed<'_>) -> Option<u64>>,
    /// The batches in which events are handled, if they aren't handled one by one.
    pub batch: Option<Batching>,
}

/// How a listener handles events in batches.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// The maximum number of events in a batch; 0 counts as 1.
    pub size: u16,
    /// How long a batch waits for more events while the handler could run.
    pub within: Duration,
    /// Decodes one event before it joins a batch.
    pub open: fn(Incoming) -> Result<OpenedEvent, Failure>,
    /// Handles a batch. Called for each attempt.
    pub handle: fn(BatchIncoming) -> BatchFuture,
}

/// A decoded event, whose type its listener knows.
pub type OpenedEvent = Box<dyn Any + Send>;

/// The future of one attempt at a batch.
pub type BatchFuture = Pin<Box<dyn Future<Output = Result<(), BatchFailure>> + Send>>;

/// The input of one attempt at a batch.
pub struct BatchIncoming {
    /// The events, in the order in which they arrived.
    pub events: Vec<OpenedEvent>,
    /// The bus, in the trace of the batch and without a session.
    pub bus: Bus,
    /// The service's states by type.
    pub states: Arc<States>,
    /// The span of the batch.
    pub trace: Option<TraceContext>,
    /// The transaction that records the events as handled, if the listener uses one.
    pub transaction: Option<Transacting>,
}

/// The parts of an event from which its key is taken.
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

/// A state that a handler takes, and that its service must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The state's type.
    pub id: TypeId,
    /// The name of the state's type.
    pub name: &'static str,
    /// The method of the service that adds the state.
    pub by: &'static str,
}

/// The input of one attempt: a delivery with its envelope parsed.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The content, a JSON text.
    pub content: Bytes,
    /// The context, a JSON text.
    pub context: Bytes,
    /// The event's metadata.
    pub meta: Meta,
    /// The bus, with the event's session.
    pub bus: Bus,
    /// The service's states by type.
    pub states: Arc<States>,
    /// Sends the decision on the delivery.
    pub ack: Ack,
    /// The transaction that records the event as handled, if the listener uses one.
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
