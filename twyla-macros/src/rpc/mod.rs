//! `#[rpc(..)]`: a handler function stays as it is, and a type of the same name stands for it in `rpcs![..]`.

mod args;
mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::catalogue::rpc::RPC;
use crate::contracts::ContractsResult;
use crate::expansion::Expansion;
use crate::function;
use crate::runtime::Runtime;

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> Expansion {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((function, handler)) => expand::expand(&function, &handler),
        Err(refused) => expand::refused(&refused),
    }
}

/// Returns the item and its stand-in; `None` if the item can't have a stand-in.
pub(crate) fn stand_in(item: &TokenStream, runtime: &Runtime, traits: &TokenStream) -> Option<Expansion> {
    let function = function::parse(item, &RPC).ok().filter(|function| function.sig.receiver().is_none())?;
    let item = check::without_open_body(item.clone(), &function);
    Some(expand::stand_in(&item, &function.vis, &function.sig.ident, runtime, traits))
}
