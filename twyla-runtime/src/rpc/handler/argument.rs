//! The arguments of a handler besides its request, each extracted from the call.

use std::any::{Any, TypeId, type_name};

use super::outcome;
use super::registration::Incoming;
use crate::rpc::protocol::attempt::Answer;
use crate::rpc::protocol::problem::Part;
use crate::rpc::{CallMeta, Rpc};
use crate::service::handler::Need;
use crate::{Bus, State};
use twyla_codec::__private::Requests;
use twyla_codec::event::EventContext;
use twyla_codec::rpc::Method;

/// A call whose request and context are checked: the source of the handler's arguments.
pub struct Parts {
    incoming: Incoming,
    context: Option<Box<dyn Any + Send + Sync>>,
}

impl Parts {
    /// Decodes the request, and the context, which is checked even if the handler doesn't take it.
    ///
    /// # Errors
    /// The answer that reports each broken rule.
    pub fn open<K, T: Requests<K>>(incoming: Incoming) -> Result<(T, Self), Answer> {
        let context = match &incoming.context {
            Some(context) => {
                let decoded = <<T::Method as Method>::Context as EventContext>::decode(context);
                let context = decoded.map_err(|refusal| outcome::refused(&incoming.meta, Part::Context, &refusal))?;
                Some(Box::new(context) as Box<dyn Any + Send + Sync>)
            }
            None => None,
        };
        let request = T::decode(&incoming.request);
        let request = request.map_err(|refusal| outcome::refused(&incoming.meta, Part::Request, &refusal))?;
        Ok((request, Self { incoming, context }))
    }

    /// Returns the context. A call without a context has an empty object as its context, if the contract allows that.
    ///
    /// # Errors
    /// The answer that reports each rule that the context breaks.
    pub fn context<C: EventContext>(&self) -> Result<C, Answer> {
        if let Some(context) = self.context.as_ref().and_then(|context| context.downcast_ref::<C>()) {
            return Ok(context.clone());
        }
        let text = self.incoming.context.as_deref().unwrap_or(b"{}");
        C::decode(text).map_err(|refusal| outcome::refused(&self.incoming.meta, Part::Context, &refusal))
    }
}

/// An argument that an RPC handler may take after its request: the context, [`CallMeta`], [`State`], [`Bus`] and [`Rpc`].
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` after its request",
    label = "expected `Context`, `CallMeta`, `State<T>`, `Bus` or `Rpc`",
    note = "to take a value that the service was given with `.state(..)`, write `State<{Self}>`",
    note = "a handler takes one request, as its first argument: write another `#[rpc]` for another RPC"
)]
pub trait CallArgument: Sized {
    /// Extracts the argument.
    ///
    /// # Errors
    /// The answer if the call or the service lacks the argument.
    fn take(parts: &Parts) -> Result<Self, Answer>;

    /// Returns the state that the service must have for this argument, if any.
    #[must_use]
    fn need() -> Option<Need> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<C: EventContext> CallArgument for C {
    fn take(parts: &Parts) -> Result<Self, Answer> {
        parts.context()
    }
}

impl CallArgument for CallMeta {
    fn take(parts: &Parts) -> Result<Self, Answer> {
        Ok(parts.incoming.meta.clone())
    }
}

impl CallArgument for Bus {
    fn take(parts: &Parts) -> Result<Self, Answer> {
        let Incoming { dependencies, meta, .. } = &parts.incoming;
        Ok(dependencies.bus.within(meta.session_id, meta.trace.as_ref()))
    }
}

impl CallArgument for Rpc {
    fn take(parts: &Parts) -> Result<Self, Answer> {
        let Incoming { dependencies, meta, .. } = &parts.incoming;
        let rpc = dependencies.states.get(&TypeId::of::<Self>()).and_then(|state| state.downcast_ref::<Self>());
        rpc.map(|rpc| rpc.within_call(meta)).ok_or_else(|| outcome::not_given(meta, type_name::<Self>()))
    }

    fn need() -> Option<Need> {
        Some(Need { id: TypeId::of::<Self>(), name: "Rpc", by: ".rpc(..)" })
    }
}

impl<T: Clone + Send + Sync + 'static> CallArgument for State<T> {
    fn take(parts: &Parts) -> Result<Self, Answer> {
        let Incoming { dependencies, meta, .. } = &parts.incoming;
        let state = dependencies.states.get(&TypeId::of::<T>()).and_then(|state| state.downcast_ref::<T>());
        // unreachable through a service, which checks `need` before it starts
        state.map(|state| Self(state.clone())).ok_or_else(|| outcome::not_given(meta, type_name::<T>()))
    }

    fn need() -> Option<Need> {
        Some(Need { id: TypeId::of::<T>(), name: type_name::<T>(), by: ".state(..)" })
    }
}
