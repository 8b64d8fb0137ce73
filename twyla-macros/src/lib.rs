//! Twyla's macros: `#[listener]` and `#[rpc(..)]` on a handler function, `listeners![..]` and `rpcs![..]` for a service, and
//! `#[event(..)]` on a struct.
//! They are documented in `twyla-runtime`, which re-exports them and where their examples compile.
//!
//! Each macro is a module with the same stages: `args` parses the attribute, `check` finds every mistake, `model` is the result
//! of a check without mistakes, and `expand` is a pure function from the model to tokens. They share `attribute` (the parser of
//! all attributes), `contracts` (reads the index that the build script wrote), `function` (the rules for every handler function)
//! and `catalogue` (the text of every error). `include` includes the generated code, and `stage` expands an attribute whose
//! contracts are in another crate: in two stages, which share out the parts of an `expansion`. `absent` finds what a crate lacks, in the compiler's command line (`invocation`)
//! and in the text of its files (`source`).
#![forbid(unsafe_code)]

mod absent;
mod attribute;
mod catalogue;
mod contracts;
mod event;
mod expansion;
mod function;
mod include;
mod invocation;
mod list;
mod listener;
mod numbers;
mod rpc;
mod runtime;
mod source;
mod stage;

#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

use stage::Attribute;

// documented in `twyla-runtime`
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    stage::first(Attribute::Event, args.into(), item.into()).into()
}

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn listener(args: TokenStream, item: TokenStream) -> TokenStream {
    stage::first(Attribute::Listener, args.into(), item.into()).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn listeners(input: TokenStream) -> TokenStream {
    list::listeners(input.into()).into()
}

#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn rpc(args: TokenStream, item: TokenStream) -> TokenStream {
    stage::first(Attribute::Rpc, args.into(), item.into()).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn rpcs(input: TokenStream) -> TokenStream {
    list::rpcs(input.into()).into()
}

#[allow(missing_docs)]
#[proc_macro]
pub fn include_contracts(input: TokenStream) -> TokenStream {
    include::expand(input.into()).into()
}

// The second stage of the attributes.
#[doc(hidden)]
#[allow(missing_docs)]
#[proc_macro]
pub fn expand(input: TokenStream) -> TokenStream {
    stage::second(input.into()).into()
}
