//! `#[event("domain.event_type")]`: a struct of the user, with each field checked against the schema at compile time.

mod args;
mod check;
mod expand;
mod fields;
mod model;

use proc_macro2::TokenStream;

use crate::contracts::{ContractsResult, Missing};
use crate::expansion::Expansion;

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> Expansion {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((item, event)) => expand::expand(&item, &event),
        Err(refused) => expand::refused(&refused),
    }
}

/// Returns the item and its stand-in, whose context is of the type `context`; `None` if the item can't have a stand-in.
pub(crate) fn stand_in(
    args: TokenStream,
    item: TokenStream,
    context: &TokenStream,
    traits: &TokenStream,
) -> Option<Expansion> {
    // without contracts, the event is the one that the attribute names
    let refused = check::check(args::parse(args), item, || Err(Missing::Reported)).err()?;
    let (name, generics, contract) = *refused.stands_for?;
    let body = expand::stand_in(&name, &generics, &contract, context, traits);
    Some(Expansion { item: refused.item, body, ..Expansion::default() })
}
