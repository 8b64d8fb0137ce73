//! `#[event("domain.event_type")]`: a struct of one's own, each field held against the schema as the program compiles.

mod args;
mod check;
mod expand;
mod fields;
mod model;

use proc_macro2::TokenStream;

use crate::contracts::Found;

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> Found) -> TokenStream {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((item, event)) => expand::expand(&item, &event),
        Err(refused) => expand::stand_in(&refused),
    }
}
