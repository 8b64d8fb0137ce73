//! `include_contracts!()`: the generated code, and the macro `__twyla_index!` that carries the index to other crates.

use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use twyla_contract::name::key;

use crate::catalogue;
use crate::contracts;
use crate::stage;

/// Expands the macro.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let made = match folder {
        _ if !input.is_empty() => Err(catalogue::takes_nothing("include_contracts!").over(input)),
        folder => contracts::text(folder.as_deref()).map_err(|why| catalogue::not_compiled(&why).at(Span::call_site())),
    };
    match made {
        Ok(index) => included(&index, &unique()),
        Err(error) => missing(&error),
    }
}

/// Returns a suffix that is unique in the crate: exported macros share one namespace, and several modules may include contracts.
fn unique() -> String {
    // unit tests run outside the compiler
    if !proc_macro::is_available() {
        return "0".to_owned();
    }
    let span = Span::call_site().unwrap();
    let place = format!("{}:{}:{}", span.file(), span.line(), span.column());
    format!("{:016x}", key(&place))
}

fn included(index: &str, unique: &str) -> TokenStream {
    let name = format_ident!("__twyla_index_{unique}");
    let index = stage::index(index);
    quote! {
        ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/twyla.rs"));

        #[doc(hidden)]
        #[macro_export]
        macro_rules! #name {
            ({ $($then:tt)* } $($given:tt)*) => { $($then)*! { #index $($given)* } };
        }
        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub)]
        pub use #name as __twyla_index;
    }
}

/// Returns the error, and a stub of the macro that the attributes call, so that they report no further errors.
fn missing(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote! {
        #error

        #[allow(unused_macros)]
        macro_rules! __twyla_index {
            ({ $($then:tt)* } $($given:tt)*) => { $($then)*! { ! $($given)* } };
        }
        #[allow(unused_imports)]
        pub(crate) use __twyla_index;
    }
}
