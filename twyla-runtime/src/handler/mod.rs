//! Handlers as the service runs them: what `#[listener]` registers, and the arguments that a handler may take.

mod argument;
#[cfg(feature = "testing")]
pub(crate) mod decode_only;
mod listeners;
mod probe;
mod registration;
mod text;

pub use argument::{Argument, Content, Outcome, Parts};
pub use listeners::{Entry, Listed, Listeners, unlisted};
pub use probe::{Arrives, Holds, IsAnyEvent, IsEvent, Otherwise, Verdict, attempt, failed};
pub use registration::{Failure, HandleFuture, Incoming, Keyed, Listener, Need, Policy, Registration, States};
pub(crate) use text::{Text, same};
