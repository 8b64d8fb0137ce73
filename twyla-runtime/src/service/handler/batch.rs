//! Batch handlers: the events of a batch with their contexts and metadata, the other arguments, and the return values.

use std::any::{TypeId, type_name};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::slice;
use std::vec;

use super::argument::NoState;
#[cfg(feature = "testing")]
use super::decode_only;
use super::registration::{BatchFuture, BatchIncoming, Batching, Failure, HandleFuture, Incoming, Need, OpenedEvent};
use crate::rpc::Rpc;
use crate::service::batch_fail::{BatchFail, BatchFailure};
use crate::service::dedupe::Transacting;
use crate::{Bus, Meta, State};
use twyla_codec::event::{Event, EventContext, Listen};

/// The events of a batch, each with its context and metadata, in the order in which they arrived.
///
/// A handler with `batch = ..` takes it, or a `Vec<T>` of the contents alone, as its first argument. It is never empty. Its order is
/// fixed, because a [`BatchFail`] names events by their index. To sort the events, collect them to a `Vec`: each has its
/// [`index`](BatchEvent::index).
///
/// ```text
/// #[listener("shop.order_placed", group = "ledger", batch = 500, within = "200ms")]
/// async fn book(orders: Batch<OrderPlaced>) {
///     for order in orders {
///         println!("{} by {} in {}", order.content.order_id, order.context.channel, order.meta.session_id);
///     }
/// }
/// ```
pub struct Batch<T: Event>(Vec<BatchEvent<T>>);

/// One event of a [`Batch`].
#[non_exhaustive]
pub struct BatchEvent<T: Event> {
    /// The content.
    pub content: T,
    /// The context.
    pub context: T::Context,
    /// The metadata. Its trace is that of the batch; the batch's span has links to the traces of its events.
    pub meta: Meta,
    index: usize,
}

impl<T: Event> BatchEvent<T> {
    /// Creates an event, for unit tests of handler functions. Its index is 0 until it is collected to a [`Batch`].
    #[must_use]
    pub fn new(content: T, context: T::Context, meta: Meta) -> Self {
        Self { content, context, meta, index: 0 }
    }

    /// Returns the index of the event in its batch, for [`BatchFail::add`]. It stays the same if the events are sorted.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }
}

impl<T: Event> Batch<T> {
    /// Returns the contents.
    #[must_use]
    pub fn into_contents(self) -> Vec<T> {
        self.0.into_iter().map(|event| event.content).collect()
    }
}

impl<T: Event> From<Vec<BatchEvent<T>>> for Batch<T> {
    fn from(events: Vec<BatchEvent<T>>) -> Self {
        events.into_iter().collect()
    }
}

impl<T: Event> FromIterator<BatchEvent<T>> for Batch<T> {
    fn from_iter<I: IntoIterator<Item = BatchEvent<T>>>(events: I) -> Self {
        Self(events.into_iter().enumerate().map(|(index, event)| BatchEvent { index, ..event }).collect())
    }
}

impl<T: Event> IntoIterator for Batch<T> {
    type Item = BatchEvent<T>;
    type IntoIter = vec::IntoIter<BatchEvent<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T: Event> IntoIterator for &'a Batch<T> {
    type Item = &'a BatchEvent<T>;
    type IntoIter = slice::Iter<'a, BatchEvent<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Event> Deref for Batch<T> {
    type Target = [BatchEvent<T>];

    fn deref(&self) -> &[BatchEvent<T>] {
        &self.0
    }
}

impl<T: Event> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("event", &T::NAME).field("len", &self.0.len()).finish()
    }
}

impl<T: Event> fmt::Debug for BatchEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchEvent").field("event", &T::NAME).field("meta", &self.meta).finish_non_exhaustive()
    }
}

/// Decodes the content and the context of one event, before it joins a batch.
///
/// # Errors
/// [`Failure::Content`] or [`Failure::Context`] with each rule that it breaks.
pub(super) fn open<T: Listen>(incoming: Incoming) -> Result<OpenedEvent, Failure> {
    let context = <T::Context as EventContext>::decode(&incoming.context).map_err(Failure::Context)?;
    let content = T::decode(&incoming.content).map_err(Failure::Content)?;
    #[cfg(feature = "testing")]
    decode_only::check(&incoming)?;
    Ok(Box::new(BatchEvent::<T>::new(content, context, incoming.meta)))
}

/// Returns the events that [`open`] made.
pub(super) fn events<T: Event>(opened: Vec<OpenedEvent>) -> impl Iterator<Item = BatchEvent<T>> {
    // each event of a listener has been opened as the listener's event
    let events = opened.into_iter().filter_map(|event| event.downcast::<BatchEvent<T>>().ok());
    events.map(|event| *event)
}

/// What stays of a batch for the other arguments.
pub struct BatchParts {
    incoming: BatchIncoming,
}

impl BatchParts {
    /// Takes the events out of a batch.
    #[must_use]
    pub fn split(mut incoming: BatchIncoming) -> (Vec<OpenedEvent>, Self) {
        let events = std::mem::take(&mut incoming.events);
        (events, Self { incoming })
    }

    /// Returns the transaction that records the events as handled, if the listener uses one.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transacting> {
        self.incoming.transaction.as_ref()
    }

    fn state<T: Clone + 'static>(&self) -> Result<T, Failure> {
        let state = self.incoming.states.get(&TypeId::of::<T>()).and_then(|state| state.downcast_ref::<T>());
        // a service checks `need` before it starts, so this error never occurs
        state.cloned().ok_or_else(|| Failure::Handler(Box::new(NoState(type_name::<T>()))))
    }
}

/// The first argument of a batch handler, where it is not a `Vec` of contents.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot take `{Self}` as its events",
    label = "expected `Vec<T>` or `twyla_runtime::Batch<T>`",
    note = "`Vec<T>` has the contents of the events, `Batch<T>` also their contexts and metadata"
)]
pub trait BatchOf<T> {
    /// Collects the events.
    fn collect(opened: Vec<OpenedEvent>, parts: &BatchParts) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Event> BatchOf<T> for Batch<T> {
    fn collect(opened: Vec<OpenedEvent>, parts: &BatchParts) -> Self {
        let events = events::<T>(opened).map(|mut event| {
            event.meta.trace.clone_from(&parts.incoming.trace);
            event
        });
        events.collect()
    }
}

/// An argument of a batch handler after its events: [`State`], [`Bus`], [`Rpc`], or `Tx<DB>`.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot take `{Self}` after its events",
    label = "expected `State<T>`, `Bus`, `Rpc` or `Tx<DB>`",
    note = "each event of a batch has its own context and `Meta`: take the events as `Batch<T>`, which has them",
    note = "`Ack` is for listeners without `batch`: a batch handler says which events failed with `Result<(), BatchFail>`",
    note = "to take a value that the service was given with `.state(..)`, write `State<{Self}>`"
)]
pub trait BatchArgument: Sized {
    /// Takes the argument out of the parts.
    ///
    /// # Errors
    /// [`Failure`] where the service doesn't have it.
    fn take(parts: &BatchParts) -> Result<Self, Failure>;

    /// Returns the state that the service must have for this argument.
    #[must_use]
    fn need() -> Option<Need> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl BatchArgument for Bus {
    fn take(parts: &BatchParts) -> Result<Self, Failure> {
        Ok(parts.incoming.bus.clone())
    }
}

#[diagnostic::do_not_recommend]
impl BatchArgument for Rpc {
    fn take(parts: &BatchParts) -> Result<Self, Failure> {
        parts.state::<Self>().map(|rpc| rpc.within_batch(parts.incoming.trace.as_ref()))
    }

    fn need() -> Option<Need> {
        <Self as super::Argument>::need()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> BatchArgument for State<T> {
    fn take(parts: &BatchParts) -> Result<Self, Failure> {
        parts.state().map(State)
    }

    fn need() -> Option<Need> {
        <Self as super::Argument>::need()
    }
}

/// A return value of a batch handler: nothing, or a result whose error is that of the whole batch, or a [`BatchFail`] that says
/// which events failed.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot return `{Self}`",
    label = "expected `()`, `Result<(), BatchFail>` or `Result<(), E>`",
    note = "`Ok(())` acks all events of the batch; `Err(error)` is the failure of all; a `BatchFail` says which events \
            failed; `E` is an error type, `String`, or `Box<dyn Error + Send + Sync>`"
)]
pub trait BatchOutcome {
    /// Converts it to a result, of a batch with `len` events.
    ///
    /// # Errors
    /// `BatchFailure` with the handler's errors.
    fn outcome(self, len: usize) -> Result<(), BatchFailure>;
}

#[diagnostic::do_not_recommend]
impl BatchOutcome for () {
    fn outcome(self, _: usize) -> Result<(), BatchFailure> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> BatchOutcome for Result<(), E> {
    fn outcome(self, _: usize) -> Result<(), BatchFailure> {
        self.map_err(|error| BatchFailure::Whole(error.into()))
    }
}

#[diagnostic::do_not_recommend]
impl BatchOutcome for Result<(), BatchFail> {
    fn outcome(self, len: usize) -> Result<(), BatchFailure> {
        match self.map_err(|failed| failed.failure(len)) {
            Err(Some(failure)) => Err(failure),
            Ok(()) | Err(None) => Ok(()),
        }
    }
}

/// Creates an attempt at a batch: the handler's future, and the conversion of its output.
pub fn attempt_batch<F: Future + Send + 'static>(
    len: usize,
    future: F,
    outcome: fn(F::Output, usize) -> Result<(), BatchFailure>,
) -> BatchFuture {
    Box::pin(async move { outcome(future.await, len) })
}

/// Creates an attempt at a batch that has failed before the handler was called.
#[must_use]
pub fn failed_batch(failure: Failure) -> BatchFuture {
    let error = match failure {
        Failure::Handler(error) => error,
        Failure::Content(refusal) | Failure::Context(refusal) => Box::new(refusal),
    };
    Box::pin(std::future::ready(Err(BatchFailure::Whole(error))))
}

/// Handles one event as a batch of its own.
pub fn alone(incoming: Incoming, batching: &Batching) -> HandleFuture {
    let Incoming { bus, states, transaction, .. } = incoming.clone();
    let trace = incoming.meta.trace.clone();
    let event = match (batching.open)(incoming) {
        Ok(event) => event,
        Err(failure) => return Box::pin(std::future::ready(Err(failure))),
    };
    let handling = (batching.handle)(BatchIncoming { events: vec![event], bus, states, trace, transaction });
    Box::pin(async move {
        handling.await.map_err(|failure| {
            Failure::Handler(match failure {
                BatchFailure::Whole(error) => error,
                BatchFailure::Events(events) => {
                    let first = events.into_iter().next();
                    first.map_or_else(|| "the event failed".into(), |(_, error)| error)
                }
            })
        })
    })
}
