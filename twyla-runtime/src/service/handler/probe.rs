//! Checks the user's types at compile time. A wrong type is reported once, with its contract, and the rest of the expansion
//! compiles with a stand-in.

use std::future::{Future, ready};
use std::marker::PhantomData;

use super::argument::Parts;
use super::batch;
use super::registration::{Failure, HandleFuture, Incoming, OpenedEvent};
use twyla_codec::__private::Otherwise;
use twyla_codec::event::{Event, Listen};
use twyla_codec::record::Schemas;
use twyla_codec::validate::{Refusal, Violation};

/// Whether `T` is the content of the event whose key is `K`: `IsEvent::<T, K>::HOLDS`, with [`Otherwise`] in scope.
pub struct IsEvent<T, K>(PhantomData<(T, K)>);

impl<T: Event<Key = K>, K> IsEvent<T, K> {
    /// True: an inherent constant takes precedence over a trait's.
    pub const HOLDS: bool = true;
    /// The event's schemas.
    pub const SCHEMAS: Schemas = T::SCHEMAS;
}

/// Whether `T` is the content of any event: `IsAnyEvent::<T>::HOLDS`, with [`Otherwise`] in scope.
pub struct IsAnyEvent<T>(PhantomData<T>);

impl<T: Event> IsAnyEvent<T> {
    /// True: an inherent constant takes precedence over a trait's.
    pub const HOLDS: bool = true;
    /// The event's schemas.
    pub const SCHEMAS: Schemas = T::SCHEMAS;
}

impl<T, K> Otherwise for IsEvent<T, K> {}

impl<T> Otherwise for IsAnyEvent<T> {}

/// A boolean as a type, for a trait's `where` clause.
pub struct Verdict<const HOLDS: bool>;

/// Implemented only for `Verdict<true>`.
pub trait Holds {}

impl Holds for Verdict<true> {}

/// Creates an attempt from the handler's future and the conversion of its output.
pub fn attempt<F: Future + Send + 'static>(future: F, outcome: fn(F::Output) -> Result<(), Failure>) -> HandleFuture {
    Box::pin(async move { outcome(future.await) })
}

/// Creates an attempt that has failed before the handler was called.
#[must_use]
pub fn failed(failure: Failure) -> HandleFuture {
    Box::pin(ready(Err(failure)))
}

/// The first argument of a handler. It is decoded if its type is the event's content; otherwise the compiler has already refused
/// the handler.
pub trait Arrives<const IS_EVENT: bool>: Sized {
    /// Returns the content, and the parts of the delivery for the other arguments.
    ///
    /// # Errors
    /// [`Failure`] if the content or the context breaks its contract.
    fn open(incoming: Incoming) -> Result<(Self, Parts), Failure>;

    /// Returns the event, to join a batch.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    fn open_in_batch(incoming: Incoming) -> Result<OpenedEvent, Failure>;

    /// Returns the contents of a batch.
    fn contents(opened: Vec<OpenedEvent>) -> Vec<Self>;
}

impl<T: Listen> Arrives<true> for T {
    fn open(incoming: Incoming) -> Result<(Self, Parts), Failure> {
        Parts::open(incoming)
    }

    fn open_in_batch(incoming: Incoming) -> Result<OpenedEvent, Failure> {
        batch::open::<T>(incoming)
    }

    fn contents(opened: Vec<OpenedEvent>) -> Vec<Self> {
        batch::events::<T>(opened).map(|event| event.content).collect()
    }
}

impl<T> Arrives<false> for T {
    fn open(_: Incoming) -> Result<(Self, Parts), Failure> {
        Err(not_compiled())
    }

    fn open_in_batch(_: Incoming) -> Result<OpenedEvent, Failure> {
        Err(not_compiled())
    }

    fn contents(_: Vec<OpenedEvent>) -> Vec<Self> {
        Vec::new()
    }
}

fn not_compiled() -> Failure {
    let message = "the program has not compiled".to_owned();
    let violations = vec![Violation { pointer: String::new(), keyword: "json", message }];
    Failure::Content(Refusal { violations })
}
