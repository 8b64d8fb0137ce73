//! The registration of an RPC handler, and the input of one call.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::Bus;
use crate::rpc::CallMeta;
use crate::rpc::protocol::attempt::Answer;
use crate::service::handler::{Need, States};
use twyla_codec::record::ContractRecord;

/// A handler function with [`#[rpc]`](macro@crate::rpc).
pub trait Handler {
    /// The RPC's name.
    const NAME: &'static str;
    /// The RPC's method: the last segment of the URL's path.
    const METHOD: &'static str;
    /// Returns the registration for a service.
    fn registration() -> Registration;
}

/// A registered handler.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The RPC's name.
    pub name: &'static str,
    /// The RPC's method: the last segment of the URL's path.
    pub method: &'static str,
    /// The path of the handler function, for messages.
    pub handler: &'static str,
    /// The contract record of a program that registers the handler.
    pub record: &'static ContractRecord,
    /// The states that the handler takes.
    pub needs: Vec<Need>,
    /// The attribute's settings.
    pub policy: Policy,
    /// Decodes one call and answers it.
    pub handle: fn(Incoming) -> AnswerFuture,
}

/// The settings in an RPC's attribute `#[rpc]`. For a setting that is absent, the service's setting applies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// The maximum number of concurrent calls.
    pub concurrency: Option<u16>,
    /// The maximum duration of a call.
    pub deadline: Option<Duration>,
    /// Whether a call may be repeated.
    pub idempotent: bool,
}

/// The future of one call.
pub type AnswerFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The input of one call.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The request, a JSON text.
    pub request: Bytes,
    /// The context, a JSON text, if the caller sent one.
    pub context: Option<Bytes>,
    /// The call's metadata.
    pub meta: CallMeta,
    /// The service's resources for handlers.
    pub dependencies: Arc<Dependencies>,
}

/// A service's resources for handlers.
pub struct Dependencies {
    /// The bus, without a session.
    pub bus: Bus,
    /// The states by type. The RPC client, without a session, is one of them.
    pub states: Arc<States>,
}

impl std::fmt::Debug for Dependencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dependencies").field("bus", &self.bus).finish_non_exhaustive()
    }
}
