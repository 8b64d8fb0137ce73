//! `#[rpc(..)]`: a handler function stays as it is, and a type of the same name stands for it in `rpcs![..]`.

mod args;
mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::catalogue::rpc::RPC;
use crate::contracts::ContractsResult;
use crate::expansion::Expansion;
use crate::function::{self, StandIn};
use crate::runtime::Runtime;

const STAND_IN: StandIn =
    StandIn { implements: "Handler", constants: ["NAME", "METHOD"], registration: &["calls", "Registration"] };

/// Expands the attribute on an item.
pub(crate) fn expand(args: TokenStream, item: TokenStream, contracts: impl FnOnce() -> ContractsResult) -> Expansion {
    let args = args::parse(args);
    match check::check(args, item, contracts) {
        Ok((function, handler)) => expand::expand(&function, &handler),
        Err(refused) => refused.expand(&STAND_IN),
    }
}

/// Returns the item and its stand-in; `None` if the item can't have a stand-in.
pub(crate) fn stand_in(item: &TokenStream, runtime: &Runtime, traits: &TokenStream) -> Option<Expansion> {
    let function = function::parse(item, &RPC).ok().filter(|function| function.sig.receiver().is_none())?;
    let item = check::without_open_body(item.clone(), &function);
    Some(STAND_IN.expand(&item, &function.vis, &function.sig.ident, runtime, traits))
}
