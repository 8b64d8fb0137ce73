//! `#[event("domain.event_type")]`: a struct of the user, with each field checked against the schema at compile time.

mod args;
mod check;
mod expand;
mod fields;
mod model;

use proc_macro2::TokenStream;

use crate::contracts::ContractsResult;

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> TokenStream {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((item, event)) => expand::expand(&item, &event),
        Err(refused) => expand::stand_in(&refused),
    }
}
