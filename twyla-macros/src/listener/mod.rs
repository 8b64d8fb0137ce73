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
use crate::function::{self, StandIn};
use crate::runtime::Runtime;

const STAND_IN: StandIn =
    StandIn { implements: "Listener", constants: ["EVENT", "GROUP"], registration: &["Registration"] };

/// Expands the attribute on an item.
pub(crate) fn expand(
    args: TokenStream,
    item: TokenStream,
    contracts: impl FnOnce() -> ContractsResult,
    package: Option<&str>,
) -> Expansion {
    let args = args::parse(args);
    match check::check(args, item, contracts, package) {
        Ok((function, listener)) => expand::expand(&function, &listener),
        Err(refused) => refused.expand(&STAND_IN),
    }
}

/// Returns the item and its stand-in; `None` if the item can't have a stand-in.
pub(crate) fn stand_in(item: &TokenStream, runtime: &Runtime, traits: &TokenStream) -> Option<Expansion> {
    let function = function::parse(item, &LISTENER).ok().filter(|function| function.sig.receiver().is_none())?;
    Some(STAND_IN.expand(item, &function.vis, &function.sig.ident, runtime, traits))
}
