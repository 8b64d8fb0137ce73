//! The path of the runtime in expansions: `::twyla_runtime`, or the one that `crate = ..` gives.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;
use syn::parse::ParseStream;

/// Where a crate has the runtime under another name.
pub(crate) enum Place {
    /// A dependency that is the runtime.
    Dependency(String),
    /// The path of the runtime's macros in the user's file. It may be the path of another module than the runtime's
    /// root.
    Macros(String),
    Unknown,
}

impl Place {
    pub(crate) fn path(self) -> Option<String> {
        match self {
            Self::Dependency(path) | Self::Macros(path) => Some(path),
            Self::Unknown => None,
        }
    }
}

/// The path of the runtime, as tokens.
#[derive(Clone)]
pub(crate) struct Runtime(Box<TokenStream>);

impl Default for Runtime {
    fn default() -> Self {
        Self(Box::new(quote!(::twyla_runtime)))
    }
}

impl Runtime {
    /// Parses a path, as after `crate =`.
    pub(crate) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Path::parse_mod_style).map(|path| Self(Box::new(path.into_token_stream())))
    }

    /// Returns the path of the traits that a stand-in for a refused item implements.
    pub(crate) fn stand_in(&self) -> TokenStream {
        quote!(#self::__private::stand_in)
    }

    /// Returns the path of an item of the runtime as text, for serde's attributes.
    pub(crate) fn text(&self, item: &str) -> String {
        format!("{}::{item}", self.0.to_string().replace(' ', ""))
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend((*self.0).clone());
    }
}
