//! Questions that expanded code asks the compiler about the user's types and answers itself, so that a wrong type is told
//! of once, in the contract's words, and everything behind it goes on with a stand-in.

use std::future::Future;
use std::marker::PhantomData;

use super::argument::Parts;
use super::outcome;
use super::registration::{AnswerFuture, Incoming};
use crate::contract::record::Mark;
use crate::rpc::protocol::ask::Answer;
use crate::rpc::protocol::method::{Method, Requests};
use crate::service::handler::Otherwise;

/// Whether `T` is the request of the RPC whose key is `K`: `IsRequest::<T, K>::HOLDS`, with [`Otherwise`] in scope.
pub struct IsRequest<T, K>(PhantomData<(T, K)>);

impl<T: Requests<K>, K> IsRequest<T, K> {
    /// It is: an inherent constant goes before a trait's.
    pub const HOLDS: bool = true;
    /// What a program that serves it carries.
    pub const SERVES: &'static Mark = T::Method::SERVES;
}

impl<T, K> Otherwise for IsRequest<T, K> {}

/// A first argument that takes a call: decoded where its type is the RPC's request, not at all where that has been
/// refused already.
pub trait Asks<K, const IS_REQUEST: bool>: Sized {
    /// The request, and the parts of the call that the other arguments are taken from.
    ///
    /// # Errors
    /// The answer where request or context break their contracts.
    fn open(incoming: Incoming) -> Result<(Self, Parts), Answer>;
}

impl<K, T: Requests<K>> Asks<K, true> for T {
    fn open(incoming: Incoming) -> Result<(Self, Parts), Answer> {
        Parts::open::<K, T>(incoming)
    }
}

impl<K, T> Asks<K, false> for T {
    fn open(incoming: Incoming) -> Result<(Self, Parts), Answer> {
        Err(outcome::not_given(&incoming.meta, "request: the program has not compiled"))
    }
}

/// One call: the handler's future, and what its output is to the caller.
pub fn serve<F: Future + Send + 'static>(future: F, answer: fn(F::Output) -> Answer) -> AnswerFuture {
    Box::pin(async move { answer(future.await) })
}
