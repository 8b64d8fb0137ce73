//! Compile-time checks of expanded code: a wrong type is reported once, in the contract's terms, and the rest of the code
//! compiles with a stand-in.

use std::future::Future;
use std::marker::PhantomData;

use super::argument::Parts;
use super::outcome;
use super::registration::{AnswerFuture, Incoming};
use crate::rpc::protocol::attempt::Answer;
use twyla_codec::__private::Otherwise;
use twyla_codec::__private::Requests;
use twyla_codec::record::ContractRecord;
use twyla_codec::rpc::Method;

/// Whether `T` is the request of the RPC whose key is `K`: `IsRequest::<T, K>::HOLDS`, with [`Otherwise`] in scope.
pub struct IsRequest<T, K>(PhantomData<(T, K)>);

impl<T: Requests<K>, K> IsRequest<T, K> {
    /// `true`: an inherent constant takes precedence over a trait's.
    pub const HOLDS: bool = true;
    /// The contract record of a program that serves the RPC.
    pub const SERVES: &'static ContractRecord = T::Method::SERVES;
}

impl<T, K> Otherwise for IsRequest<T, K> {}

/// The first argument of a handler. If its type is the RPC's request, it is decoded from the call. Otherwise the compiler has
/// already reported the wrong type.
pub trait Asks<K, const IS_REQUEST: bool>: Sized {
    /// Returns the request, and the rest of the call for the other arguments.
    ///
    /// # Errors
    /// The answer if request or context break their contracts.
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

/// Runs a handler's future and converts its output to an answer.
pub fn serve<F: Future + Send + 'static>(future: F, answer: fn(F::Output) -> Answer) -> AnswerFuture {
    Box::pin(async move { answer(future.await) })
}
