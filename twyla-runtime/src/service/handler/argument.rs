//! The arguments and return values of handlers: arguments come from the parts of a delivery, return values become results.

use std::any::{Any, TypeId, type_name};
use std::error::Error;
use std::fmt;

#[cfg(feature = "testing")]
use super::decode_only;
use super::registration::{Failure, Incoming, Need};
use crate::rpc::Rpc;
use crate::service::dedupe::Transacting;
use crate::{Ack, Bus, Meta, State};
use twyla_codec::event::{Event, EventContext, Listen};

/// One delivery with a valid context, from which the handler's arguments are taken.
pub struct Parts {
    incoming: Incoming,
    context: Box<dyn Any + Send + Sync>,
}

impl Parts {
    /// Decodes the content, and validates the context even if the handler doesn't take it.
    ///
    /// # Errors
    /// [`Failure::Content`] or [`Failure::Context`] with the broken rules.
    pub fn open<T: Listen>(incoming: Incoming) -> Result<(T, Self), Failure> {
        let context = <T::Context as EventContext>::decode(&incoming.context).map_err(Failure::Context)?;
        let content = T::decode(&incoming.content).map_err(Failure::Content)?;
        #[cfg(feature = "testing")]
        decode_only::check(&incoming)?;
        Ok((content, Self { incoming, context: Box::new(context) }))
    }

    /// Returns the transaction that records the event as handled, if the listener uses one.
    #[must_use]
    pub fn transaction(&self) -> Option<&Transacting> {
        self.incoming.transaction.as_ref()
    }

    /// Returns the context.
    ///
    /// # Errors
    /// [`Failure::Context`] if `C` isn't the event's own context type, and the event's context breaks the contract of `C`.
    pub fn context<C: EventContext>(&self) -> Result<C, Failure> {
        match self.context.downcast_ref::<C>() {
            Some(context) => Ok(context.clone()),
            None => C::decode(&self.incoming.context).map_err(Failure::Context),
        }
    }
}

/// The first argument of a handler: the content of an event.
#[diagnostic::on_unimplemented(
    message = "a handler's first argument must be an event, but `{Self}` is not one",
    label = "not an event",
    note = "each schema in the schemas folder's `events` becomes a type: `contracts::<domain>::<EventType>`",
    note = "to bind a struct of your own to an event, put `#[event(\"domain.event_type\")]` above it"
)]
pub trait Content {
    /// The event's name.
    const NAME: &'static str;
    /// The exchange.
    const DOMAIN: &'static str;
    /// The routing key.
    const EVENT_TYPE: &'static str;
}

#[diagnostic::do_not_recommend]
impl<T: Event> Content for T {
    const NAME: &'static str = T::NAME;
    const DOMAIN: &'static str = T::DOMAIN;
    const EVENT_TYPE: &'static str = T::EVENT_TYPE;
}

/// An argument after the event: the context, [`Meta`], [`State`], [`Bus`], [`Rpc`] or [`Ack`].
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` after its event",
    label = "expected `Context`, `Meta`, `State<T>`, `Bus`, `Rpc`, `Ack` or `Tx<DB>`",
    note = "to take a value that the service was given with `.state(..)`, write `State<{Self}>`",
    note = "a handler takes one event, as its first argument: write another `#[listener]` for another event"
)]
pub trait Argument: Sized {
    /// Returns the argument from the parts of a delivery.
    ///
    /// # Errors
    /// [`Failure`] if the delivery or the service doesn't have it.
    fn take(parts: &Parts) -> Result<Self, Failure>;

    /// Returns the state that the service must have for this argument.
    #[must_use]
    fn need() -> Option<Need> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<C: EventContext> Argument for C {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        parts.context()
    }
}

impl Argument for Meta {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        Ok(parts.incoming.meta.clone())
    }
}

impl Argument for Bus {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        Ok(parts.incoming.bus.clone())
    }
}

impl Argument for Rpc {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        let rpc = parts.incoming.states.get(&TypeId::of::<Self>()).and_then(|state| state.downcast_ref::<Self>());
        let meta = &parts.incoming.meta;
        let rpc = rpc.map(|rpc| rpc.within_event(meta.session_id, meta.trace.as_ref()));
        rpc.ok_or_else(|| Failure::Handler(Box::new(NoState(type_name::<Self>()))))
    }

    fn need() -> Option<Need> {
        Some(Need { id: TypeId::of::<Self>(), name: "Rpc", by: ".rpc(..)" })
    }
}

impl Argument for Ack {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        Ok(parts.incoming.ack.clone())
    }
}

impl<T: Clone + Send + Sync + 'static> Argument for State<T> {
    fn take(parts: &Parts) -> Result<Self, Failure> {
        let state = parts.incoming.states.get(&TypeId::of::<T>()).and_then(|state| state.downcast_ref::<T>());
        // a service checks `need` before it starts, so this error never occurs
        state.map(|state| State(state.clone())).ok_or_else(|| Failure::Handler(Box::new(NoState(type_name::<T>()))))
    }

    fn need() -> Option<Need> {
        Some(Need { id: TypeId::of::<T>(), name: type_name::<T>(), by: ".state(..)" })
    }
}

/// The error for a state that the service doesn't have.
#[derive(Debug)]
pub(super) struct NoState(pub(super) &'static str);

impl fmt::Display for NoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service has no state of the type `{}`", self.0)
    }
}

impl Error for NoState {}

/// A return value of a handler: nothing, or a result whose error is the reason that the event wasn't handled.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "expected `()` or `Result<(), E>`",
    note = "`Ok(())` acks the event, and `Err(error)` retries it; `E` is an error type, `String`, or \
            `Box<dyn Error + Send + Sync>`"
)]
pub trait Outcome {
    /// Converts the return value to a result.
    ///
    /// # Errors
    /// [`Failure::Handler`] with the handler's error.
    fn outcome(self) -> Result<(), Failure>;
}

#[diagnostic::do_not_recommend]
impl Outcome for () {
    fn outcome(self) -> Result<(), Failure> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<(), E> {
    fn outcome(self) -> Result<(), Failure> {
        self.map_err(|error| Failure::Handler(error.into()))
    }
}
