//! RPC handlers as a service serves them: the registration by `#[rpc]`, and the arguments of a handler.

mod argument;
mod outcome;
mod probe;
mod registration;
mod rpcs;

pub use argument::{CallArgument, Parts};
pub use outcome::{answer, answered};
pub(crate) use outcome::{problem, too_large};
pub use probe::{Asks, IsRequest, serve};
pub use registration::{AnswerFuture, Dependencies, Handler, Incoming, Policy, Registration};
pub use rpcs::{Entry, Listed, Rpcs, unserved};
