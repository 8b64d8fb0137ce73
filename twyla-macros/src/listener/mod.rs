//! `#[listener]`: a handler function stays as it is, and a type of the same name stands for it in `listeners![..]`.

mod args;
mod check;
mod expand;
mod model;
mod policy;

use proc_macro2::TokenStream;

use crate::contracts::ContractsResult;

/// Expands the attribute on an item.
pub(crate) fn expand(
    args: TokenStream,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
    package: Option<&str>,
) -> TokenStream {
    let args = args::parse(args);
    match check::check(args, item.clone(), contracts, package) {
        Ok((function, listener)) => expand::expand(&function, &listener),
        Err(refused) => expand::stand_in(&item, &refused),
    }
}
