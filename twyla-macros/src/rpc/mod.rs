//! `#[rpc(..)]`: a handler function stays as it is, and a type of the same name stands for it in `rpcs![..]`.

mod args;
mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::contracts::ContractsResult;

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> TokenStream {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((function, handler)) => expand::expand(&function, &handler),
        Err(refused) => expand::stand_in(&refused),
    }
}
