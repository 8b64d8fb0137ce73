//! `#[listener]`: a handler function stays as it is, and a type of the same name stands for it in `listeners![..]`.

mod args;
mod check;
mod expand;
mod model;
mod policy;

use proc_macro2::TokenStream;

use crate::catalogue::listener::LISTENER;
use crate::contracts::ContractsResult;
use crate::expansion::Expansion;
use crate::function;
use crate::runtime::Runtime;

/// Expands the attribute on an item.
pub(crate) fn expand(
    args: TokenStream,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
    package: Option<&str>,
) -> Expansion {
    let args = args::parse(args);
    match check::check(args, item.clone(), contracts, package) {
        Ok((function, listener)) => expand::expand(&function, &listener),
        Err(refused) => expand::refused(&item, &refused),
    }
}

/// Returns the item and its stand-in; `None` if the item can't have a stand-in.
pub(crate) fn stand_in(item: &TokenStream, runtime: &Runtime, traits: &TokenStream) -> Option<Expansion> {
    let function = function::parse(item, &LISTENER).ok().filter(|function| function.sig.receiver().is_none())?;
    Some(expand::stand_in(item, &function.vis, &function.sig.ident, runtime, traits))
}
