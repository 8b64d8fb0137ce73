//! `listeners![..]` and `rpcs![..]`: a service's handlers, each held against those before it.

mod expand;
mod kind;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use kind::Kind;

/// Expands a list of listeners.
pub(crate) fn listeners(input: TokenStream) -> TokenStream {
    let room = quote!(::twyla_runtime::__private);
    let (function, collection) = (quote!(#room::unlisted::Function), quote!(::twyla_runtime::Listeners));
    expand(input, &Kind { constant: "LISTENER", room, function, collection })
}

/// Expands a list of handlers of RPCs.
pub(crate) fn rpcs(input: TokenStream) -> TokenStream {
    let room = quote!(::twyla_runtime::__private::calls);
    let (function, collection) = (quote!(#room::unserved::Function), quote!(::twyla_runtime::Rpcs));
    expand(input, &Kind { constant: "RPC", room, function, collection })
}

fn expand(input: TokenStream, kind: &Kind) -> TokenStream {
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(input) {
        Ok(paths) => expand::expand(&paths.into_iter().collect::<Vec<_>>(), kind),
        Err(error) => expand::stand_in(&error, kind),
    }
}
