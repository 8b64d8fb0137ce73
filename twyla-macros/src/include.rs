//! `include_contracts!()`: the generated code, and the macro `__twyla_contracts!` that carries the index to other crates.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use twyla_contract::name::key;

use crate::absent::{self, Renamed};
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
    let index = match made {
        Ok(index) => index,
        Err(error) => return missing(&error),
    };
    let path = generated().and_then(|code| runtime_of(code).ok().flatten());
    match path.as_deref().and_then(|path| Some((path, absent::generated(path, Span::call_site())?))) {
        None => included(&index, &unique()),
        Some((path, Renamed { text, path: found })) => {
            renamed(&index, &text.at(Span::call_site()), path, found.as_deref())
        }
    }
}

/// Opens the generated code.
fn generated() -> Option<BufReader<File>> {
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from)?;
    File::open(folder.join("twyla.rs")).ok().map(BufReader::new)
}

/// Returns the path of the runtime in generated code, from its first import: `twyla_runtime`.
fn runtime_of(code: impl BufRead) -> io::Result<Option<String>> {
    for line in code.lines() {
        let line = line?;
        let path = line.trim_start().strip_prefix("use ").and_then(|it| it.strip_suffix("::__private as __twyla;"));
        if let Some(path) = path {
            return Ok(Some(path.trim_start_matches("::").to_owned()));
        }
    }
    Ok(None)
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

/// Returns the error, and the generated code with the runtime's actual path, so that the compiler reports no further
/// errors.
fn renamed(index: &str, error: &syn::Error, path: &str, found: Option<&str>) -> TokenStream {
    let with_path = |found: &str| {
        let mut code = String::new();
        generated()?.read_to_string(&mut code).ok()?;
        code.replace(&format!("::{path}::"), &format!("::{found}::")).parse().ok()
    };
    let Some(code) = found.and_then(with_path) else { return missing(error) };
    let (error, rest) = (error.to_compile_error(), with_index(index, &unique(), &code));
    quote!(#error #rest)
}

fn included(index: &str, unique: &str) -> TokenStream {
    with_index(index, unique, &quote!(::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/twyla.rs"));))
}

fn with_index(index: &str, unique: &str, code: &TokenStream) -> TokenStream {
    let name = format_ident!("__twyla_contracts_{unique}");
    let index = stage::index(index);
    quote! {
        #code

        #[doc(hidden)]
        #[macro_export]
        macro_rules! #name {
            ({ $($then:tt)* } $($given:tt)*) => { $($then)*! { #index $($given)* } };
        }
        #[doc(hidden)]
        #[allow(unused_imports, unreachable_pub)]
        pub use #name as __twyla_contracts;
    }
}

/// Returns the error, and a stub of the macro that the attributes call, so that they report no further errors.
fn missing(error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote! {
        #error

        #[allow(unused_macros)]
        macro_rules! __twyla_contracts {
            ({ $($then:tt)* } $($given:tt)*) => { $($then)*! { ! $($given)* } };
        }
        #[allow(unused_imports)]
        pub(crate) use __twyla_contracts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_path_of_the_runtime_in_generated_code() {
        let path = |code: &str| runtime_of(code.as_bytes()).unwrap();
        let code = "/// `use a::__private as __twyla;`\npub mod api {\n    use ::kit::twyla::__private as __twyla;\n";
        assert_eq!(path(code).as_deref(), Some("kit::twyla"));
        assert_eq!(path("use crate::kit::__private as __twyla;\n").as_deref(), Some("crate::kit"));
        assert_eq!(path("pub struct Context;"), None);
    }
}
