//! Twyla's macros: `#[listener]` and `#[rpc(..)]` on a handler function, `listeners![..]` and `rpcs![..]` for a service, and
//! `#[event(..)]` on a struct.
//! They are documented in `twyla-runtime`, which re-exports them and where their examples compile.
//!
//! Each macro is a module with the same stages: `args` parses the attribute, `check` finds every mistake, `model` is the result
//! of a check without mistakes, and `expand` is a pure function from the model to tokens. They share `attribute` (the parser of
//! all attributes), `contracts` (reads the index that the build script wrote), `function` (the rules for every handler function)
//! and `catalogue` (the text of every error).
#![forbid(unsafe_code)]

mod attribute;
mod catalogue;
mod contracts;
mod event;
mod function;
mod list;
mod listener;
mod numbers;
mod rpc;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

// documented in `twyla-runtime`
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(args.into(), item.into(), contracts::of_crate).into()
}

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn listener(args: TokenStream, item: TokenStream) -> TokenStream {
    let package = std::env::var("CARGO_PKG_NAME").ok();
    listener::expand(args.into(), item.into(), contracts::of_crate, package.as_deref()).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn listeners(input: TokenStream) -> TokenStream {
    list::listeners(input.into()).into()
}

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn rpc(args: TokenStream, item: TokenStream) -> TokenStream {
    rpc::expand(args.into(), item.into(), contracts::of_crate).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn rpcs(input: TokenStream) -> TokenStream {
    list::rpcs(input.into()).into()
}
