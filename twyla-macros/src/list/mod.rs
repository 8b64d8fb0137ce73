//! `listeners![..]` and `rpcs![..]`: the handlers of a service, each checked against those before it.

mod expand;
mod kind;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use kind::ListKind;

/// Expands a list of listeners.
pub(crate) fn listeners(input: TokenStream) -> TokenStream {
    expand(input, |runtime| {
        let module = quote!(#runtime::__private);
        let (function, collection) = (quote!(#module::unlisted::Function), quote!(#runtime::Listeners));
        ListKind { constant: "LISTENER", module, function, collection }
    })
}

/// Expands a list of handlers of RPCs.
pub(crate) fn rpcs(input: TokenStream) -> TokenStream {
    expand(input, |runtime| {
        let module = quote!(#runtime::__private::calls);
        let (function, collection) = (quote!(#module::unserved::Function), quote!(#runtime::Rpcs));
        ListKind { constant: "RPC", module, function, collection }
    })
}

/// Expands a list; the macros of the runtime put the runtime's path before it, in brackets.
fn expand(input: TokenStream, kind: impl FnOnce(&TokenStream) -> ListKind) -> TokenStream {
    let mut input = input.into_iter();
    let runtime = match input.next() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => TokenStream::new(),
    };
    let kind = &kind(&runtime);
    let input: TokenStream = input.collect();
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(input) {
        Ok(paths) => expand::expand(&paths.into_iter().collect::<Vec<_>>(), kind),
        Err(error) => expand::stand_in(&error, kind),
    }
}
