//! `#[event]`
use crate::contracts::Found;
use proc_macro2::TokenStream;
/// Expands the attribute on an item.
pub(crate) fn expand(_args: TokenStream, item: TokenStream, _contracts: impl FnOnce() -> Found) -> TokenStream {
    item
}
