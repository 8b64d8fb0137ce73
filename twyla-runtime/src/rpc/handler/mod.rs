//! Handlers as a service serves them: what `#[rpc]` registers, and the arguments that a handler may take.

mod argument;
mod outcome;
mod probe;
mod registration;
mod rpcs;

pub use argument::{CallArgument, Parts};
pub use outcome::{answer, answered};
pub(crate) use outcome::{problem, too_large};
pub use probe::{Asks, IsRequest, serve};
pub use registration::{AnswerFuture, Given, Handler, Incoming, Policy, Registration};
pub use rpcs::{Entry, Listed, Rpcs, unserved};
