//! The differences between `listeners!` and `rpcs!`.

use proc_macro2::TokenStream;

/// A kind of list, in the runtime's names.
pub(super) struct ListKind {
    /// The name of each entry's constant, before its number.
    pub(super) constant: &'static str,
    /// The module with `Entry` and `Listed`.
    pub(super) module: TokenStream,
    /// The type that stands for a plain function.
    pub(super) function: TokenStream,
    /// The type that collects the entries.
    pub(super) collection: TokenStream,
}
