//! `listeners![..]`: a service's handlers, each held against those before it.

mod expand;

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

/// Expands the list.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(input) {
        Ok(paths) => expand::expand(&paths.into_iter().collect::<Vec<_>>()),
        Err(error) => expand::stand_in(&error),
    }
}
