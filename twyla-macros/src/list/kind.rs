//! What the two lists differ in.

use proc_macro2::TokenStream;

/// What is listed, as the runtime calls it.
pub(super) struct Kind {
    /// What each entry's constant is named, with its number.
    pub(super) constant: &'static str,
    /// Where `Entry` and `Listed` are.
    pub(super) room: TokenStream,
    /// Where the type is that stands for a mere function.
    pub(super) function: TokenStream,
    /// What they are collected in.
    pub(super) collection: TokenStream,
}
