//! A handler of an RPC as the service serves it, and what one call starts from.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::Bus;
use crate::contract::record::Mark;
use crate::rpc::CallMeta;
use crate::rpc::protocol::ask::Answer;
use crate::service::handler::{Need, States};

/// A handler function that [`#[rpc]`](macro@crate::rpc) has made known to the program.
pub trait Handler {
    /// The RPC's name.
    const NAME: &'static str;
    /// The RPC's method: the last segment of its path.
    const METHOD: &'static str;
    /// What the service serves.
    fn registration() -> Registration;
}

/// One handler as the service serves it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RPC's name.
    pub name: &'static str,
    /// The last segment of its path.
    pub method: &'static str,
    /// The handler function's path, for messages.
    pub handler: &'static str,
    /// What a program that registers it carries.
    pub mark: &'static Mark,
    /// The states that the handler takes.
    pub needs: Vec<Need>,
    /// What the attribute says of how it is served.
    pub policy: Policy,
    /// Decodes one call and answers it.
    pub handle: fn(Incoming) -> AnswerFuture,
}

/// How an RPC is served, where its attribute says so; what it doesn't say is the service's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// How many calls may be under way at once.
    pub concurrency: Option<u16>,
    /// How long a call may take at most.
    pub deadline: Option<Duration>,
    /// Whether a call may be repeated.
    pub idempotent: bool,
}

/// The future of one call.
pub type AnswerFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One call: what a handler starts from.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The request, a JSON text.
    pub request: Bytes,
    /// The context, a JSON text, where the caller sent one.
    pub context: Option<Bytes>,
    /// What else the call carries.
    pub meta: CallMeta,
    /// What the service gives its handlers.
    pub given: Arc<Given>,
}

/// What a service gives its handlers.
pub struct Given {
    /// The bus, without a session.
    pub bus: Bus,
    /// The states by type; what they call other services with is one of them, without a session.
    pub states: Arc<States>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("bus", &self.bus).finish_non_exhaustive()
    }
}
