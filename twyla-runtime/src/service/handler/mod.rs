//! Handlers as the service runs them: the registrations that `#[listener]` generates, and the arguments that a handler may take.

mod argument;
mod batch;
mod const_text;
#[cfg(feature = "testing")]
pub(crate) mod decode_only;
mod list;
mod listeners;
mod probe;
mod registration;

pub use argument::{Argument, Content, Outcome, Parts};
pub use batch::{
    Batch, BatchArgument, BatchEvent, BatchOf, BatchOutcome, BatchParts, alone, attempt_batch, failed_batch,
};
pub(crate) use const_text::{ConstText, same};
pub use list::{Entry as ListEntry, HandlerList};
pub use listeners::{Entry, Listed, Listeners, unlisted};
pub use probe::{Arrives, Holds, IsAnyEvent, IsEvent, Verdict, attempt, failed};
pub use registration::{
    BatchFuture, BatchIncoming, Batching, Failure, HandleFuture, Incoming, Keyed, Listener, Need, OpenedEvent, Policy,
    Registration, States,
};
