//! `listeners![..]` and `rpcs![..]`: the handlers of a service, each checked against those before it.

mod expand;
mod kind;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use kind::ListKind;

/// Expands a list of listeners.
pub(crate) fn listeners(input: TokenStream) -> TokenStream {
    let module = quote!(::twyla_runtime::__private);
    let (function, collection) = (quote!(#module::unlisted::Function), quote!(::twyla_runtime::Listeners));
    expand(input, &ListKind { constant: "LISTENER", module, function, collection })
}

/// Expands a list of handlers of RPCs.
pub(crate) fn rpcs(input: TokenStream) -> TokenStream {
    let module = quote!(::twyla_runtime::__private::calls);
    let (function, collection) = (quote!(#module::unserved::Function), quote!(::twyla_runtime::Rpcs));
    expand(input, &ListKind { constant: "RPC", module, function, collection })
}

fn expand(input: TokenStream, kind: &ListKind) -> TokenStream {
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(input) {
        Ok(paths) => expand::expand(&paths.into_iter().collect::<Vec<_>>(), kind),
        Err(error) => expand::stand_in(&error, kind),
    }
}
